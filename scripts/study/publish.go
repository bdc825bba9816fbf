package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/ratml/rat/ratml/misd"
)

// publish writes tables and figures of all cells that are there, and shows the table.
func (s *study) publish(ctx context.Context, stdout io.Writer) error {
	if err := os.MkdirAll(s.Publish, 0o777); err != nil {
		return fmt.Errorf("--publish: %w", err)
	}
	var all []*summary
	for _, src := range s.sources {
		sum, err := s.summarize(ctx, src)
		if err != nil {
			return err
		}
		all = append(all, sum)
	}
	text := s.markdown(all)
	document, err := json.MarshalIndent(s.document(all), "", " ")
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"table.md":        []byte(text),
		"results.csv":     s.csv(resultLines(all)),
		"comparisons.csv": s.csv(comparisonLines(all)),
		"results.json":    append(document, '\n'),
	} {
		if err := renameio.WriteFile(filepath.Join(s.Publish, name), data, 0o644, renameio.WithTempDir(s.Publish)); err != nil {
			return err
		}
	}
	for _, sum := range all {
		if err := s.draw(sum); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.stderr, "wrote table.md, results.csv, comparisons.csv, results.json and figures to %s\n", s.Publish)
	_, err = fmt.Fprint(stdout, text)
	return err
}

// csv writes lines below a comment with the command.
func (s *study) csv(lines [][]string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", s.command())
	csv.NewWriter(&b).WriteAll(lines) // a buffer takes all
	return b.Bytes()
}

// resultLines has one line for each way of training, score and metric. Values are plain fractions.
func resultLines(all []*summary) [][]string {
	lines := [][]string{{"dataset", "training", "step_size", "score", "metric", "seeds", "mean", "sd", "values"}}
	for _, sum := range all {
		for _, r := range sum.rows {
			for _, score := range append([]string{""}, scores...) {
				for _, metric := range metricsOf(score) {
					mean, sd := r.spread(score, metric)
					var values []string
					for _, v := range r.values(score, metric) {
						values = append(values, number(v))
					}
					lines = append(lines, []string{sum.source.name, r.name, number(r.step), score, metric, strconv.Itoa(len(r.seeds)),
						number(mean), number(sd), strings.Join(values, " ")})
				}
			}
		}
	}
	return lines
}

// metricsOf returns the metrics of a score, or those of the classifier where there is none.
func metricsOf(score string) []string {
	if score == "" {
		return []string{"accuracy"}
	}
	return []string{"aurc", "auroc", "fpr95_error"}
}

func comparisonLines(all []*summary) [][]string {
	lines := [][]string{{"dataset", "training", "step_size", "against", "score", "metric", "seeds", "difference",
		"seeds_low", "seeds_high", "seeds_p", "seeds_p_holm", "images_low", "images_high", "images_p", "images_p_holm"}}
	for _, sum := range all {
		for _, c := range sum.comparisons {
			line := []string{sum.source.name, c.a.name, number(c.a.step), c.b.name, c.score, c.metric, strconv.Itoa(c.seeds), number(c.difference)}
			for _, t := range []interval{c.overSeeds, c.overImages} {
				line = append(line, number(t.Low), number(t.High), number(t.P), number(t.Holm))
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// The format of results.json; what is not defined is null.
type (
	document struct {
		Command  string            `json:"command"`
		Backend  string            `json:"backend"`
		Versions map[string]string `json:"versions"`
		Datasets []datasetJSON     `json:"datasets"`
	}
	datasetJSON struct {
		Dataset     string           `json:"dataset"`
		Data        string           `json:"data_sha256"`
		Arch        string           `json:"arch"`
		Training    int              `json:"training_images"`
		Validation  int              `json:"validation_images"`
		Test        int              `json:"test_images"`
		Step        float64          `json:"step_size,omitempty"`
		Chosen      bool             `json:"step_size_chosen_on_validation_images"`
		Sweep       []trialJSON      `json:"validation_aurc,omitempty"`
		Results     []rowJSON        `json:"results"`
		Comparisons []comparisonJSON `json:"comparisons"`
	}
	trialJSON struct {
		Step float64      `json:"step_size"`
		AURC []misd.Float `json:"values"`
		Mean misd.Float   `json:"mean"`
	}
	rowJSON struct {
		Training string                           `json:"training"`
		Step     float64                          `json:"step_size,omitempty"`
		Seeds    []uint64                         `json:"seeds"`
		Diverged int                              `json:"diverged,omitempty"`
		Missing  int                              `json:"missing,omitempty"`
		Accuracy spreadJSON                       `json:"accuracy"`
		Scores   map[string]map[string]spreadJSON `json:"scores"`
	}
	spreadJSON struct {
		Mean      misd.Float   `json:"mean"`
		Deviation misd.Float   `json:"sd"`
		Values    []misd.Float `json:"values"`
	}
	comparisonJSON struct {
		Training   string     `json:"training"`
		Step       float64    `json:"step_size,omitempty"`
		Against    string     `json:"against"`
		Score      string     `json:"score,omitempty"`
		Metric     string     `json:"metric"`
		Seeds      int        `json:"seeds"`
		Difference misd.Float `json:"difference"`
		OverSeeds  testJSON   `json:"paired_t_over_seeds"`
		OverImages testJSON   `json:"paired_bootstrap_over_images"`
	}
	testJSON struct {
		Low  misd.Float `json:"low"`
		High misd.Float `json:"high"`
		P    misd.Float `json:"p"`
		Holm misd.Float `json:"p_holm"`
	}
)

func (s *study) document(all []*summary) document {
	d := document{Command: s.command(), Backend: s.be.Kind(), Versions: s.versions()}
	for _, sum := range all {
		j := datasetJSON{Dataset: sum.source.name, Data: sum.sum, Arch: sum.arch.Name, Training: s.images(sum.source), Validation: s.ValSize,
			Test: sum.images, Step: sum.step, Chosen: s.StepSize == 0 && sum.step != 0}
		for _, t := range sum.trials {
			j.Sweep = append(j.Sweep, trialJSON{t.Step, floats(t.AURC), misd.Float(t.mean())})
		}
		for _, r := range sum.rows {
			j.Results = append(j.Results, r.json())
		}
		for _, c := range sum.comparisons {
			j.Comparisons = append(j.Comparisons, comparisonJSON{c.a.name, c.a.step, c.b.name, c.score, c.metric, c.seeds,
				misd.Float(c.difference), c.overSeeds.json(), c.overImages.json()})
		}
		d.Datasets = append(d.Datasets, j)
	}
	return d
}

func (r row) json() rowJSON {
	spread := func(score, metric string) spreadJSON {
		mean, sd := r.spread(score, metric)
		return spreadJSON{misd.Float(mean), misd.Float(sd), floats(r.values(score, metric))}
	}
	j := rowJSON{Training: r.name, Step: r.step, Seeds: r.seeds, Diverged: r.diverged, Missing: r.missing,
		Accuracy: spread("", "accuracy"), Scores: map[string]map[string]spreadJSON{}}
	for _, score := range scores {
		j.Scores[score] = map[string]spreadJSON{}
		for _, metric := range metricsOf(score) {
			j.Scores[score][metric] = spread(score, metric)
		}
	}
	return j
}

func (t interval) json() testJSON {
	return testJSON{misd.Float(t.Low), misd.Float(t.High), misd.Float(t.P), misd.Float(t.Holm)}
}

func floats(values []float64) []misd.Float {
	var out []misd.Float
	for _, v := range values {
		out = append(out, misd.Float(v))
	}
	return out
}

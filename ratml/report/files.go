package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"github.com/ratml/rat/ratml/misd"
)

// table is what a file can be made of.
type table interface {
	grid() grid
	records() [][]string // the lines of CSV, the first with the names of the columns
	json.Marshaler
}

// Save writes the report to a file in the format that its ending names: .json and .csv hold every metric with its
// interval as plain fractions, .md, .html, .tex and .txt the leaderboard. A file that is there is replaced in one step.
func (r *Report) Save(path string) error { return save(path, r) }

// Save writes the comparison as [Report.Save] writes a report; the JSON is a list of reports.
func (c *Comparison) Save(path string) error { return save(path, c) }

func save(path string, t table) error {
	var write func(w io.Writer) error
	print := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	switch ext := filepath.Ext(path); ext {
	case ".json":
		write = func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			e.SetEscapeHTML(false)
			return e.Encode(t)
		}
	case ".csv":
		write = func(w io.Writer) error { return csv.NewWriter(w).WriteAll(t.records()) }
	case ".md":
		write = print(t.grid().markdown())
	case ".html":
		write = print(t.grid().html())
	case ".tex":
		write = print(t.grid().latex())
	case ".txt":
		write = print(t.grid().text() + "\n")
	default:
		return fmt.Errorf("report: writing %s: the ending %q is none of .json, .csv, .md, .html, .tex, .txt", path, ext)
	}
	if err := atomicfile.Write(path, write); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// MarshalJSON implements [json.Marshaler]: the list of reports.
func (c *Comparison) MarshalJSON() ([]byte, error) { return json.Marshal(c.Reports) }

// reportJSON is the format of metrics.json.
type reportJSON struct {
	Dataset       string                             `json:"dataset"`
	Model         string                             `json:"model"`
	Images        int                                `json:"images"`
	Errors        int                                `json:"errors"`
	Accuracy      misd.Float                         `json:"accuracy"`
	Bootstrap     bootstrapJSON                      `json:"bootstrap"`
	Probabilities map[string]estimateJSON            `json:"probabilities,omitempty"`
	Scores        map[string]map[string]estimateJSON `json:"scores"`
	Cost          map[string]float64                 `json:"cost_forward_equivalents,omitempty"`
	Evaluations   *float64                           `json:"forward_evaluations_per_image,omitempty"`
	Searches      map[string]searchJSON              `json:"forward_evaluations,omitempty"`
}

type bootstrapJSON struct {
	Resamples int     `json:"resamples"`
	Level     float64 `json:"level"`
	Seed      uint64  `json:"seed"`
}

type estimateJSON struct {
	Value  misd.Float  `json:"value"`
	Low    *misd.Float `json:"low,omitempty"`
	High   *misd.Float `json:"high,omitempty"`
	Reason string      `json:"reason,omitempty"`
}

type searchJSON struct {
	Mean      float64 `json:"mean"`
	Median    float64 `json:"median"`
	P95       float64 `json:"p95"`
	Max       int     `json:"max"`
	Unflipped int     `json:"unflipped"`
}

// MarshalJSON implements [json.Marshaler]. Under "scores" is an object a score, in it an object a metric with value,
// low and high, where null means undefined and "reason" says why; "cost_forward_equivalents" and "forward_evaluations"
// hold the cost and the forward passes of searches by score. "forward_evaluations_per_image" is the mean number of
// forward passes after the gradient of RR_fgsm, or of the only search there is.
func (r *Report) MarshalJSON() ([]byte, error) {
	out := reportJSON{
		Dataset: r.Run.Dataset, Model: r.Run.Model, Images: r.Run.Len(), Errors: r.errors(),
		Accuracy:  misd.Float(1 - float64(r.errors())/float64(r.Run.Len())),
		Bootstrap: bootstrapJSON{max(r.Options.Resamples, 0), r.Options.Level, r.Options.Seed},
		Scores:    map[string]map[string]estimateJSON{},
		Cost:      map[string]float64{}, Searches: map[string]searchJSON{},
	}
	if r.Probabilities != nil {
		out.Probabilities = evaluationJSON(r.Probabilities)
	}
	for _, row := range r.Rows {
		out.Scores[row.Score] = evaluationJSON(row.Metrics)
		if row.Cost != 0 {
			out.Cost[row.Score] = row.Cost
		}
		if row.Search != nil {
			out.Searches[row.Score] = searchJSON(*row.Search)
		}
	}
	for name, s := range out.Searches {
		if name == "RR_fgsm" || len(out.Searches) == 1 {
			mean := s.Mean
			out.Evaluations = &mean
		}
	}
	return json.Marshal(out)
}

func evaluationJSON(e misd.Evaluation) map[string]estimateJSON {
	out := make(map[string]estimateJSON, len(e))
	for name, v := range e {
		j := estimateJSON{Value: misd.Float(v.Value), Reason: v.Reason}
		if v.HasInterval() {
			low, high := misd.Float(v.Lower), misd.Float(v.Upper)
			j.Low, j.High = &low, &high
		}
		out[name] = j
	}
	return out
}

func (r *Report) records() [][]string { return reportRecords([]*Report{r}) }

func (c *Comparison) records() [][]string { return reportRecords(c.Reports) }

// reportRecords has one line a score of each report, with every metric and its interval in plain fractions.
func reportRecords(reports []*Report) [][]string {
	head := []string{"dataset", "model", "score", "cost", "forward_evaluations"}
	metrics := scoreMetrics()
	for _, name := range metrics {
		head = append(head, name, name+"_low", name+"_high")
	}
	lines := [][]string{head}
	for _, r := range reports {
		for _, row := range r.Rows {
			line := []string{r.Run.Dataset, r.Run.Model, row.Score, "", ""}
			if row.Cost != 0 {
				line[3] = formatFloat(row.Cost)
			}
			if row.Search != nil {
				line[4] = strconv.FormatFloat(row.Search.Mean, 'g', -1, 64)
			}
			for _, name := range metrics {
				e := row.Metrics[name]
				line = append(line, formatFloat(e.Value), formatFloat(e.Lower), formatFloat(e.Upper))
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// scoreMetrics names the metrics that judge a score.
func scoreMetrics() []string {
	var names []string
	for _, m := range misd.Metrics() {
		if !m.NeedsProbabilities {
			names = append(names, m.Name)
		}
	}
	return names
}

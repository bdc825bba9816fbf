package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ratml/rat/ratml/misd"
)

// Differences are paired bootstrap differences between scores of one classifier, or between classifiers on the same
// images: every resample draws the same images for both sides, so that what the images have in common cancels.
type Differences struct {
	Title   string
	Options Options         // as used
	Rows    []DifferenceRow // in the order of the scores
}

// DifferenceRow is what one side has and the other has not.
type DifferenceRow struct {
	Score   string // the score of the first side
	Model   string // the classifier of the first side; empty between scores of one classifier
	Against string // the score, or the classifier, that is subtracted
	// Metrics holds the differences by name, of the headline metrics. Holm corrects for all rows, metric by metric.
	Metrics map[string]misd.Difference
}

// differenceResamples is the default for differences: Holm multiplies p-values, which cannot fall below 2/2001 with so
// many and then stay below 0.05 for 50 differences.
const differenceResamples = 2000

// CompareScores compares every score of run with the one called baseline, or every pair of scores if baseline is empty.
// Metrics are those of opts.Headline, opts.Resamples is 2,000 if 0 (of 10,000 images with 20 scores they take some
// seconds); a note under the table says when so many comparisons need more. It returns an error if the run is not valid, has
// fewer than two scores or no baseline, if a score is NaN somewhere, or if an option is not usable.
func CompareScores(ctx context.Context, run *misd.Run, baseline string, opts Options) (*Differences, error) {
	d, err := newDifferences(opts)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := checkRun(run); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if len(run.Scores) < 2 {
		return nil, errors.New("report: a comparison needs two scores")
	}
	if baseline != "" && run.Score(baseline) == nil {
		return nil, fmt.Errorf("report: there is no score %q to compare with", baseline)
	}
	d.Title = name(run)
	var curves []*misd.Curve
	for _, s := range run.Scores {
		c, err := run.Curve(s.Name)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		curves = append(curves, c)
	}
	paired, err := d.Options.bootstrap().Paired(ctx, curves, d.Options.Headline...)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	for i, x := range run.Scores {
		for j, y := range run.Scores {
			if baseline == "" && i < j || baseline != "" && y.Name == baseline && i != j {
				d.add(DifferenceRow{Score: x.Name, Against: y.Name}, paired, i, j)
			}
		}
	}
	d.correct()
	return d, nil
}

// CompareNets compares the scores of other classifiers with the same scores of baseline, on the same images in the same
// order, which their labels must show. Scores that one of two lacks are left out. Options are as in [CompareScores].
func CompareNets(ctx context.Context, baseline *misd.Run, others []*misd.Run, opts Options) (*Differences, error) {
	d, err := newDifferences(opts)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if len(others) == 0 {
		return nil, errors.New("report: a comparison needs two classifiers")
	}
	for i, run := range append([]*misd.Run{baseline}, others...) {
		if err := checkRun(run); err != nil {
			return nil, fmt.Errorf("report: classifier %d: %w", i+1, err)
		}
		if !slices.Equal(run.Label, baseline.Label) {
			return nil, fmt.Errorf("report: classifier %d (%s) was scored on other images than the first: %s", i+1, name(run), labelsDiffer(baseline, run))
		}
	}
	d.Title = name(baseline)
	for i, run := range others {
		if err := d.addNet(ctx, baseline, run, modelName(run, i+2)); err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
	}
	if len(d.Rows) == 0 {
		return nil, errors.New("report: the classifiers have no score in common")
	}
	d.correct()
	return d, nil
}

func modelName(run *misd.Run, i int) string {
	if run.Model != "" {
		return run.Model
	}
	return fmt.Sprintf("classifier %d", i)
}

func labelsDiffer(a, b *misd.Run) string {
	if a.Len() != b.Len() {
		return fmt.Sprintf("%d images and %d", a.Len(), b.Len())
	}
	for i := range a.Label {
		if a.Label[i] != b.Label[i] {
			return fmt.Sprintf("image %d has label %d and %d", i, a.Label[i], b.Label[i])
		}
	}
	return "none"
}

// addNet compares every score that two classifiers share.
func (d *Differences) addNet(ctx context.Context, baseline, run *misd.Run, model string) error {
	for _, s := range run.Scores {
		if baseline.Score(s.Name) == nil {
			continue
		}
		x, err := run.Curve(s.Name)
		if err != nil {
			return err
		}
		y, err := baseline.Curve(s.Name)
		if err != nil {
			return err
		}
		paired, err := d.Options.bootstrap().Paired(ctx, []*misd.Curve{x, y}, d.Options.Headline...)
		if err != nil {
			return err
		}
		d.add(DifferenceRow{Score: s.Name, Model: model, Against: modelName(baseline, 1)}, paired, 0, 1)
	}
	return nil
}

func newDifferences(opts Options) (*Differences, error) {
	if opts.Resamples == 0 {
		opts.Resamples = differenceResamples
	}
	opts, err := opts.withDefaults()
	return &Differences{Options: opts}, err
}

func (d *Differences) add(row DifferenceRow, paired *misd.Paired, i, j int) {
	row.Metrics = map[string]misd.Difference{}
	for _, m := range d.Options.Headline {
		row.Metrics[m] = paired.Difference(m, i, j)
	}
	d.Rows = append(d.Rows, row)
}

// correct applies Holm's correction, metric by metric.
func (d *Differences) correct() {
	for _, m := range d.Options.Headline {
		p := make([]float64, len(d.Rows))
		for i, row := range d.Rows {
			p[i] = row.Metrics[m].P
		}
		for i, corrected := range misd.Holm(p) {
			diff := d.Rows[i].Metrics[m]
			diff.Holm = corrected
			d.Rows[i].Metrics[m] = diff
		}
	}
}

// Name says what is subtracted from what.
func (row DifferenceRow) Name() string {
	if row.Model == "" {
		return row.Score + " − " + row.Against
	}
	return row.Score + ": " + row.Model + " − " + row.Against
}

// String returns the differences as text: for each headline metric the difference with its interval and the p-value
// after Holm's correction, differences that remain significant marked.
func (d *Differences) String() string { return d.grid().text() }

// Markdown returns the differences as a Markdown table, significant ones in bold.
func (d *Differences) Markdown() string { return d.grid().markdown() }

// HTML returns the differences as an HTML table, significant ones in bold.
func (d *Differences) HTML() string { return d.grid().html() }

// LaTeX returns the differences as a tabular for the booktabs package, significant ones in bold.
func (d *Differences) LaTeX() string { return d.grid().latex() }

// Save writes the differences in the format that the ending of path names, as [Report.Save] does; .json and .csv hold
// plain fractions, p-values and corrected p-values.
func (d *Differences) Save(path string) error { return save(path, d) }

func (d *Differences) grid() grid {
	alpha := 1 - d.Options.Level
	g := grid{title: []string{d.Title + ": paired differences"}, best: fmt.Sprintf("p at most %s after correction", formatP(alpha)),
		columns: []column{{name: "difference"}}}
	for _, m := range d.Options.Headline {
		g.columns = append(g.columns, column{group: Label(m), name: "difference", right: true}, column{group: Label(m), name: "p", right: true})
	}
	for _, row := range d.Rows {
		cells := []cell{{value: row.Name()}}
		for _, m := range d.Options.Headline {
			diff := row.Metrics[m]
			c := newCell(m, diff.Estimate, diff.Holm <= alpha+1e-12)
			if diff.Value > 0 {
				c.value = "+" + c.value
			}
			cells = append(cells, c, cell{value: formatP(diff.Holm)})
		}
		g.rows = append(g.rows, cells)
	}
	g.notes = d.notes()
	return g
}

func (d *Differences) notes() []string {
	notes := []string{direction(d.Options.Headline)}
	if b := d.Options.Resamples; b > 0 {
		notes = append(notes, fmt.Sprintf("[low high]: %g %% interval over images, not corrected; p: two-sided, Holm-corrected for %s a metric; %d paired resamples, seed %d.",
			100*d.Options.Level, count(len(d.Rows), "difference"), b, d.Options.Seed))
		if least := 2 / float64(b+1) * float64(len(d.Rows)); least > 1-d.Options.Level {
			notes = append(notes, fmt.Sprintf("The smallest corrected p that %d resamples can give is %s: ask for more.", b, formatP(min(1, least))))
		}
	}
	var rows []Row
	for _, row := range d.Rows {
		e := misd.Evaluation{}
		for m, diff := range row.Metrics {
			e[m] = diff.Estimate
		}
		rows = append(rows, Row{Metrics: e})
	}
	return append(notes, reasons(rows, d.Options.Headline)...)
}

// MarshalJSON implements [json.Marshaler]: bootstrap, and a list of differences with score, model, against, and by
// metric value, low, high, p and p_holm.
func (d *Differences) MarshalJSON() ([]byte, error) {
	type metricJSON struct {
		estimateJSON
		P    misd.Float `json:"p"`
		Holm misd.Float `json:"p_holm"`
	}
	type rowJSON struct {
		Score   string                `json:"score"`
		Model   string                `json:"model,omitempty"`
		Against string                `json:"against"`
		Metrics map[string]metricJSON `json:"metrics"`
	}
	out := struct {
		Title       string        `json:"title"`
		Bootstrap   bootstrapJSON `json:"bootstrap"`
		Differences []rowJSON     `json:"differences"`
	}{d.Title, bootstrapJSON{max(d.Options.Resamples, 0), d.Options.Level, d.Options.Seed}, nil}
	for _, row := range d.Rows {
		j := rowJSON{row.Score, row.Model, row.Against, map[string]metricJSON{}}
		for m, diff := range row.Metrics {
			e := evaluationJSON(misd.Evaluation{m: diff.Estimate})[m]
			j.Metrics[m] = metricJSON{e, misd.Float(diff.P), misd.Float(diff.Holm)}
		}
		out.Differences = append(out.Differences, j)
	}
	return json.Marshal(out)
}

func (d *Differences) records() [][]string {
	lines := [][]string{{"score", "model", "against", "metric", "difference", "low", "high", "p", "p_holm"}}
	for _, row := range d.Rows {
		for _, m := range d.Options.Headline {
			v := row.Metrics[m]
			lines = append(lines, []string{row.Score, row.Model, row.Against, m, formatFloat(v.Value), formatFloat(v.Lower),
				formatFloat(v.Upper), formatFloat(v.P), formatFloat(v.Holm)})
		}
	}
	return lines
}

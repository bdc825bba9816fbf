package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/ratml/rat/ratml/misd"
)

// Groups judges every score on parts of the images: by class, by corruption and severity, by whatever column tells them
// apart.
type Groups struct {
	Column string  // what the groups are
	All    *Report // of all images together
	Parts  []Part  // in the order of [misd.GroupBy]
	// Shown is the metric that tables show; the first of the headline unless set. Files hold all metrics.
	Shown string
}

// Part is one group.
type Part struct {
	Name   string
	Report *Report
	// Small says that the group has fewer than 10 wrong or fewer than 10 right predictions, so that its metrics are
	// mostly luck and a percentile interval is too short. It is shown and counted all the same.
	Small bool
}

const (
	fewPredictions = 10   // of either kind
	maxGroups      = 1000 // more are no groups but an identifier of each image
)

// EvaluateGroups judges run and each group of its images, labels[i] being the group of image i. Metrics that do not exist
// for a group, as AUROC where all predictions are right, are undefined there and say why. It returns an error as
// [Evaluate] does, or if there is not one label an image, or if there are more than 1,000 groups.
func EvaluateGroups(ctx context.Context, run *misd.Run, column string, labels []string, opts Options) (*Groups, error) {
	if run != nil && len(labels) != run.Len() {
		return nil, fmt.Errorf("report: column %s has %d labels for %d images", column, len(labels), run.Len())
	}
	parts := misd.GroupBy(labels)
	if len(parts) > maxGroups {
		return nil, fmt.Errorf("report: column %s has %d different labels, at most %d make groups; does it name each image?", column, len(parts), maxGroups)
	}
	progress := opts.Progress
	opts.Progress = nil
	all, err := EvaluateContext(ctx, run, opts)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, errors.New("report: there are no images to group")
	}
	g := &Groups{Column: column, All: all, Shown: all.Options.Headline[0]}
	for i, part := range parts {
		sub, err := run.Subset(part.Rows)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		rep, err := EvaluateContext(ctx, sub, opts)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", column, part.Name, err)
		}
		wrong := rep.errors()
		g.Parts = append(g.Parts, Part{part.Name, rep, min(wrong, sub.Len()-wrong) < fewPredictions})
		if progress != nil {
			progress(i+1, len(parts), column+" "+part.Name)
		}
	}
	return g, nil
}

// ClassNames returns a column to group by: the names of classes, or their numbers where they have none. Give it the
// labels of a run for groups by true class, the predictions for groups by predicted class.
func ClassNames(classes []int, names []string) []string {
	out := make([]string, len(classes))
	for i, c := range classes {
		out[i] = strconv.Itoa(c)
		if c >= 0 && c < len(names) && names[c] != "" {
			out[i] = names[c]
		}
	}
	return out
}

// Mean returns the mean of a metric over the groups where it is defined, each weighing alike, and their number: the
// mean over corruptions, or the class-balanced value. NaN where there are none.
func (g *Groups) Mean(score, metric string) (mean float64, groups int) {
	sum := 0.0
	for _, part := range g.Parts {
		if row := part.Report.Row(score); row != nil {
			if v := row.Metrics[metric].Value; !math.IsNaN(v) {
				sum += v
				groups++
			}
		}
	}
	return sum / float64(groups), groups
}

// String returns the groups as text: one line a group with its images, errors and error rate, and the metric Shown of
// every score, then the mean of the groups and all images together. The best score of a line is marked.
func (g *Groups) String() string { return g.grid().text() }

// Markdown returns the groups as a Markdown table, the best score of a group in bold.
func (g *Groups) Markdown() string { return g.grid().markdown() }

// HTML returns the groups as an HTML table, the best score of a group in bold.
func (g *Groups) HTML() string { return g.grid().html() }

// LaTeX returns the groups as a tabular for the booktabs package.
func (g *Groups) LaTeX() string { return g.grid().latex() }

// Save writes the groups in the format that the ending of path names, as [Report.Save] does; .json and .csv hold every
// metric of every group with its interval.
func (g *Groups) Save(path string) error { return save(path, g) }

func (g *Groups) grid() grid {
	t := grid{title: []string{fmt.Sprintf("%s by %s", name(g.All.Run), g.Column)}, best: "best score of the line",
		columns: []column{{name: g.Column}, {name: "images", right: true}, {name: "errors", right: true}, {name: "error %", right: true}}}
	for _, row := range g.All.Rows {
		t.columns = append(t.columns, column{group: Label(g.Shown), name: row.Score, right: true})
	}
	small := false
	for _, part := range g.Parts {
		label := part.Name
		if label == "" {
			label = "(none)"
		}
		if part.Small {
			label += " †"
			small = true
		}
		t.rows = append(t.rows, g.line(label, part.Report))
	}
	t.rows = append(t.rows, g.means(), g.line("all images", g.All))
	t.notes = append(t.notes, direction([]string{g.Shown}))
	if g.All.Options.Resamples > 0 {
		t.notes = append(t.notes, fmt.Sprintf("±: half the width of the %g %% interval over images, %d bootstrap resamples, seed %d.",
			100*g.All.Options.Level, g.All.Options.Resamples, g.All.Options.Seed))
	}
	if small {
		t.notes = append(t.notes, fmt.Sprintf("† fewer than %d wrong or right predictions: mostly luck, intervals too short.", fewPredictions))
	}
	var rows []Row
	for _, part := range g.Parts {
		rows = append(rows, part.Report.Rows...)
	}
	t.notes = append(t.notes, reasons(rows, []string{g.Shown})...)
	return t
}

// line shows one report.
func (g *Groups) line(label string, r *Report) []cell {
	n, wrong := r.Run.Len(), r.errors()
	cells := []cell{{value: label}, {value: strconv.Itoa(n)}, {value: strconv.Itoa(wrong)}, {value: significant(100*float64(wrong)/float64(n), 3)}}
	worst := r.Ranked(g.Shown)[len(r.Rows)-1].Metrics[g.Shown].Value
	for _, row := range r.Rows {
		best := r.isBest(g.Shown, row) && !same(row.Metrics[g.Shown].Value, worst) // no mark where all draw
		cells = append(cells, comparedCell(g.Shown, row.Metrics[g.Shown], best, true))
	}
	return cells
}

func (g *Groups) means() []cell {
	values := make([]float64, len(g.All.Rows))
	groups := 0
	for i, row := range g.All.Rows {
		values[i], groups = g.Mean(row.Score, g.Shown)
	}
	rate := 0.0
	for _, part := range g.Parts {
		rate += float64(part.Report.errors()) / float64(part.Report.Run.Len()) / float64(len(g.Parts))
	}
	cells := []cell{{value: "mean of " + count(groups, "group")}, {}, {}, {value: significant(100*rate, 3)}}
	best := ranked(values, g.Shown, func(v float64) float64 { return v })[0]
	for _, v := range values {
		cells = append(cells, cell{value: significant(v*Scale(g.Shown), 4), best: len(values) > 1 && same(v, best)})
	}
	return cells
}

// MarshalJSON implements [json.Marshaler]: column, all and a list of groups with name, small and report, reports as
// [Report.MarshalJSON] writes them.
func (g *Groups) MarshalJSON() ([]byte, error) {
	type partJSON struct {
		Name   string  `json:"name"`
		Small  bool    `json:"small"`
		Report *Report `json:"report"`
	}
	out := struct {
		Column string     `json:"column"`
		All    *Report    `json:"all"`
		Groups []partJSON `json:"groups"`
	}{g.Column, g.All, nil}
	for _, part := range g.Parts {
		out.Groups = append(out.Groups, partJSON{part.Name, part.Small, part.Report})
	}
	return json.Marshal(out)
}

func (g *Groups) records() [][]string {
	lines := [][]string{{"group", "images", "errors", "small", "score", "metric", "value", "low", "high", "reason"}}
	for _, part := range append(g.Parts[:len(g.Parts):len(g.Parts)], Part{Name: "all images", Report: g.All}) {
		for _, row := range part.Report.Rows {
			for _, m := range scoreMetrics() {
				e := row.Metrics[m]
				lines = append(lines, []string{part.Name, strconv.Itoa(part.Report.Run.Len()), strconv.Itoa(part.Report.errors()),
					strconv.Itoa(btoi(part.Small)), row.Score, m, formatFloat(e.Value), formatFloat(e.Lower), formatFloat(e.Upper), e.Reason})
			}
		}
	}
	return lines
}

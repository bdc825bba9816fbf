package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/policy"
	"github.com/ratml/rat/ratml/report"
)

// paging says what page is written beside the other files.
type paging struct {
	HTML   string `arg:"--html" placeholder:"FILE" help:"write a page for browsers too: leaderboard, figures and more in one file"`
	Policy string `arg:"--policy" placeholder:"FILE" help:"policy file that the page shows, with what it does to these images"`

	command []string // the words of the command line after its name
}

// load checks that the page can be written before anything is computed for it, and reads the policy. It returns nil
// where there is none.
func (o paging) load() (*policy.Policy, error) {
	switch {
	case o.HTML == "" && o.Policy == "":
		return nil, nil
	case o.HTML == "":
		return nil, usagef("--policy is for the page of --html; evaluate apply applies a policy")
	}
	if err := writableFile(o.HTML); err != nil {
		return nil, fmt.Errorf("--html: %w", err)
	}
	if o.Policy == "" {
		return nil, nil
	}
	p, err := policy.Load(o.Policy)
	if err != nil {
		return nil, fmt.Errorf("--policy: %w", err)
	}
	return p, nil
}

// page starts a page with all that can be said from scores alone. The policy is applied to the first report.
func (o paging) page(leaderboard report.Table, reports []*report.Report) (*report.Page, error) {
	p := &report.Page{
		Leaderboard: leaderboard,
		Command:     append([]string{"go", "run", "./scripts/evaluate"}, o.command...),
		Versions:    report.Versions(),
	}
	for _, d := range drawings {
		if slices.ContainsFunc(reports, func(r *report.Report) bool { return !d.fits(r) }) {
			continue
		}
		f, err := d.drawing(reports)
		if err != nil {
			return nil, err
		}
		p.Figures = append(p.Figures, f)
	}
	chosen, err := o.load()
	if err != nil || chosen == nil {
		return p, err
	}
	p.Decision, err = report.Decide(chosen, reports[0].Run)
	return p, err
}

// drawing is a figure of the page.
type drawing struct {
	name, caption string
	fits          func(*report.Report) bool // whether the scores have what is drawn
	scores        func([]*report.Report) []string
	draw          func([]*report.Report, figures.Options) (*figures.Figure, error)
}

var drawings = []drawing{
	{"Risk and coverage.", "The error rate among the predictions that are kept, the most confident ones first; lower is better.",
		always, leading, ofBoth(figures.RiskCoverage)},
	{"Finding errors.", "ROC curves: errors found against right predictions suspected.",
		always, leading, ofBoth(figures.ROC)},
	{"Confidence of right and wrong predictions.", "Wrong ones at the right end are the mistakes that no threshold catches.",
		always, surest, figures.ConfidenceHistogram},
	{"Reliability.", "Accuracy against the largest softmax probability, with 95 % intervals; on the diagonal, confidence can be taken at its word.",
		func(r *report.Report) bool { return r.Run.Logits != nil }, nil, figures.Reliability},
	{"Radius.", "The distance to the decision boundary, of right and wrong predictions.",
		func(r *report.Report) bool { return radiusScore(r.Run) != nil }, func(rs []*report.Report) []string { return []string{radiusScore(rs[0].Run).Name} }, figures.RadiusHistogram},
	{"Cost and quality.", "AURC against the cost of an image; the best of each cost is named.",
		func(r *report.Report) bool {
			return slices.ContainsFunc(r.Rows, func(row report.Row) bool { return row.Cost > 0 })
		}, nil,
		func(rs []*report.Report, o figures.Options) (*figures.Figure, error) {
			return figures.CostQuality(rs, nil, o)
		}},
}

// ofBoth is a figure that needs right and wrong predictions.
func ofBoth(draw func([]*report.Report, figures.Options) (*figures.Figure, error)) func([]*report.Report, figures.Options) (*figures.Figure, error) {
	return func(reports []*report.Report, o figures.Options) (*figures.Figure, error) {
		for _, r := range reports {
			correct := r.Run.Correct()
			if !slices.Contains(correct, false) {
				return nil, errors.New("every prediction is right")
			}
			if !slices.Contains(correct, true) {
				return nil, errors.New("every prediction is wrong")
			}
		}
		return draw(reports, o)
	}
}

func always(*report.Report) bool { return true }

// drawing draws the figure for light and for dark pages. What cannot be drawn from these scores, as a ROC curve without
// errors, says so in its place.
func (d drawing) drawing(reports []*report.Report) (report.Drawing, error) {
	out := report.Drawing{Name: d.name, Caption: d.caption}
	var opts figures.Options
	if d.scores != nil {
		opts.Scores = d.scores(reports)
	}
	if d.scores != nil && len(opts.Scores) == 0 {
		out.Missing = "the files have no score in common"
		return out, nil
	}
	fig, err := d.draw(reports, opts)
	if err != nil {
		out.Missing = strings.TrimPrefix(err.Error(), "figures: ")
		return out, nil
	}
	fig.Transparent = true
	for theme, dst := range map[figures.Theme]*[]byte{figures.Light: &out.Light, figures.Dark: &out.Dark} {
		var b bytes.Buffer
		fig.Theme = theme
		if err := fig.EncodeSVG(&b); err != nil {
			return out, fmt.Errorf("--html: %s: %w", d.name, err)
		}
		*dst = b.Bytes()
	}
	return out, nil
}

// leading returns up to five scores that all reports have: MSR, which others are measured by, and the best of the first
// report. Of scores that rank the images alike only the first is taken.
func leading(reports []*report.Report) []string {
	var out []string
	var seen []float64
	add := func(row *report.Row) {
		aurc := row.Metrics["aurc"].Value
		if len(out) == 5 || slices.Contains(seen, aurc) || slices.ContainsFunc(reports, func(r *report.Report) bool { return r.Row(row.Score) == nil }) {
			return
		}
		out, seen = append(out, row.Score), append(seen, aurc)
	}
	if msr := reports[0].Row("MSR"); msr != nil {
		add(msr)
	}
	if s := radiusScore(reports[0].Run); s != nil {
		add(reports[0].Row(s.Name))
	}
	for _, row := range reports[0].Ranked("aurc") {
		add(&row)
	}
	return out
}

// surest returns the score whose values are shown: MSR where all have it, else the best that all have.
func surest(reports []*report.Report) []string {
	scores := leading(reports)
	return scores[:min(1, len(scores))]
}

// radiusScore returns the radius of a run that is known best, or nil.
func radiusScore(run *misd.Run) *misd.Score {
	for _, name := range []string{"RR_fgsm", "RR_fast", "RR_exp", "RR_soft"} {
		if s := run.Score(name); s != nil {
			return s
		}
	}
	for i := range run.Scores {
		if run.Scores[i].Unflipped != nil {
			return &run.Scores[i]
		}
	}
	return nil
}

// save writes the page and says so.
func (o paging) save(p *report.Page, stderr io.Writer) error {
	if err := p.Save(o.HTML); err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	fmt.Fprintf(stderr, "wrote %s\n", o.HTML)
	return nil
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/policy"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
)

// judged is a run with what was found of it.
type judged struct {
	splits  []parts.Split
	reports []*report.Report      // one a split
	shifts  []*report.ShiftReport // one a split, where there is a shifted data set
}

// checkPolicy tells whether a policy, if there is one, is for the scores of the run.
func (j judgement) checkPolicy(p *policy.Policy) error {
	switch {
	case p == nil:
	case j.Splits > 1:
		return fmt.Errorf("the %d splits of --n_exps share images; a policy needs --n_exps 1", j.Splits)
	case !slices.ContainsFunc(j.Scores, func(s parts.Score) bool { return s.Name == p.Score.Name }):
		return fmt.Errorf("it is for score %s, which the run does not compute", p.Score.Name)
	case p.Classifier.Weights != "" && p.Classifier.Weights != j.Weights:
		return fmt.Errorf("it is for other weights (sha256 %.12s, here %.12s)", p.Classifier.Weights, j.Weights)
	}
	return nil
}

// page writes the page of a run: what is known from its scores, and its images.
func (e *evaluation) page(ctx context.Context, found judged) error {
	if e.HTML == "" {
		return nil
	}
	p, err := judgement{e.manifest, e.stderr}.page(ctx, e.paging, found, e.images.Classes())
	if err != nil {
		return err
	}
	if e.Threshold > 0 {
		p.Facts = append(p.Facts, report.Fact{Name: "images", Value: "not shown: --prob-thres leaves some out, and what is left does not know its images"})
	} else if p.Images, err = e.galleries(found.reports[0]); err != nil {
		return err
	}
	return e.save(p, e.stderr)
}

// page is what is known of a run without its images.
func (j judgement) page(ctx context.Context, o paging, found judged, classes []string) (*report.Page, error) {
	var leaderboard report.Table = found.reports[0]
	if len(found.reports) > 1 {
		sum, err := report.Splits(found.reports...)
		if err != nil {
			return nil, err
		}
		leaderboard = sum
	}
	p, err := o.page(leaderboard, found.reports[:1])
	if err != nil {
		return nil, err
	}
	p.Facts = j.facts(found.splits[0].Fitted)
	if d := p.Decision; d != nil {
		if err := sameParameters(d.Policy, found.splits[0].Fitted); err != nil {
			return nil, fmt.Errorf("--policy %s: %w", o.Policy, err)
		}
	}
	if len(found.reports) > 1 {
		p.Facts = append(p.Facts, report.Fact{Name: "figures and images", Value: fmt.Sprintf("of the first of %d splits", len(found.reports))})
	}
	if len(found.shifts) > 0 {
		p.Tables = append(p.Tables, found.shifts[0])
	}
	groups, err := byClass(ctx, found.reports[0], classes)
	if groups != nil {
		p.Tables = append(p.Tables, groups)
	}
	return p, err
}

// sameParameters tells whether a policy's score is the one of this run, not one of the same name fitted otherwise.
func sameParameters(p *policy.Policy, fitted []parts.Score) error {
	for _, s := range fitted {
		if s.Name == p.Score.Name && len(p.Score.Parameters) > 0 && !bytes.Equal(compact(p.Score.Parameters), compact(s.Function)) {
			return fmt.Errorf("it is for %s with parameters %s, this run has %s", s.Name, compact(p.Score.Parameters), compact(s.Function))
		}
	}
	return nil
}

func compact(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}

// byClass judges a few scores by true class, without intervals. It returns nil where there are more classes than a table
// can show.
func byClass(ctx context.Context, r *report.Report, names []string) (*report.Groups, error) {
	if r.Run.Classes > 1000 {
		return nil, nil
	}
	scores := leading([]*report.Report{r})
	few, err := r.Select(scores[:min(4, len(scores))]...)
	if err != nil {
		return nil, err
	}
	return report.EvaluateGroups(ctx, few.Run, "true class", report.ClassNames(r.Run.Label, names), report.Options{Resamples: -1})
}

// facts says what was run.
func (j judgement) facts(fitted []parts.Score) []report.Fact {
	meaning := map[string]string{
		"sound":    "sound: parameters are fitted on validation images alone, ties are handled, radii have brackets",
		"official": "official: the official code's numbers, quirks included (ratml/OFFICIAL.md)",
	}
	facts := []report.Fact{
		{Name: "protocol", Value: cmp.Or(meaning[j.Protocol], j.Protocol)},
		{Name: "data set", Value: fmt.Sprintf("%s: %d images judged, %d apart to fit parameters on; sha256 %s", j.Dataset, j.Images, j.Validation, j.Data)},
		{Name: "classifier", Value: fmt.Sprintf("%s; weights sha256 %s", j.Arch, j.Weights)},
		{Name: "backend", Value: fmt.Sprintf("%s; batches of %d", j.Backend, j.BatchSize)},
		{Name: "bootstrap", Value: fmt.Sprintf("%d resamples, seed %d", j.Resamples, j.Seed)},
	}
	if j.Splits > 1 {
		facts = append(facts, report.Fact{Name: "splits", Value: fmt.Sprint(j.Splits)})
	}
	if j.Least > 0 {
		facts = append(facts, report.Fact{Name: "left out", Value: fmt.Sprintf("images whose largest probability is below %g", j.Least)})
	}
	if j.Shifted != "" {
		facts = append(facts, report.Fact{Name: "shifted data set", Value: fmt.Sprintf("%s: %d images; sha256 %s", j.Shifted, j.ShiftCount, j.ShiftData)})
	}
	for _, s := range fitted {
		if s.Fit != nil {
			facts = append(facts, report.Fact{Name: "fitted: " + s.Name, Value: parameters(s) + "; " + fitness(*s.Fit)})
		}
	}
	return facts
}

// fitness says how parameters were found.
func fitness(f parts.Fit) string {
	text := f.Objective
	if v := float64(f.Value); !math.IsNaN(v) {
		text += fmt.Sprintf(" %.6g", v)
	}
	text += fmt.Sprintf(" on %d images of %s", f.Images, f.Data)
	if f.Candidates > 1 {
		text += fmt.Sprintf(", best of %d", f.Candidates)
	}
	return text
}

// parameters returns those of a score as JSON, long ones, such as the matrix of RelU, cut.
func parameters(s parts.Score) string {
	var f struct{ Parameters json.RawMessage }
	text := compact(s.Function)
	if json.Unmarshal(text, &f) == nil && f.Parameters != nil {
		text = f.Parameters
	}
	const longest = 160
	if len(text) <= longest {
		return string(text)
	}
	return fmt.Sprintf("%s… (%d bytes, whole in run.json)", bytes.ToValidUTF8(text[:longest], nil), len(text))
}

// shown is the number of images in a gallery.
const shown = 12

// galleries shows images that are worth a look.
func (e *evaluation) galleries(r *report.Report) ([]report.Gallery, error) {
	_, test, err := e.split(0)
	if err != nil {
		return nil, err
	}
	labels, err := dataset.Labels(test)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(labels, r.Run.Label) {
		return nil, fmt.Errorf("--html: the scores are not of the images of %s", e.Dataset)
	}
	v := viewer{set: test, run: r.Run, confidence: confidence.MSR{}.Values(r.Run.Logits, r.Run.Classes, nil)}
	bare := *r.Run
	bare.Scores = []misd.Score{{Name: "confidence", Values: v.confidence}}
	mistakes, err := figures.ConfidentMistakes(&bare, "confidence", shown)
	if err != nil {
		return nil, err
	}
	v.add("Wrong and most confident", "Wrong predictions with the largest softmax probability.", mistakes)
	if best := r.Ranked("aurc")[0]; best.Score != "MSR" && (r.Row("MSR") == nil || r.Row("MSR").Metrics["aurc"].Value != best.Metrics["aurc"].Value) {
		if mistakes, err = figures.ConfidentMistakes(r.Run, best.Score, shown); err != nil {
			return nil, err
		}
		v.add("Wrong and trusted most by "+best.Score, "Wrong predictions with the largest values of the score that is best here by AURC.", mistakes)
	}
	if s := radiusScore(r.Run); s != nil {
		v.radius = s.Values
		v.add("Borderline", "Right or wrong, nearest to the decision boundary by "+s.Name+".", smallest(s.Values, shown))
	} else {
		v.add("Borderline", "Right or wrong, with the smallest softmax probability.", smallest(v.confidence, shown))
	}
	doubtful, err := figures.DoubtfulSuccesses(&bare, "confidence", shown)
	if err != nil {
		return nil, err
	}
	v.add("Right and least confident", "Right predictions with the smallest softmax probability.", doubtful)
	return v.galleries()
}

// smallest returns the places of up to n smallest values, equal ones in order.
func smallest(values []float64, n int) []int {
	index := make([]int, len(values))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	return index[:min(n, len(index))]
}

// viewer reads images for galleries.
type viewer struct {
	set                dataset.Set
	run                *misd.Run
	confidence, radius []float64
	rows               []imageRow
}

type imageRow struct {
	title, note string
	index       []int
}

func (v *viewer) add(title, note string, index []int) {
	v.rows = append(v.rows, imageRow{title, note, index})
}

func (v *viewer) galleries() ([]report.Gallery, error) {
	var out []report.Gallery
	for _, row := range v.rows {
		g := report.Gallery{Title: row.title, Note: row.note}
		for _, i := range row.index {
			p, err := v.picture(i)
			if err != nil {
				return nil, err
			}
			g.Pictures = append(g.Pictures, p)
		}
		out = append(out, g)
	}
	return out, nil
}

func (v *viewer) picture(i int) (report.Picture, error) {
	shape := v.set.Shape()
	pixels := make([]float32, shape.Size())
	if _, err := v.set.Read(i, pixels); err != nil {
		return report.Picture{}, err
	}
	img, err := figures.Picture(pixels, shape.Height, shape.Width, shape.Channels)
	names := report.ClassNames([]int{v.run.Label[i], v.run.Pred[i]}, v.set.Classes())
	p := report.Picture{Image: img, Index: dataset.Origin(v.set, i), Label: names[0], Pred: names[1], Confidence: v.confidence[i], Radius: math.NaN()}
	if v.radius != nil {
		p.Radius = v.radius[i]
	}
	return p, err
}

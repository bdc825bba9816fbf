// Package report turns the scores of a run into tables: every score by every metric with bootstrap intervals, as text,
// Markdown, HTML, LaTeX, CSV and JSON. It also reads and writes the files that scores are kept in.
//
//	rep, err := report.Evaluate(run, report.Options{})
//	fmt.Println(rep)              // the leaderboard
//	err = rep.Save("metrics.json") // every metric with its interval
//
// A leaderboard is a first look. What it cannot say:
//
//   - how much is luck of the training or of the split: [Seeds], [Splits], [Repeat];
//   - whether two scores or two classifiers really differ: [CompareScores], [CompareNets];
//   - which score is good over many data sets: [Rank];
//   - on which images a score fails: [EvaluateGroups];
//   - what happens with images the classifier was not made for: [EvaluateShift].
//
// [ReadColumns] brings the scores of any other tool, [Compare] puts classifiers side by side. A [Page] is what to send to a
// colleague: tables, figures, images and how all was made, in one HTML file that needs neither the network nor a script.
package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
)

// Headline returns the metrics that tables show unless told otherwise.
func Headline() []string {
	return []string{"aurc", "augrc", "auroc", "fpr95_error", "fpr95_success"}
}

// Options say how a run is evaluated. The zero value is usable.
type Options struct {
	Resamples int     // bootstrap resamples; 0 means 1000, negative means no intervals
	Level     float64 // probability that an interval covers, in (0,1); 0 means 0.95
	Seed      uint64  // of the resampling
	// Headline names the metrics that tables show, the first of which ranks the scores; nil means [Headline]. All
	// metrics are computed and written to JSON and CSV.
	Headline []string
	// Progress is called after each score, unless it is nil.
	Progress func(done, total int, note string)
}

// Report holds every metric of every score of one classifier on one data set.
type Report struct {
	Run     *misd.Run // what was evaluated; figures draw it
	Options Options   // as used, defaults filled in
	Rows    []Row     // one a score, in the order of the run
	// Probabilities holds accuracy, nll, brier and ece of softmax(logits); nil where the run has no logits.
	Probabilities misd.Evaluation
}

// Row is what a report says of one score.
type Row struct {
	Score   string
	Cost    float64         // forward equivalents an image, 0 where unknown
	Metrics misd.Evaluation // by metric name
	Search  *Search         // nil unless the score was found by a search
}

// Search sums up the forward passes after the gradient that a search took for an image.
type Search struct {
	Mean, Median, P95 float64
	Max               int
	Unflipped         int // images whose prediction did not change up to the largest radius tried
}

// Evaluate judges every score of run. It returns an error if the run is not valid, holds no scores, or a score is
// NaN somewhere, or if an option is not usable.
func Evaluate(run *misd.Run, opts Options) (*Report, error) {
	return EvaluateContext(context.Background(), run, opts)
}

// EvaluateContext is [Evaluate] that stops with an error when ctx is done: the intervals of a score over 10,000
// images take about a second.
func EvaluateContext(ctx context.Context, run *misd.Run, opts Options) (*Report, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := checkRun(run); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if len(run.Scores) == 0 {
		return nil, errors.New("report: the run has no scores")
	}
	r := &Report{Run: run, Options: opts}
	if run.Logits != nil {
		c, err := run.Calibration()
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		if r.Probabilities, err = opts.bootstrap().Evaluate(ctx, nil, c); err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
	}
	seen := map[ranking]misd.Evaluation{}
	for i := range run.Scores {
		row, err := evaluateScore(ctx, run, &run.Scores[i], opts, seen)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		r.Rows = append(r.Rows, row)
		if opts.Progress != nil {
			opts.Progress(i+1, len(run.Scores), row.Score)
		}
	}
	return r, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Resamples == 0 {
		o.Resamples = 1000
	}
	o.Level = cmp.Or(o.Level, 0.95)
	if o.Headline == nil {
		o.Headline = Headline()
	}
	o.Headline = slices.Clone(o.Headline)
	if len(o.Headline) == 0 {
		return o, errors.New("the list of headline metrics is empty")
	}
	for _, name := range o.Headline {
		m, ok := misd.LookupMetric(name)
		if !ok {
			return o, fmt.Errorf("there is no metric %q; misd.Metrics lists them, among them %v", name, Headline())
		}
		if m.NeedsProbabilities {
			return o, fmt.Errorf("metric %s judges the classifier, not its scores; it is always shown", name)
		}
	}
	return o, nil
}

func (o Options) bootstrap() misd.Bootstrap {
	return misd.Bootstrap{Resamples: o.Resamples, Level: o.Level, Seed: o.Seed}
}

// evaluateScore judges one score. Scores that rank the images alike, as MSR and softLogiDiff do, get the same metrics,
// which are computed once and kept in seen.
func evaluateScore(ctx context.Context, run *misd.Run, s *misd.Score, opts Options, seen map[ranking]misd.Evaluation) (Row, error) {
	row := Row{Score: s.Name, Cost: s.Cost, Search: summarize(s)}
	curve, err := run.Curve(s.Name)
	if err != nil {
		return row, err
	}
	key := rankingOf(s.Values)
	if known, ok := seen[key]; ok {
		row.Metrics = maps.Clone(known)
		return row, nil
	}
	row.Metrics, err = opts.bootstrap().Evaluate(ctx, curve, nil)
	seen[key] = row.Metrics
	return row, err
}

func summarize(s *misd.Score) *Search {
	if len(s.Evaluations) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(s.Evaluations))
	sum := 0
	for _, v := range sorted {
		sum += v
	}
	n := len(sorted)
	out := &Search{
		Mean:   float64(sum) / float64(n),
		Median: float64(sorted[(n-1)/2]+sorted[n/2]) / 2,
		P95:    float64(sorted[int(math.Ceil(.95*float64(n)))-1]),
		Max:    sorted[n-1],
	}
	for _, u := range s.Unflipped {
		if u {
			out.Unflipped++
		}
	}
	return out
}

// Row returns what the report says of the score called name, or nil.
func (r *Report) Row(name string) *Row {
	for i := range r.Rows {
		if r.Rows[i].Score == name {
			return &r.Rows[i]
		}
	}
	return nil
}

// Select returns a report of some scores only, in the order given, for a shorter table or figure. Nothing is computed
// anew. It returns an error if a score is missing.
func (r *Report) Select(names ...string) (*Report, error) {
	out := *r
	run := *r.Run
	out.Run, out.Rows, run.Scores = &run, nil, nil
	for _, name := range names {
		row, score := r.Row(name), r.Run.Score(name)
		if row == nil || score == nil {
			return nil, fmt.Errorf("report: there is no score %q, only %v", name, r.scoreNames())
		}
		out.Rows = append(out.Rows, *row)
		run.Scores = append(run.Scores, *score)
	}
	return &out, nil
}

func (r *Report) scoreNames() []string {
	names := make([]string, len(r.Rows))
	for i, row := range r.Rows {
		names[i] = row.Score
	}
	return names
}

// Ranked returns the rows, best first by the metric, undefined values last; equally good rows keep their order.
func (r *Report) Ranked(metric string) []Row {
	return ranked(r.Rows, metric, func(row Row) float64 { return row.Metrics[metric].Value })
}

// errors returns the number of wrong predictions.
func (r *Report) errors() int {
	n := 0
	for _, ok := range r.Run.Correct() {
		n += btoi(!ok)
	}
	return n
}

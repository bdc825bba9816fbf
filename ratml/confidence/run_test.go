package confidence_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// score runs functions over set and fails the test on error.
func score(tb testing.TB, s confidence.Scorer, c *nets.Classifier, set dataset.Set, functions ...confidence.Function) *misd.Run {
	tb.Helper()
	run, err := s.Run(context.Background(), c, set, functions...)
	if err != nil {
		tb.Fatal(err)
	}
	if err := run.Validate(); err != nil {
		tb.Fatal(err)
	}
	return run
}

// All scores of a run share one network for logits and gradients and one for the search; RR-Fast needs one more, after
// its step. So the network is built three times, and twice without a search, however many scores there are.
func TestScoresShareWork(t *testing.T) {
	set := shapes(t, 10)
	all, official := scores(t, radius.Sound), scores(t, radius.Official)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, test := range []struct {
			name      string
			functions []confidence.Function
			want      int
		}{
			{"no scores", nil, 1},
			{"logit scores", all[:13], 1},
			{"closed forms", []confidence.Function{radius.Margin{}, radius.SoftMargin{}}, 1},
			{"without search", all[:16], 2},
			{"all", all, 3},
			{"all, official", official, 3},
			{"search at two temperatures", []confidence.Function{renamedSearch{radius.BoundarySearch{}, "one"},
				renamedSearch{radius.BoundarySearch{Temperature: 2}, "two"}}, 2},
		} {
			calls := 0
			c := small(t, be, &calls)
			calls = 0
			score(t, confidence.Scorer{BatchSize: 4}, c, set, test.functions...)
			if calls != test.want {
				t.Errorf("%s: the network was built %d times, want %d", test.name, calls, test.want)
			}
		}
	})
}

// names are the scores of the official code and the search, in the order of its tables.
const names = "MSR ODIN NE HPS linear_mix thr DOCTOR tfDOCTOR MLS ratio logiDiff softLogiDiff tunedLD RR_fast RR_exp RR_soft RR_fgsm"

// scores returns the functions called names.
func scores(tb testing.TB, p radius.Protocol) []confidence.Function {
	tb.Helper()
	var fs []confidence.Function
	for _, name := range strings.Fields(names) {
		f, err := confidence.ByName(name, p)
		if err != nil {
			tb.Fatal(err)
		}
		fs = append(fs, f)
	}
	return fs
}

// renamedSearch is a search under another name.
type renamedSearch struct {
	confidence.Searcher
	name string
}

func (r renamedSearch) Name() string { return r.name }

// Neither the batch size nor the padding of the last batch changes a score.
func TestBatchSize(t *testing.T) {
	const n = 23
	set := shapes(t, n)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := small(t, be, nil)
		want := score(t, confidence.Scorer{}, c, set, scores(t, radius.Sound)...)
		for _, size := range []int{1, 7, n, 24} {
			got := score(t, confidence.Scorer{BatchSize: size}, c, set, scores(t, radius.Sound)...)
			if got.Len() != n {
				t.Fatalf("batches of %d: %d images, want %d", size, got.Len(), n)
			}
			for k, s := range got.Scores {
				w := want.Scores[k]
				for i := range w.Values {
					// The radius of a search is known up to its bracket, that of RR-Fast up to a difference of logits.
					tolerance := map[string]float64{"RR_fgsm": 1e-3, "RR_fast": 1e-3}[s.Name] + 1e-6
					if d := math.Abs(s.Values[i] - w.Values[i]); d > tolerance*math.Max(math.Abs(w.Values[i]), 1) {
						t.Errorf("batches of %d: %s of image %d is %v, want %v", size, s.Name, i, s.Values[i], w.Values[i])
					}
				}
				if math.Abs(s.Cost-w.Cost) > 0.2 {
					t.Errorf("batches of %d: %s costs %v, want %v", size, s.Name, s.Cost, w.Cost)
				}
			}
			for i := range want.Label {
				if got.Label[i] != want.Label[i] || got.Pred[i] != want.Pred[i] {
					t.Errorf("batches of %d, image %d: label %d, prediction %d, want %d, %d",
						size, i, got.Label[i], got.Pred[i], want.Label[i], want.Pred[i])
				}
			}
		}
	})
}

// A run says what it is of, and what each score costs.
func TestRunContents(t *testing.T) {
	const n = 9
	set := shapes(t, n)
	c := small(t, backendtest.Go(t), nil)
	var done []int
	s := confidence.Scorer{BatchSize: 4, Dataset: "shapes", Progress: func(d, total int, note string) {
		if total != n || !strings.Contains(note, "images/s") {
			t.Errorf("progress of %d: %q", total, note)
		}
		done = append(done, d)
	}}
	run := score(t, s, c, set, confidence.MSR{}, radius.Fast{}, radius.Margin{}, radius.BoundarySearch{})
	if run.Dataset != "shapes" || run.Model != "small" || run.Classes != 3 || len(run.Logits) != 3*n {
		t.Errorf("run of %q by %q, %d classes, %d logits", run.Dataset, run.Model, run.Classes, len(run.Logits))
	}
	if fmt.Sprint(done) != "[4 8 9]" {
		t.Errorf("progress %v, want 4, 8, 9", done)
	}
	for name, want := range map[string]float64{"MSR": 1, "RR_fast": 4, "RR_exp": 3} {
		if s := run.Score(name); s.Cost != want || s.Evaluations != nil || s.Lower != nil {
			t.Errorf("%s costs %v, want %v, and is no search: %+v", name, s.Cost, want, s)
		}
	}
	search := run.Score("RR_fgsm")
	sum := 0
	for i, e := range search.Evaluations {
		sum += e
		if e < 1 || !(search.Lower[i] <= search.Values[i] && search.Values[i] <= search.Upper[i]) {
			t.Errorf("image %d: radius %v in [%v, %v] after %d evaluations", i, search.Values[i], search.Lower[i], search.Upper[i], e)
		}
	}
	if want := 3 + float64(sum)/n; math.Abs(search.Cost-want) > 1e-12 {
		t.Errorf("the search costs %v, want %v", search.Cost, want)
	}
	for i, p := range run.Pred {
		z := run.Logits[3*i : 3*i+3]
		if z[p] < z[0] || z[p] < z[1] || z[p] < z[2] {
			t.Errorf("image %d: prediction %d of logits %v", i, p, z)
		}
	}
	if s.Model = "mine"; score(t, s, c, set).Model != "mine" {
		t.Error("the model's name is not taken from the scorer")
	}
}

// The official protocol rounds scores to float32, the sound one does not.
func TestOfficialRounding(t *testing.T) {
	set := shapes(t, 5)
	c := small(t, backendtest.Go(t), nil)
	sound := score(t, confidence.Scorer{}, c, set, confidence.MSR{}).Scores[0].Values
	official := score(t, confidence.Scorer{Protocol: radius.Official}, c, set, confidence.MSR{}).Scores[0].Values
	rounded := 0
	for i, v := range sound {
		if official[i] != float64(float32(v)) {
			t.Errorf("image %d: official %v, want %v as float32", i, official[i], v)
		}
		if official[i] != v {
			rounded++
		}
	}
	if rounded == 0 {
		t.Error("the sound scores are rounded too")
	}
}

// wrong is a data set with a fault.
type wrong struct {
	dataset.Set
	label func(i, label int) int
	pixel float32
	err   error
	at    int
	grow  int // added to the height
	extra int // classes more
}

func (w wrong) Shape() dataset.Shape {
	s := w.Set.Shape()
	s.Height += w.grow
	return s
}

func (w wrong) Classes() []string { return append(w.Set.Classes(), make([]string, w.extra)...) }

func (w wrong) Read(i int, dst []float32) (int, error) {
	label, err := w.Set.Read(i, dst[:min(len(dst), w.Set.Shape().Size())])
	if i == w.at {
		if w.label != nil {
			label = w.label(i, label)
		}
		if w.pixel != 0 {
			dst[3] = w.pixel
		}
		if w.err != nil {
			err = w.err
		}
	}
	return label, err
}

// shapeless is a function that nothing can be done with.
type shapeless struct{ radius.Estimator }

// liar has a score too few.
type liar struct{ confidence.MSR }

func (liar) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return confidence.MSR{}.Values(logits, classes, nil)[1:]
}

// broken fails while the graph is built.
type broken struct{ confidence.MSR }

func (broken) Build(*radius.Probe) []*graph.Node { panic("out of paint") }

// astray searches for images of another batch.
type astray struct{ radius.BoundarySearch }

func (a astray) Starts(base int, images, logits []float32, classes int, built [][]float32) []radius.Start {
	return a.BoundarySearch.Starts(base+100, images, logits, classes, built)
}

func TestRunErrors(t *testing.T) {
	set := shapes(t, 10)
	c := small(t, backendtest.Go(t), nil)
	unreadable := errors.New("disk on fire")
	nan := float32(math.NaN())
	for _, test := range []struct {
		name      string
		set       dataset.Set
		functions []confidence.Function
		want      []string
	}{
		{"wrong size", wrong{Set: set, grow: 1}, nil, []string{"images are 9x8x1", "small takes 8x8x1"}},
		{"too many classes", wrong{Set: set, extra: 1}, nil, []string{"4 classes", "only 3"}},
		{"empty", dataset.Take(set, 0), nil, []string{"no images"}},
		{"label too large", wrong{Set: set, at: 7, label: func(int, int) int { return 3 }}, nil, []string{"image 7", "label 3"}},
		{"negative label", wrong{Set: set, at: 7, label: func(int, int) int { return -1 }}, nil, []string{"image 7", "label -1"}},
		{"unreadable", wrong{Set: set, at: 8, err: unreadable}, nil, []string{"image 8", "disk on fire"}},
		{"NaN", wrong{Set: set, at: 6, pixel: nan}, nil, []string{"image 6", "NaN"}},
		{"infinity", wrong{Set: set, at: 9, pixel: float32(math.Inf(1))}, nil, []string{"image 9"}},
		{"twice", set, []confidence.Function{confidence.MSR{}, radius.Fast{}, confidence.MSR{}}, []string{"MSR", "twice"}},
		{"nil", set, []confidence.Function{confidence.MSR{}, nil}, []string{"score 2 of 2 is nil"}},
		{"no set", nil, nil, []string{"no data set"}},
		{"neither", set, []confidence.Function{shapeless{radius.Fast{}}}, []string{"RR_fast", "neither"}},
		{"values missing", set, []confidence.Function{liar{}}, []string{"MSR", "3 values for 4 images"}},
		{"panic", set, []confidence.Function{broken{}}, []string{"out of paint"}},
		{"astray", set, []confidence.Function{astray{}}, []string{"RR_fgsm", "image 100", "0 to 3"}},
	} {
		_, err := confidence.Scorer{BatchSize: 4}.Run(context.Background(), c, test.set, test.functions...)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		if !strings.HasPrefix(err.Error(), "confidence: ") || strings.Count(err.Error(), "confidence:") > 1 {
			t.Errorf("%s: error %q, want it to start with the package, once", test.name, err)
		}
		for _, w := range test.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %q does not say %q", test.name, err, w)
			}
		}
		if test.name == "unreadable" && !errors.Is(err, unreadable) {
			t.Errorf("%s: the cause is lost in %v", test.name, err)
		}
	}
	for _, size := range []int{-1, -128} {
		for _, f := range []confidence.Function{confidence.MSR{}, radius.BoundarySearch{}} {
			if _, err := (confidence.Scorer{BatchSize: size}).Run(context.Background(), c, set, f); err == nil || !strings.Contains(err.Error(), fmt.Sprint(size)) {
				t.Errorf("batch size %d: error %v", size, err)
			}
		}
	}
	if _, err := confidence.Score(context.Background(), nil, set); err == nil || !strings.Contains(err.Error(), "no classifier") {
		t.Errorf("no classifier: error %v", err)
	}
}

// A context that is done, at first or in the middle, ends a run with its error.
func TestRunCancel(t *testing.T) {
	set := shapes(t, 20)
	c := small(t, backendtest.Go(t), nil)
	for _, after := range []int{0, 1, 3, 5} {
		ctx, cancel := context.WithCancel(context.Background())
		if after == 0 {
			cancel()
		}
		batches := 0
		s := confidence.Scorer{BatchSize: 4, Progress: func(int, int, string) {
			if batches++; batches == after {
				cancel()
			}
		}}
		run, err := s.Run(ctx, c, set, scores(t, radius.Sound)...)
		if !errors.Is(err, context.Canceled) || run != nil {
			t.Errorf("cancelled after %d batches: error %v, run %v", after, err, run)
		}
		if batches > after+1 {
			t.Errorf("cancelled after %d batches, %d were done", after, batches)
		}
		if _, err := s.Fit(ctx, c, set, confidence.ODIN{}); !errors.Is(err, context.Canceled) {
			t.Errorf("fitting after the end: error %v", err)
		}
		cancel()
	}
}

func TestNames(t *testing.T) {
	known := " " + strings.Join(confidence.Names(), " ") + " "
	for i, f := range scores(t, radius.Official) {
		name := strings.Fields(names)[i]
		if f.Name() != name || !strings.Contains(known, " "+name+" ") {
			t.Errorf("%s: found %q; known are%s", name, f.Name(), known)
		}
	}
	if f, _ := confidence.ByName("RR_fast", radius.Official); f != (radius.Fast{Protocol: radius.Official}) {
		t.Errorf("RR_fast in the official protocol is %#v", f)
	}
	_, err := confidence.ByName("MRS", radius.Sound)
	if err == nil || !strings.Contains(err.Error(), `"MRS"`) || !strings.Contains(err.Error(), "MSR") || !strings.Contains(err.Error(), "RR_fgsm") {
		t.Errorf("unknown name: error %v, want one that lists the known ones", err)
	}
}

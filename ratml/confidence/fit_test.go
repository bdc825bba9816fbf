package confidence_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// rows is a data set whose images of 1x3 pixels are the logits of a classifier that returns its input.
type rows struct {
	logits [][3]float32
	labels []int
}

func (r rows) Len() int             { return len(r.labels) }
func (r rows) Shape() dataset.Shape { return dataset.Shape{Height: 1, Width: 3, Channels: 1} }
func (r rows) Classes() []string    { return []string{"a", "b", "c"} }
func (r rows) Read(i int, dst []float32) (int, error) {
	copy(dst, r.logits[i][:])
	return r.labels[i], nil
}

func identity(t *testing.T) *nets.Classifier {
	t.Helper()
	arch, err := nets.NewArch("identity", nets.Input{Height: 1, Width: 3, Channels: 1}, 3, []float32{0}, []float32{1},
		func(p *nets.Pass, x *graph.Node) *graph.Node { return p.Linear("output", graph.Reshape(x, -1, 3), 3) })
	if err != nil {
		t.Fatal(err)
	}
	c, err := nets.NewClassifier(backendtest.Go(t), arch, nets.Weights{
		"output.weight": {Shape: []int{3, 3}, Data: []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}}, "output.bias": nets.NewTensor(3),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fit(t *testing.T, s confidence.Scorer, c *nets.Classifier, set dataset.Set, fs ...confidence.Function) []confidence.Function {
	t.Helper()
	fitted, err := s.Fit(context.Background(), c, set, fs...)
	if err != nil {
		t.Fatal(err)
	}
	return fitted
}

// Two right and two wrong predictions that z_1 - lambda z_2 ranks without fault only for lambda between 1 and 1.43:
// of the candidates, 1.1 is the first.
func TestFitKnownBest(t *testing.T) {
	set := rows{
		logits: [][3]float32{{10, 5, 0}, {5, 1, 0}, {6, 2.2, 0}, {8, 4, 0}},
		labels: []int{0, 0, 1, 1},
	}
	fixed := confidence.TunedLogitDiff{Lambda: 2}
	got := fit(t, confidence.Scorer{}, identity(t), set, confidence.MSR{}, confidence.TunedLogitDiff{}, fixed)
	if got[0] != (confidence.MSR{}) {
		t.Errorf("MSR, which has no parameter, became %#v", got[0])
	}
	for _, f := range got[1:] {
		if f != (confidence.TunedLogitDiff{Lambda: 1.1}) {
			t.Errorf("fitted %#v, want lambda 1.1", f)
		}
	}
}

// Fit finds what trying every candidate in a run of its own finds, by the AURC of the protocol.
func TestFitTriesAll(t *testing.T) {
	set := shapes(t, 60)
	c := small(t, backendtest.Go(t), nil)
	for _, p := range []radius.Protocol{radius.Sound, radius.Official} {
		s := confidence.Scorer{BatchSize: 16, Protocol: p}
		var fitters []confidence.Function
		for _, f := range scores(t, p) {
			if _, ok := f.(confidence.Fitter); ok {
				fitters = append(fitters, f)
			}
		}
		if len(fitters) != 8 {
			t.Errorf("%s: %d functions to fit, want 8", p, len(fitters))
		}
		changed := 0
		for i, got := range fit(t, s, c, set, fitters...) {
			want, lowest := confidence.Function(nil), 0.0
			for _, candidate := range fitters[i].(confidence.Fitter).Candidates() {
				run := score(t, s, c, set, candidate)
				curve, err := misd.NewCurve(run.Scores[0].Values, run.Correct())
				if err != nil {
					t.Fatal(err)
				}
				aurc := curve.AURC()
				if p == radius.Official {
					aurc = curve.AURCRAT()
				}
				if want == nil || aurc < lowest {
					want, lowest = candidate, aurc
				}
			}
			if got != want {
				t.Errorf("%s: fitted %#v, want %#v", p, got, want)
			}
			if got != fitters[i].(confidence.Fitter).Candidates()[0] {
				changed++
			}
		}
		if changed == 0 {
			t.Errorf("%s: every function ends at its first candidate, so the test shows nothing", p)
		}
	}
}

// All candidates share a pass, and all their searches one compiled search. The official fit of RR-Fast has one
// candidate, the temperature 0.2, and needs no pass at all.
func TestFitSharesWork(t *testing.T) {
	set := shapes(t, 6)
	calls := 0
	c := small(t, backendtest.Go(t), &calls)
	s := confidence.Scorer{Protocol: radius.Official}
	calls = 0
	got := fit(t, s, c, set, radius.Fast{Protocol: radius.Official}, radius.SoftMargin{Protocol: radius.Official})
	if got[0] != (radius.Fast{Protocol: radius.Official, Temperature: 0.2}) || got[1] != (radius.SoftMargin{Protocol: radius.Official, Temperature: 0.2}) {
		t.Errorf("the official fit gives %#v, %#v, want temperature 0.2", got[0], got[1])
	}
	if calls != 0 {
		t.Errorf("the network was built %d times, want never", calls)
	}
	fit(t, s, c, set, radius.BoundarySearch{}, confidence.ODIN{}, confidence.DOCTOR{})
	if calls != 2 {
		t.Errorf("the network was built %d times for 45 candidates, want 2", calls)
	}
}

// The values that the official code tries.
func TestCandidates(t *testing.T) {
	show := func(f confidence.Fitter) string {
		var values []string
		for _, c := range f.Candidates() {
			switch c := c.(type) {
			case confidence.ODIN:
				values = append(values, fmt.Sprint(c.Temperature))
			case confidence.DOCTOR:
				values = append(values, fmt.Sprint(c.Temperature))
			case confidence.LinearMix:
				values = append(values, fmt.Sprint(c.Lambda))
			case confidence.Thresholded:
				values = append(values, fmt.Sprint(c.Threshold))
			case confidence.TunedLogitDiff:
				values = append(values, fmt.Sprint(c.Lambda))
			}
		}
		return strings.Join(values, " ")
	}
	const temperatures = "0.2 0.4 0.6 0.8 1 1.1 1.2 1.3 1.4 1.5 2 2.5 3 100 1000"
	for _, test := range []struct {
		f    confidence.Fitter
		want string
	}{
		{confidence.ODIN{}, temperatures},
		{confidence.DOCTOR{Temperature: 7}, temperatures},
		{confidence.LinearMix{}, "0.01 0.1 1 10 100"},
		{confidence.Thresholded{}, "0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"},
		{confidence.TunedLogitDiff{}, "0.5 0.75 0.9 1.1 1.3 2"},
	} {
		if got := show(test.f); got != test.want {
			t.Errorf("%s: candidates %s, want %s", test.f.Name(), got, test.want)
		}
	}
}

func TestFitErrors(t *testing.T) {
	set := shapes(t, 4)
	c := small(t, backendtest.Go(t), nil)
	unreadable := errors.New("disk on fire")
	_, err := confidence.Scorer{}.Fit(context.Background(), c, wrong{Set: set, at: 2, err: unreadable}, confidence.ODIN{})
	if !errors.Is(err, unreadable) || !strings.HasPrefix(fmt.Sprint(err), "confidence: fitting: ") {
		t.Errorf("unreadable image: error %v", err)
	}
	_, err = confidence.Scorer{}.Fit(context.Background(), c, dataset.Take(set, 0), confidence.ODIN{})
	if err == nil || !strings.Contains(err.Error(), "no images") {
		t.Errorf("no images: error %v", err)
	}
}

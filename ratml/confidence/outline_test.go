package confidence_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// counted returns a classifier that counts how often its network is built and how often it is differentiated.
func counted(t *testing.T, forwards, backwards *int) *nets.Classifier {
	t.Helper()
	arch, err := nets.NewArch("counted", nets.Input{Height: side, Width: side, Channels: 1}, 3, []float32{0.3}, []float32{0.2},
		func(p *nets.Pass, x *graph.Node) *graph.Node {
			*forwards++
			x = graph.IdentityWithCustomGradient(x, func(_, v *graph.Node) *graph.Node {
				*backwards++
				return v
			})
			return p.Linear("output", graph.Reshape(x, -1, side*side), 3)
		})
	require.NoError(t, err)
	c, err := nets.NewClassifier(backendtest.Go(t), arch, arch.Init(5))
	require.NoError(t, err)
	*forwards, *backwards = 0, 0
	return c
}

// withoutSearch returns all scores that need nothing but a classifier and do not search.
func withoutSearch() []confidence.Function {
	return slices.DeleteFunc(append(confidence.All(radius.Sound), confidence.More()...), func(f confidence.Function) bool {
		_, search := f.(confidence.Searcher)
		return search
	})
}

// All scores without searches, more than twenty, cost at most 5 forward equivalents more than the dearest alone. What
// the plan says is what the network sees.
func TestCostOfManyScores(t *testing.T) {
	var forwards, backwards int
	c := counted(t, &forwards, &backwards)
	shared := slices.DeleteFunc(withoutSearch(), func(f confidence.Function) bool { _, ok := f.(confidence.Repeated); return ok })
	for _, test := range []struct {
		name      string
		functions []confidence.Function
		dearest   string
		programs  int // of further passes
	}{
		{"shared pass only", shared, "RR_fast", 0},
		{"with test-time augmentation", withoutSearch(), "TTA", 1},
	} {
		require.GreaterOrEqual(t, len(test.functions), 20)
		o, err := confidence.Plan(c, test.functions...)
		require.NoError(t, err)
		planned := [2]int{forwards, backwards}
		forwards, backwards = 0, 0
		_, err = confidence.Score(context.Background(), c, shapes(t, 5), test.functions...)
		require.NoError(t, err)
		require.Equal(t, planned, [2]int{forwards - test.programs, backwards}, "%s: passes of the shared program", test.name)

		repeated := 0
		for _, e := range o.Repeated {
			repeated += e.Forwards
		}
		require.Equal(t, float64(planned[0]+2*planned[1]+repeated), o.Cost(), test.name)
		require.Equal(t, test.dearest, o.Dearest().Name())
		require.LessOrEqual(t, o.Cost(), o.Dearest().Cost()+5, "%s\n%s", test.name, o)
		forwards, backwards = 0, 0
	}
}

// A score's Cost is what the network sees when it runs alone.
func TestCostAlone(t *testing.T) {
	var forwards, backwards int
	c := counted(t, &forwards, &backwards)
	scores := append(withoutSearch(), confidence.Perturbed{Score: confidence.MSR{}, Level: 1e-3}, confidence.Perturbed{Score: confidence.NE{}, Level: 1e-3},
		radius.BoundarySearch{}, confidence.Mahalanobis{Statistics: nil})
	for _, f := range scores[:len(scores)-1] {
		o, err := confidence.Plan(c, f)
		require.NoError(t, err)
		require.Equal(t, f.Cost(), o.Cost(), f.Name())
	}
	_, err := confidence.Plan(c, scores[len(scores)-1])
	require.ErrorContains(t, err, "Mahalanobis: it needs statistics")
}

func TestPlanText(t *testing.T) {
	var forwards, backwards int
	c := counted(t, &forwards, &backwards)
	o, err := confidence.Plan(c, confidence.MSR{}, radius.Fast{}, radius.SoftMargin{}, confidence.TestTime{}, radius.BoundarySearch{})
	require.NoError(t, err)
	text := o.String()
	for _, want := range []string{"all scores", "RR_fast at temperature 1", "TTA of 5 views", "5 scores, forward equivalents", "RR_fgsm searches"} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "RR_soft", "its gradient is RR-Fast's")
	lines := strings.Split(text, "\n")
	require.True(t, strings.HasSuffix(lines[1], " 1"), lines[1])
	require.Equal(t, 8.0, o.Cost())
}

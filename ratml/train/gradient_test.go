package train

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// curved returns a small net without kinks, so that finite differences are exact to second order, with images and
// labels for it of which the net has some right and some wrong.
func curved(t *testing.T) (a *nets.Arch, w nets.Weights, images []float32, labels []int32) {
	a, err := nets.NewArch("curved", nets.Input{Height: 2, Width: 2, Channels: 1}, 3, []float32{0.5}, []float32{0.25},
		func(p *nets.Pass, x *Node) *Node {
			x = Tanh(p.Linear("hidden", Reshape(x, -1, 4), 5))
			return p.Linear("fc", x, 3)
		})
	require.NoError(t, err)
	_, _, images, labels = softmaxNet(t, 12)
	return a, a.Init(3), images, labels[:6]
}

// TestGradients compares the gradient of each objective with finite differences of its total loss. Directions of steps
// do not change with such small changes of these weights, so moved images are constants there too.
func TestGradients(t *testing.T) {
	a, w, images, labels := curved(t)
	mixing := []any{float32(0.35), []int32{2, 0, 1, 5, 3, 4}}
	for _, c := range []struct {
		objective Objective
		feed      []any
	}{
		{Plain{}, nil},
		{Plain{Mixup: Mixup{Alpha: 1}}, mixing},
		{RAT{StepSize: 0.1}, nil},
		{RAT{StepSize: 0.1, Lambda: 2, OriginalLambda: 0.5}, nil},
		{RAT{StepSize: 0.1, OriginalLambda: Off}, nil},
		{RAT{StepSize: 0.1, NoFlex: true}, nil},
		{RAT{StepSize: 0.1, Reverse: true, PGD: &PGD{Steps: 3}}, nil},
		{RAT{StepSize: 0.1, Mixup: Mixup{Alpha: 1}}, mixing},
		{RAT{StepSize: 0.1, Mixup: Mixup{Alpha: 1}, CleanDirection: true}, mixing},
	} {
		t.Run(fmt.Sprintf("%+v", c.objective), func(t *testing.T) {
			backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
				r := newTrial(t, be, a, w, Config{Objective: c.objective, Optimizer: SGD{}, LabelSmoothing: 0.1})
				o := r.advance(t, pace{0, 1, 1}, images, labels, c.feed...)
				require.Contains(t, o.right, true)
				require.Contains(t, o.right, false)
				gradient := r.slots(t)
				for name, at := range map[string]int{"hidden.weight": 7, "hidden.bias": 2, "fc.weight": 4, "fc.bias": 1} {
					const h = 1e-3
					shifted := func(by float32) float64 {
						v := w.Clone()
						v[name].Data[at] += by
						r.reset(t, v)
						return r.advance(t, pace{0, 1, 1}, images, labels, c.feed...).total
					}
					want := (shifted(h) - shifted(-h)) / (2 * h)
					require.InDelta(t, want, gradient[name][0][at], 4e-4, "%s %d", name, at)
				}
			})
		})
	}
}

// TestMixupDirection checks that images move along the gradient of the mixed loss, or of their own where that is asked
// for.
func TestMixupDirection(t *testing.T) {
	a, w, images, labels := curved(t)
	be := backendtest.Go(t)
	mixed := newTrial(t, be, a, w, Config{Objective: RAT{StepSize: 0.1, Mixup: Mixup{Alpha: 1}}})
	clean := newTrial(t, be, a, w, Config{Objective: RAT{StepSize: 0.1, Mixup: Mixup{Alpha: 1}, CleanDirection: true}})
	plain := newTrial(t, be, a, w, Config{Objective: RAT{StepSize: 0.1}})
	feed := []any{float32(0.35), []int32{2, 0, 1, 5, 3, 4}}
	m, c := mixed.advance(t, pace{0, 1, 1}, images, labels, feed...), clean.advance(t, pace{0, 1, 1}, images, labels, feed...)
	p := plain.advance(t, pace{0, 1, 1}, images, labels)
	require.InDelta(t, p.adversarial, c.adversarial, 1e-6)
	require.NotEqual(t, p.adversarial, m.adversarial)
	require.InDelta(t, m.clean, c.clean, 1e-6)
}

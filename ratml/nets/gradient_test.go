package nets_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// small are networks of every family that are quick to differentiate numerically.
var small = []string{"smallcnn_mnist", "wrn10_1_cifar10"}

// random returns weights of which none is special: batch normalisations have gains, offsets and running statistics
// that matter.
func random(a *nets.Arch) nets.Weights {
	w := a.Init(3)
	rng := rand.New(rand.NewPCG(4, 4))
	for _, p := range a.Params {
		for i := range w[p.Name].Data {
			v := &w[p.Name].Data[i]
			switch p.Kind {
			case nets.NormWeight, nets.RunningVar:
				*v = float32(.5 + rng.Float64())
			case nets.NormBias, nets.RunningMean:
				*v = float32(.3 * rng.NormFloat64())
			}
		}
	}
	return w
}

// uniform returns n images for a.
func uniform(a *nets.Arch, n int) array {
	rng := rand.New(rand.NewPCG(5, 5))
	x := normal(0, n, a.Input.Height, a.Input.Width, a.Input.Channels)
	for i := range x.data {
		x.data[i] = float64(rng.Float32())
	}
	return x
}

// TestInputGradient compares the gradient of an image's log confidence with difference quotients along directions, in
// float64, and then the gradient in float32 with that.
func TestInputGradient(t *testing.T) {
	const h, directions = 3e-8, 12
	for _, name := range small {
		a := lookup(t, name)
		w, one := random(a), uniform(a, 1)
		// The batch is the image, then a pair of images for each direction.
		batch := array{append([]int{1 + 2*directions}, one.shape[1:]...), append([]float64{}, one.data...)}
		var dirs [][]float64
		for i := range directions {
			d := normal(uint64(10+i), len(one.data)).data
			if i < directions/2 { // a single value of the image
				clear(d)
				d[i*len(d)/(directions/2)+i] = 1
			}
			dirs = append(dirs, d)
			for _, step := range []float64{h, -h} {
				for j, v := range one.data {
					batch.data = append(batch.data, v+step*d[j])
				}
			}
		}
		backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
			for mode, m := range modes {
				t.Run(name+"/"+mode, func(t *testing.T) {
					f := func(net nets.Network, x *graph.Node) []*graph.Node {
						first := graph.Slice(x, graph.AxisRange(0, 1))
						return append(gradient(net, first), graph.ReduceMax(graph.LogSoftmax(net(x)), -1))
					}
					got := network(t, be, a, w, m, true, batch, f)
					g, value := got[0], got[1]
					norm := math.Sqrt(dot(g, g))
					if norm < 1e-3 {
						t.Fatalf("the gradient is %g: nothing to compare", norm)
					}
					for i, d := range dirs {
						quotient := (value[1+2*i] - value[2+2*i]) / (2 * h)
						if slope := dot(g, d); math.Abs(slope-quotient) > 1e-6*norm {
							t.Errorf("direction %d: slope %v, difference quotient %v (gradient norm %v)", i, slope, quotient, norm)
						}
					}
					single := network(t, be, a, w, m, false, one, gradient)[0]
					if d := distance(single, g); d > 1e-5 {
						t.Errorf("the gradient in float32 is off by %g", d)
					}
				})
			}
		})
	}
}

// distance returns the relative Euclidean distance of a from b.
func distance(a, b []float64) float64 {
	d := make([]float64, len(b))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return math.Sqrt(dot(d, d) / dot(b, b))
}

// TestTrainGradient compares gradients with difference quotients in networks of every family, the larger ones on the Go
// backend only, which compiles them fast.
func TestTrainGradient(t *testing.T) {
	for _, name := range small {
		a := lookup(t, name)
		backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
			t.Run(name, func(t *testing.T) { trainGradient(t, be, a, random(a)) })
		})
	}
	for name, a := range smallClassifiers(t) {
		t.Run(name, func(t *testing.T) { trainGradient(t, backendtest.Go(t), a, generatedWeights(a)) })
	}
}

// trainGradient compares gradients with respect to the images and to every trainable tensor with difference quotients,
// in float64 and mode Train, where images act on each other through the statistics of the batch.
func trainGradient(t *testing.T, be *backend.Backend, a *nets.Arch, w nets.Weights) {
	t.Helper()
	const h = 3e-8
	x := uniform(a, 2)
	r := normal(6, 2, a.Classes)
	names, values := []string{"images"}, []array{x}
	for _, p := range a.Params {
		if p.Trainable() {
			names, values = append(names, p.Name), append(values, array{p.Shape, widen(w[p.Name].Data)})
		}
	}
	directions := make([]array, len(names))
	for i, v := range values {
		directions[i] = normal(uint64(20+i), v.shape...)
	}
	// loss is a function of the values, each of which moves along its direction by a step.
	loss := func(in []*graph.Node) (loss *graph.Node, moved []*graph.Node) {
		g, steps := in[0].Graph(), in[len(in)-1]
		vars := map[string]*graph.Node{}
		for i, d := range directions {
			step := graph.Reshape(graph.Slice(steps, graph.AxisElem(i)))
			moved = append(moved, graph.Add(in[i], graph.Mul(graph.Const(g, d.float64()), step)))
			vars[names[i]] = moved[i]
		}
		for _, p := range a.Params {
			if !p.Trainable() {
				vars[p.Name] = graph.Const(g, array{p.Shape, widen(w[p.Name].Data)}.float64())
			}
		}
		return weigh(a.Apply(vars, nets.Train, moved[0]), r), moved
	}
	in := make([]*tensors.Tensor, len(values))
	for i, v := range values {
		in[i] = v.float64()
	}
	at := func(steps []float64) []*tensors.Tensor {
		return append(in[:len(in):len(in)], tensors.FromFlatDataAndDimensions(steps, len(steps)))
	}
	g := run(t, be, func(in []*graph.Node) []*graph.Node {
		loss, moved := loss(in)
		return graph.Gradient(loss, moved...)
	}, at(make([]float64, len(in)))...)
	value := compile(t, be, func(in []*graph.Node) []*graph.Node {
		loss, _ := loss(in)
		return []*graph.Node{loss}
	})
	flat := 0
	for i, d := range directions {
		steps := make([]float64, len(in))
		steps[i] = h
		up := value(at(steps)...)[0][0]
		steps[i] = -h
		quotient := (up - value(at(steps)...)[0][0]) / (2 * h)
		slope, norm := dot(g[i], d.data), math.Sqrt(dot(g[i], g[i]))
		if norm < 1e-6 && math.Abs(quotient) < 1e-7 {
			flat++ // an offset that the next normalisation takes away
		} else if norm < 1e-6 || math.Abs(slope-quotient) > 1e-5*norm {
			t.Errorf("%s: slope %v, difference quotient %v (gradient norm %v)", names[i], slope, quotient, norm)
		}
	}
	if flat > len(names)/10 {
		t.Errorf("%d of %d gradients are 0: nothing to compare", flat, len(names))
	}
}

package nets_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// program compiles a function for network; it is freed at the test's end.
func program(t testing.TB, c *nets.Classifier, f func(net nets.Network, x *graph.Node) []*graph.Node) *nets.Program {
	t.Helper()
	p, err := c.Compile("test", func(net nets.Network, in []*graph.Node) []*graph.Node { return f(net, in[0]) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Free)
	return p
}

func classifier(t testing.TB, be *backend.Backend, name string) *nets.Classifier {
	t.Helper()
	a := lookup(t, name)
	c, err := nets.NewClassifier(be, a, random(a))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestProgramErrors(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := classifier(t, be, "smallcnn_mnist")
		p := program(t, c, logits)
		size := 28 * 28
		for name, in := range map[string][]any{
			"no input":          {},
			"wrong image size":  {tensors.FromFlatDataAndDimensions(make([]float32, 32*32*3), 1, 32, 32, 3)},
			"wrong rank":        {make([]float32, size)},
			"half an image":     {c.Arch.Images(make([]float32, size/2))},
			"an image and half": {c.Arch.Images(make([]float32, size+size/2))},
			"no image":          {c.Arch.Images(nil)},
			"wrong type":        {tensors.FromFlatDataAndDimensions(make([]int32, size), 1, 28, 28, 1)},
			"text":              {"an image"},
			"nil":               {nil},
		} {
			_, err := p.RunFloats(in...)
			if err == nil {
				t.Errorf("%s: no error", name)
			} else if !strings.Contains(err.Error(), "nets: test of smallcnn_mnist") {
				t.Errorf("%s: the error does not name program and network: %v", name, err)
			}
		}
		if _, err := p.RunFloats(c.Arch.Images(make([]float32, 2*size))); err != nil {
			t.Errorf("after errors: %v", err)
		}
	})
}

func TestFunctionErrors(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := classifier(t, be, "smallcnn_mnist")
		x := c.Arch.Images(make([]float32, 28*28))
		for name, test := range map[string]struct {
			f    func(net nets.Network, x *graph.Node) []*graph.Node
			want string
		}{
			"panic":      {func(nets.Network, *graph.Node) []*graph.Node { panic(errors.New("broken")) }, "broken"},
			"other type": {func(nets.Network, *graph.Node) []*graph.Node { panic("broken") }, "broken"},
			"no outputs": {func(nets.Network, *graph.Node) []*graph.Node { return nil }, "no output"},
			"nil output": {func(net nets.Network, x *graph.Node) []*graph.Node { return []*graph.Node{net(x), nil} }, "is nil"},
			"nil panics": {func(_ nets.Network, x *graph.Node) []*graph.Node { return []*graph.Node{graph.Add(x, nil)} }, "nil"},
			"no floats": {func(_ nets.Network, x *graph.Node) []*graph.Node {
				return []*graph.Node{graph.ConvertDType(x, dtypes.Int32)}
			}, "output 0"},
			"twice the channels": {func(net nets.Network, x *graph.Node) []*graph.Node {
				return []*graph.Node{net(graph.Concatenate([]*graph.Node{x, x}, -1))}
			}, "takes images [batch [28 28 1]], got [1 28 28 2]"},
		} {
			p := program(t, c, test.f)
			for range 2 { // the second run does not wait for the first
				if _, err := p.RunFloats(x); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: error %v, want %q", name, err, test.want)
				}
			}
		}
	})
}

func TestFreedProgram(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := classifier(t, be, "smallcnn_mnist")
		p := program(t, c, logits)
		p.Free()
		if _, err := p.RunFloats(c.Arch.Images(make([]float32, 28*28))); err == nil {
			t.Error("a freed program runs")
		}
	})
}

func TestSeveralInputsAndOutputs(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := classifier(t, be, "smallcnn_mnist")
		p, err := c.Compile("step", func(net nets.Network, in []*graph.Node) []*graph.Node {
			moved := graph.Add(in[0], in[1])
			return []*graph.Node{net(in[0]), net(moved), moved}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Free()
		x := uniform(c.Arch, 2).float32s()
		out, err := p.RunFloats(c.Arch.Images(x), float32(.25))
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != 3 || len(out[0]) != 20 || slices.Equal(out[0], out[1]) || out[2][5] != x[5]+.25 {
			t.Errorf("outputs of lengths %d, %d, %d", len(out[0]), len(out[1]), len(out[2]))
		}
	})
}

func TestSetWeights(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := classifier(t, be, "smallcnn_mnist")
		p := program(t, c, logits)
		x := c.Arch.Images(uniform(c.Arch, 1).float32s())
		before, err := p.RunFloats(x)
		if err != nil {
			t.Fatal(err)
		}
		w := c.Weights()
		w["fc.bias"].Data[3] += 1
		if again, err := p.RunFloats(x); err != nil || !slices.Equal(again[0], before[0]) {
			t.Errorf("changing a copy of the weights changed the logits (error %v)", err)
		}
		if err := c.SetWeights(w); err != nil {
			t.Fatal(err)
		}
		w["fc.bias"].Data[3] += 1 // the classifier has its own copy
		after, err := p.RunFloats(x)
		if err != nil {
			t.Fatal(err)
		}
		want := widen(before[0])
		want[3]++
		absolutely(t, widen(after[0]), want, 1e-6)

		for name, change := range map[string]func(nets.Weights){
			"fc.bias holds NaN at element 2":                func(w nets.Weights) { w["fc.bias"].Data[2] = float32(math.NaN()) },
			"conv1.weight holds +Inf at element 0":          func(w nets.Weights) { w["conv1.weight"].Data[0] = float32(math.Inf(1)) },
			"bn2.running_var is negative in channel 1: -0.": func(w nets.Weights) { w["bn2.running_var"].Data[1] = -.5 },
			"missing bn3.bias [64]":                         func(w nets.Weights) { delete(w, "bn3.bias") },
		} {
			w := c.Weights()
			change(w)
			if err := c.SetWeights(w); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v, want %q", err, name)
			}
			if _, err := nets.NewClassifier(be, c.Arch, w); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("a new classifier: error %v, want %q", err, name)
			}
			if again, err := p.RunFloats(x); err != nil || !slices.Equal(again[0], after[0]) {
				t.Errorf("%s: the failure changed the logits (error %v)", name, err)
			}
		}
	})
}

// TestConcurrency runs two programs of one classifier from many goroutines, with batches of two sizes; run it with
// the race detector.
func TestConcurrency(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := classifier(t, be, "smallcnn_mnist")
		programs := []*nets.Program{program(t, c, logits), program(t, c, gradient)}
		x := uniform(c.Arch, 3).float32s()
		batch := func(i int) *tensors.Tensor { return c.Arch.Images(x[:28*28*(1+i%2)]) }
		var want [4][]float32
		for i := range want {
			out, err := programs[i%2].RunFloats(batch(i))
			if err != nil {
				t.Fatal(err)
			}
			want[i] = out[0]
		}
		fresh := classifier(t, be, "smallcnn_mnist") // its weights are uploaded by whoever comes first
		programs = append(programs, program(t, fresh, logits), program(t, fresh, gradient))
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 12 {
					out, err := programs[i%2+g%2*2].RunFloats(batch(i))
					if err != nil {
						t.Error(err)
						return
					}
					if compare(widen(out[0]), widen(want[i%4]), 1e-6) != nil {
						t.Errorf("goroutine %d, run %d: other values than alone", g, i)
					}
					c.Weights()
				}
			})
		}
		wg.Wait()
	})
}

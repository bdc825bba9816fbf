package fastgo

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// An input or a constant may be an output, also twice and under another shape.
func TestOutputs(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	in := []array{floats(rng, 2, 3), floats(rng, 4)} // the second is not used
	compare(t, in, 0, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		sum, err := f.Add(in[0], in[0])
		if err != nil {
			return nil, err
		}
		flat, err := f.Reshape(sum, 6)
		if err != nil {
			return nil, err
		}
		other, err := f.Reshape(in[0], 3, 2)
		if err != nil {
			return nil, err
		}
		c, err := f.Constant([]int32{1, 2, 3}, 3)
		if err != nil {
			return nil, err
		}
		d, err := f.Constant([]float32{7})
		return []compute.Value{in[0], sum, flat, sum, in[0], other, c, d, c}, err
	})
}

func square(f compute.Function, in []compute.Value) ([]compute.Value, error) {
	v, err := f.Mul(in[0], in[0])
	return []compute.Value{v, in[0]}, err
}

func TestDonatedInput(t *testing.T) {
	be := New(plain(t))
	x := floats(rand.New(rand.NewPCG(6, 1)), 3)
	e, err := compile(be, []array{x}, square)
	if err != nil {
		t.Fatal(err)
	}
	b, err := be.BufferFromFlatData(0, x.flat, x.shape)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // an output is an input again
		out, err := e.Execute([]compute.Buffer{b}, []bool{true}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Data(); err == nil {
			t.Error("a donated buffer can still be read")
		}
		if _, err := e.Execute([]compute.Buffer{b}, []bool{true}, 0); err == nil {
			t.Error("a donated buffer can still be used")
		}
		if err := b.Finalize(); err != nil {
			t.Errorf("finalizing a donated buffer: %v", err)
		}
		b = out[0]
	}
}

func TestBuffersAreReusedAfterFinalize(t *testing.T) {
	be := New(plain(t))
	in := []array{floats(rand.New(rand.NewPCG(7, 1)), 1000)}
	e, err := compile(be, in, square)
	if err != nil {
		t.Fatal(err)
	}
	b, err := be.BufferFromFlatData(0, in[0].flat, in[0].shape)
	if err != nil {
		t.Fatal(err)
	}
	held, err := e.Execute([]compute.Buffer{b}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if held[0].Backend() != compute.Backend(be) || b.Backend() != compute.Backend(be) {
		t.Error("a buffer does not name its backend")
	}
	want := append([]float32(nil), must(held[0].Data()).([]float32)...)
	for range 20 { // must not touch the buffer that is still held
		out, err := e.Execute([]compute.Buffer{must(be.BufferFromFlatData(0, make([]float32, 1000), in[0].shape))}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			if err := o.Finalize(); err != nil {
				t.Fatal(err)
			}
			if err := o.Finalize(); err == nil {
				t.Fatal("a buffer can be finalized twice")
			}
		}
	}
	if got := must(held[0].Data()).([]float32); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("a held output was overwritten")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestWrongInputs(t *testing.T) {
	p := plain(t)
	be := New(p)
	e, err := compile(be, []array{floats(rand.New(rand.NewPCG(8, 1)), 3)}, square)
	if err != nil {
		t.Fatal(err)
	}
	short := must(be.BufferFromFlatData(0, make([]float32, 2), shapes.Make(dtypes.Float32, 2)))
	foreign := must(p.BufferFromFlatData(0, make([]float32, 3), shapes.Make(dtypes.Float32, 3)))
	for _, in := range [][]compute.Buffer{{short}, {foreign}, {}, {short, short}} {
		if _, err := e.Execute(in, nil, 0); err == nil {
			t.Errorf("%d wrong inputs: no error", len(in))
		}
	}
	other := compute.Value("not a value")
	if _, err := be.Builder("x").Main().Neg(other); err == nil {
		t.Error("a foreign value: no error")
	}
}

// Control flow, several results and random numbers run as they are.
func TestWhole(t *testing.T) {
	p := plain(t)
	in := []array{floats(rand.New(rand.NewPCG(9, 1)), 4, 6)}
	f := func(x *graph.Node) []*graph.Node {
		values, _ := graph.TopK(x, 2, -1)
		return []*graph.Node{values, graph.Sort(graph.Neg(x), 1, true)}
	}
	if err := same(graphOn(t, New(p), in, f), graphOn(t, p, in, f), 0); err != nil {
		t.Error(err)
	}
	loop := func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		cond, body := must(f.Closure()), must(f.Closure())
		i := must(cond.Parameter("i", shapes.Make(dtypes.Float32), nil))
		must(cond.Parameter("x", shapes.Make(dtypes.Float32, 4, 6), nil))
		if err := cond.Return([]compute.Value{must(cond.LessThan(i, must(cond.Constant([]float32{3}))))}, nil); err != nil {
			return nil, err
		}
		j := must(body.Parameter("i", shapes.Make(dtypes.Float32), nil))
		x := must(body.Parameter("x", shapes.Make(dtypes.Float32, 4, 6), nil))
		next := must(body.Add(j, must(body.Constant([]float32{1}))))
		if err := body.Return([]compute.Value{next, must(body.Add(x, in[0]))}, nil); err != nil {
			return nil, err
		}
		return f.While(cond, body, must(f.Constant([]float32{0})), in[0])
	}
	compare(t, in, 0, loop)
	if n := steps(t, in, loop); n["whole"] != 1 {
		t.Errorf("steps %v", n)
	}
}

func TestConcurrentExecutions(t *testing.T) {
	be := New(plain(t))
	in, f, _ := random(77)
	e, err := compile(be, in, f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := execute(be, e, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				got, err := execute(be, e, in, nil)
				if err == nil {
					err = same(got, want, 0)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Results do not depend on the number of processors.
func TestSameOnAnyNumberOfProcessors(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 1))
	in := []array{floats(rng, 8, 15, 13, 18), floats(rng, 20, 18, 3, 3)}
	f := func(x, k *graph.Node) []*graph.Node {
		y := graph.Convolve(x, k).AxesConfig(layouts["NHWC OIHW"]).Strides(2).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
		y = graph.Sub(y, graph.ReduceAndKeep(y, graph.ReduceMean, 0, 1, 2))
		return append(graph.Gradient(graph.ReduceAllSum(graph.Square(y)), x, k), y)
	}
	want := graphOn(t, New(plain(t)), in, f)
	old := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(old)
	for _, n := range []int{1, 3, 8} {
		runtime.GOMAXPROCS(n)
		if err := same(graphOn(t, New(plain(t)), in, f), want, 0); err != nil {
			t.Errorf("%d processors: %v", n, err)
		}
	}
}

package fastgo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Every elementwise operation, on numbers that are not ordinary ones too.
func TestElementwise(t *testing.T) {
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -2.5, 3e38, -3e38, 1e-45,
		float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	var x, y []float32
	for _, a := range special {
		for _, b := range special {
			x, y = append(x, a), append(y, b)
		}
	}
	s := shapes.Make(dtypes.Float32, len(x))
	in := []array{{s, x}, {s, y}, floats(rand.New(rand.NewPCG(1, 1)), len(x))}
	tested := 0
	for _, table := range []map[string]elementwise{arithmetic, comparisons, logic} {
		for op := range table {
			tested++
			f := func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
				var err error
				args := in
				if strings.HasPrefix(op, "Logical") {
					if args, err = truths(f, in); err != nil {
						return nil, err
					}
				}
				m := reflect.ValueOf(f).MethodByName(op)
				var values []reflect.Value
				for i := range m.Type().NumIn() {
					values = append(values, reflect.ValueOf(args[i]))
				}
				out := m.Call(values)
				if err, _ := out[1].Interface().(error); err != nil {
					return nil, err
				}
				return []compute.Value{out[0].Interface()}, nil
			}
			compare(t, in, 0, f)
			if n := steps(t, in, f); n["loop"] == 0 || n["foreign"] > 0 {
				t.Errorf("%s: steps %v, want only loops", op, n)
			}
			if t.Failed() {
				t.Fatal(op)
			}
		}
	}
	if tested < 30 {
		t.Errorf("only %d operations", tested)
	}
}

// truths compares each value with the last one.
func truths(f compute.Function, in []compute.Value) ([]compute.Value, error) {
	var out []compute.Value
	for _, v := range in {
		c, err := f.GreaterThan(v, in[len(in)-1])
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Arrays of many blocks, whose last one is not full, read with every pattern.
func TestLargeLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for _, dims := range [][]int{{9, 14, 15, 16}, {40, 7, 5, 33}, {5, 3, 2, 701}, {3001, 1, 2, 3}} {
		shape := shapes.Make(dtypes.Float32, dims...)
		in := []array{floats(rng, dims...)}
		for mask := range 15 {
			d := append([]int(nil), dims...)
			for i := range d {
				if mask>>i&1 == 0 {
					d[i] = 1
				}
			}
			in = append(in, floats(rng, d...))
		}
		compare(t, in, 1e-6, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			sum := in[0]
			var out []compute.Value
			for i, v := range in[1:] {
				w, err := f.Mul(sum, v)
				if i%2 == 0 {
					w, err = f.BroadcastInDim(v, shape, []int{0, 1, 2, 3})
				}
				if err != nil {
					return nil, err
				}
				if sum, err = f.Add(sum, w); err != nil {
					return nil, err
				}
				if i%4 == 3 {
					c, err := f.GreaterThan(sum, v)
					if err != nil {
						return nil, err
					}
					out = append(out, sum, c)
				}
			}
			c, err := f.Where(out[1], sum, in[0])
			return append(out, sum, c), err
		})
	}
}

func TestReductions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, c := range []struct {
		dims, axes []int
		ours       bool
	}{
		{[]int{5000}, []int{0}, true}, {[]int{5000}, nil, true}, {[]int{3, 1500}, []int{1}, true}, {[]int{1500, 3}, []int{0}, true},
		{[]int{7, 9, 11, 16}, []int{0, 1, 2}, true}, {[]int{7, 9, 11, 16}, []int{1, 2}, true}, {[]int{7, 9, 11, 16}, []int{3}, true},
		{[]int{2, 700, 5}, []int{1}, true}, {[]int{4, 1, 6}, []int{1}, true}, {[]int{1, 1, 6}, []int{1, 0}, true},
		{[]int{7, 16, 9, 11}, []int{0, 2, 3}, false}, {[]int{513, 2}, []int{0}, true},
	} {
		in := []array{floats(rng, c.dims...)}
		f := func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			var out []compute.Value
			for _, op := range []func(compute.Value, ...int) (compute.Value, error){f.ReduceSum, f.ReduceMax, f.ReduceMin} {
				v, err := op(in[0], c.axes...)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
			return out, nil
		}
		compare(t, in, 1e-5, f)
		if n := steps(t, in, f); (n["foreign"] == 0) != c.ours {
			t.Errorf("%v over %v: steps %v", c.dims, c.axes, n)
		}
	}
}

// Sums of many terms keep their precision.
func TestSumPrecision(t *testing.T) {
	const n = 1 << 20
	for _, dims := range [][]int{{n}, {n / 4, 4}, {2, n / 8, 4}} {
		flat := make([]float32, n)
		for i := range flat {
			flat[i] = 0.1
		}
		axis := len(dims) - 2
		if axis < 0 {
			axis = 0
		}
		out := run(t, New(plain(t)), []array{{shapes.Make(dtypes.Float32, dims...), flat}}, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			v, err := f.ReduceSum(in[0], axis)
			return []compute.Value{v}, err
		})
		for _, v := range out[0].flat.([]float32) {
			want := float64(float32(0.1)) * float64(dims[axis])
			if math.Abs(float64(v)/want-1) > 3e-6 {
				t.Errorf("%v: sum %v, want %v", dims, v, want)
			}
		}
	}
}

func TestDots(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for _, m := range []int{1, 5, 6, 97} {
		for _, k := range []int{1, 255, 700} {
			for _, n := range []int{1, 10, 16, 48} {
				for trans := range 4 {
					l, r, lc, rc := []int{m, k}, []int{k, n}, 1, 0
					if trans&1 > 0 {
						l, lc = []int{k, m}, 0
					}
					if trans&2 > 0 {
						r, rc = []int{n, k}, 1
					}
					in := []array{floats(rng, l...), floats(rng, r...)}
					f := func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
						v, err := f.DotGeneral(in[0], []int{lc}, nil, in[1], []int{rc}, nil, compute.DotGeneralConfig{})
						return []compute.Value{v}, err
					}
					compare(t, in, 1e-5, f)
					if s := steps(t, in, f); s["kernel"] != 1 {
						t.Errorf("steps %v", s)
					}
				}
			}
		}
	}
}

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

package fastgo

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
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

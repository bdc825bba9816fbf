package fastgo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// A sketch draws random operations from a seed, the same on every backend.
type sketch struct {
	rng    *rand.Rand
	f      compute.Function
	floats []compute.Value
	truths []compute.Value
	log    []string
}

// dims are few, so that operands of equal shape are often found.
func (s *sketch) dims() []int {
	d := [][]int{{}, {1}, {7}, {3, 5}, {1, 5}, {15}, {2, 3, 5}, {1, 3, 1}, {2, 1, 5}, {30}, {4, 6, 2, 5}, {1, 1, 1, 5}, {4, 1, 1, 1}, {48, 5}}
	return d[s.rng.IntN(len(d))]
}

func (s *sketch) shape(v compute.Value) shapes.Shape {
	shape, err := s.f.Shape(v)
	if err != nil {
		panic(err)
	}
	return shape
}

func (s *sketch) pick(from []compute.Value) compute.Value { return from[s.rng.IntN(len(from))] }

// fits finds a value that broadcasts with v, if there is one.
func (s *sketch) fits(from []compute.Value, v compute.Value) compute.Value {
	want := s.shape(v).Dimensions
	for range 20 {
		w := s.pick(from)
		got := s.shape(w).Dimensions
		if len(got) == 0 || len(want) == 0 {
			return w
		}
		ok := len(got) == len(want)
		for i := 0; ok && i < len(got); i++ {
			ok = got[i] == want[i] || got[i] == 1 || want[i] == 1
		}
		if ok {
			return w
		}
	}
	return v
}

// step adds one random operation.
func (s *sketch) step() error {
	f, r := s.f, s.rng
	x := s.pick(s.floats)
	d := s.shape(x).Dimensions
	rank := len(d)
	var v compute.Value
	var err error
	op := r.IntN(17)
	if rank == 0 && op > 7 {
		op = r.IntN(8)
	}
	switch op {
	case 0:
		v, err = f.Add(x, s.fits(s.floats, x))
	case 1:
		v, err = f.Mul(s.fits(s.floats, x), x)
	case 2:
		v, err = []func(compute.Value, compute.Value) (compute.Value, error){f.Sub, f.Max, f.Min}[r.IntN(3)](x, s.fits(s.floats, x))
	case 3:
		v, err = []func(compute.Value) (compute.Value, error){f.Neg, f.Abs, f.Sign, f.Tanh, f.Logistic, f.Exp, f.Floor, f.Identity, f.Sin}[r.IntN(9)](x)
		if err == nil {
			v, err = f.Tanh(v) // keep values small
		}
	case 4:
		v, err = []func(a, b compute.Value) (compute.Value, error){f.GreaterThan, f.LessOrEqual, f.Equal, f.NotEqual, f.LessThan, f.GreaterOrEqual}[r.IntN(6)](x, s.fits(s.floats, x))
	case 5:
		if len(s.truths) == 0 {
			return nil
		}
		c := s.pick(s.truths)
		cd := s.shape(c).Dimensions
		if r.IntN(3) == 0 {
			v, err = f.ConvertDType(c, dtypes.Float32)
			break
		}
		same := func() compute.Value {
			for _, w := range s.floats {
				if slices.Equal(s.shape(w).Dimensions, cd) && r.IntN(2) == 0 {
					return w
				}
			}
			return s.floats[0] // a scalar
		}
		v, err = f.Where(c, same(), same())
	case 6:
		if len(s.truths) == 0 {
			return nil
		}
		v, err = f.LogicalNot(s.pick(s.truths))
	case 7:
		out := append([]int{2}, d...)
		axes := make([]int, rank)
		for i := range axes {
			axes[i] = i + 1
		}
		if s.shape(x).Size() > 500 {
			return nil
		}
		v, err = f.BroadcastInDim(x, shapes.Make(dtypes.Float32, out...), axes)
	case 8:
		v, err = f.Reshape(x, s.shape(x).Size())
		if r.IntN(2) == 0 && err == nil {
			v, err = f.Reshape(x, append([]int{1}, d...)...)
		}
	case 9:
		perm := r.Perm(rank)
		v, err = f.Transpose(x, perm...)
	case 10:
		a, b := r.IntN(rank), r.IntN(rank)
		axes := []int{a}
		if b != a {
			axes = append(axes, b)
		}
		v, err = []func(compute.Value, ...int) (compute.Value, error){f.ReduceSum, f.ReduceMax, f.ReduceMin}[r.IntN(3)](x, axes...)
	case 11:
		start, limit, stride := make([]int, rank), make([]int, rank), make([]int, rank)
		for i, n := range d {
			start[i] = r.IntN(n)
			limit[i] = start[i] + 1 + r.IntN(n-start[i])
			stride[i] = 1 + r.IntN(2)
		}
		v, err = f.Slice(x, start, limit, stride)
	case 12:
		if s.shape(x).Size() > 500 {
			return nil
		}
		pads := make([]compute.PadAxis, r.IntN(rank+1))
		for i := range pads {
			pads[i] = compute.PadAxis{Start: r.IntN(2), End: r.IntN(3), Interior: r.IntN(2)}
		}
		v, err = f.Pad(x, s.floats[0], pads...)
	case 13:
		v, err = f.Concatenate(r.IntN(rank), x, x)
	case 14:
		v, err = f.Reverse(x, r.IntN(rank))
	case 15:
		y := s.pick(s.floats)
		yd := s.shape(y).Dimensions
		for i, n := range d {
			if j := slices.Index(yd, n); j >= 0 && s.shape(x).Size()/n*(s.shape(y).Size()/n) < 3000 {
				v, err = f.DotGeneral(x, []int{i}, nil, y, []int{j}, nil, compute.DotGeneralConfig{})
				break
			}
		}
		if v != nil && err == nil {
			v, err = f.Tanh(v)
		}
	case 16:
		v, err = f.ArgMinMax(x, r.IntN(rank), dtypes.Int32, false)
		if err == nil {
			v, err = f.ConvertDType(v, dtypes.Float32)
		}
	}
	if err != nil || v == nil {
		return err
	}
	s.log = append(s.log, fmt.Sprintf("%d: %v %v -> %v", len(s.log), op, d, s.shape(v)))
	if s.shape(v).DType == dtypes.Bool {
		s.truths = append(s.truths, v)
	} else {
		s.floats = append(s.floats, v)
	}
	return nil
}

// random returns inputs and a computation that depend on the seed alone.
func random(seed uint64) ([]array, build, *[]string) {
	rng := rand.New(rand.NewPCG(seed, 10))
	s := &sketch{rng: rng}
	in := []array{floats(rng)}
	for range 5 {
		in = append(in, floats(rng, s.dims()...))
	}
	log := new([]string)
	return in, func(f compute.Function, values []compute.Value) ([]compute.Value, error) {
		s := &sketch{rng: rand.New(rand.NewPCG(seed, 11)), f: f, floats: slices.Clone(values)}
		for range 5 + s.rng.IntN(40) {
			if err := s.step(); err != nil {
				return nil, err
			}
		}
		var out []compute.Value
		for range 1 + s.rng.IntN(6) {
			out = append(out, s.pick(s.floats))
		}
		if len(s.truths) > 0 {
			out = append(out, s.pick(s.truths))
		}
		*log = s.log
		return append(out, s.floats[len(s.floats)-1]), nil
	}, log
}

func checkRandom(t *testing.T, seed uint64) {
	t.Helper()
	in, f, log := random(seed)
	compare(t, in, 1e-4, f)
	if t.Failed() {
		t.Fatalf("seed %d:\n%v", seed, *log)
	}
}

func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(1500) {
		checkRandom(t, seed)
	}
}

func FuzzGraph(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(1_000_000 + seed)
	}
	f.Fuzz(checkRandom)
}

package nets_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// step is one pass in training and what comes of it.
type step struct {
	logits     []float64
	gradients  map[string][]float64 // by trainable parameter, and "images"
	statistics map[string][]float64 // by running statistic
}

// trainFunc returns the graph function of a pass of a in training, and what its outputs mean. Its inputs are the images,
// the weights of the logits whose sum is the loss, the momentum, which counts if o has one, and the parameters.
func trainFunc(a *nets.Arch, o nets.Options) (f graphFunc, read func(out [][]float64) step) {
	o.Mode = nets.Train
	f = func(in []*graph.Node) []*graph.Node {
		o := o
		if o.Momentum != nil {
			o.Momentum = in[2]
		}
		vars := map[string]*graph.Node{}
		at := []*graph.Node{in[0]}
		for i, p := range a.Params {
			vars[p.Name] = in[3+i]
			if p.Trainable() {
				at = append(at, in[3+i])
			}
		}
		z := a.ApplyWith(vars, o, in[0])
		out := append(graph.Gradient(graph.ReduceAllSum(graph.Mul(z, in[1])), at...), z)
		for _, p := range a.Params {
			if !p.Trainable() {
				out = append(out, vars[p.Name])
			}
		}
		return out
	}
	read = func(out [][]float64) step {
		s := step{gradients: map[string][]float64{"images": out[0]}, statistics: map[string][]float64{}}
		out = out[1:]
		for _, p := range a.Params {
			if p.Trainable() {
				s.gradients[p.Name], out = out[0], out[1:]
			}
		}
		s.logits, out = out[0], out[1:]
		for _, p := range a.Params {
			if !p.Trainable() {
				s.statistics[p.Name], out = out[0], out[1:]
			}
		}
		return s
	}
	return f, read
}

// trainer compiles a pass in training.
func trainer(t testing.TB, be *backend.Backend, a *nets.Arch, o nets.Options) func(w nets.Weights, x, r array, momentum float64) step {
	t.Helper()
	f, read := trainFunc(a, o)
	run := compile(t, be, f)
	return func(w nets.Weights, x, r array, momentum float64) step {
		return read(run(inputs(a, w, x, r, momentum)...))
	}
}

// inputs returns those of trainFunc.
func inputs(a *nets.Arch, w nets.Weights, x, r array, momentum float64) []*tensors.Tensor {
	in := []*tensors.Tensor{x.float32(), r.float32(), tensors.FromScalar(float32(momentum))}
	for _, p := range a.Params {
		in = append(in, array{p.Shape, widen(w[p.Name].Data)}.float32())
	}
	return in
}

// part returns part i of n of the rows of x.
func part(x array, i, n int) array {
	shape := slices.Clone(x.shape)
	shape[0] /= n
	size := len(x.data) / n
	return array{shape, x.data[i*size:][:size]}
}

// relative fails the test where the distance of got from want, relative to want's length, exceeds tol.
func relative(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	if d := distance(got, want); !(d <= tol) {
		t.Errorf("%s: relative distance %g, want at most %g", what, d, tol)
	}
}

// TestGroups compares a pass over groups with a pass over each of them alone: logits and gradients of images are the
// parts', gradients of parameters their sum, running statistics those of the first.
func TestGroups(t *testing.T) {
	const groups, n = 3, 6
	for _, name := range small {
		a := lookup(t, name)
		w, x, r := random(a), uniform(a, n), normal(6, n, a.Classes)
		for i := range x.data {
			x.data[i] *= float64(1+i*n/len(x.data)) / n // images of different brightness: statistics differ
		}
		backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
			if be.Kind() != backend.KindGo && name != small[0] {
				return // TestGroupsOnDevices has it, and XLA is slow to compile
			}
			got := trainer(t, be, a, nets.Options{Groups: groups})(w, x, r, 0)
			one := trainer(t, be, a, nets.Options{})
			var logits, images []float64
			sums := map[string][]float64{}
			for i := range groups {
				s := one(w, part(x, i, groups), part(r, i, groups), 0)
				logits, images = append(logits, s.logits...), append(images, s.gradients["images"]...)
				for p, g := range s.gradients {
					sums[p] = plus(sums[p], g)
				}
				if i == 0 {
					for p, v := range s.statistics {
						relative(t, name+": "+p, got.statistics[p], v, 1e-6)
					}
				}
			}
			sums["images"] = images
			relative(t, name+": logits", got.logits, logits, 1e-5)
			for p, g := range sums {
				relative(t, name+": gradient of "+p, got.gradients[p], g, 1e-3) // ReLU switches at other roundings
			}
			if be.Kind() == backend.KindGo {
				if d := distance(one(w, x, r, 0).logits, got.logits); d < .01 {
					t.Errorf("%s: the groups make a difference of %g only", name, d)
				}
			}
		})
	}
}

// plus returns a+b; a nil is 0.
func plus(a, b []float64) []float64 {
	sum := slices.Clone(b)
	for i, v := range a {
		sum[i] += v
	}
	return sum
}

// TestGroupsOnDevices spreads the batch over 4 devices, with as many groups and with one, and compares with one device.
func TestGroupsOnDevices(t *testing.T) {
	const n = 4
	xla, goBackend := backendtest.XLA(t), backendtest.Go(t)
	a := lookup(t, "wrn10_1_cifar10")
	w, x, r := random(a), uniform(a, 2*n), normal(6, 2*n, a.Classes)
	for _, groups := range []int{1, n} {
		o := nets.Options{Groups: groups}
		want := trainer(t, goBackend, a, o)(w, x, r, 0)
		f, read := trainFunc(a, o)
		got := read(spread(t, xla, n, f, inputs(a, w, x, r, 0)))
		relative(t, "logits", got.logits, want.logits, 1e-5)
		for p, g := range want.gradients {
			relative(t, "gradient of "+p, got.gradients[p], g, 1e-3)
		}
		for p, v := range want.statistics {
			relative(t, p, got.statistics[p], v, 1e-5)
		}
	}
}

// spread runs f on n devices, the first two inputs split along their first axis, and returns the outputs.
func spread(t *testing.T, be *backend.Backend, n int, f graphFunc, in []*tensors.Tensor) [][]float64 {
	t.Helper()
	mesh, err := distributed.NewDeviceMesh([]int{n}, []string{"batch"})
	if err != nil {
		t.Fatal(err)
	}
	whole := distributed.NewReplicatedShardingSpec(mesh)
	split, err := distributed.NewShardingSpec(mesh, distributed.AxisSpec{"batch"})
	if err != nil {
		t.Fatal(err)
	}
	exec, err := graph.NewExec(be.Backend, f)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	specs := make([]*distributed.ShardingSpec, len(in))
	args := make([]any, n*len(in))
	for i, v := range in {
		specs[i] = whole
		if i < 2 {
			specs[i] = split
		}
		d, err := dtensor.ShardTensor(specs[i], v)
		if err != nil {
			t.Fatal(err)
		}
		for k, s := range d.Shards() {
			args[k*len(in)+i] = s
		}
	}
	exec.AutoSharding(mesh).WithInputShardingSpecs(specs...).WithOutputShardingSpecs(whole)
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	values := make([][]float64, len(out)/n)
	for i := range values {
		if values[i], err = float64s(out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

func TestGroupsErrors(t *testing.T) {
	a := lookup(t, "smallcnn_mnist")
	be := backendtest.Go(t)
	for _, groups := range []int{-1, 3} {
		f, _ := trainFunc(a, nets.Options{Groups: groups})
		exec, err := graph.NewExec(be.Backend, f)
		if err != nil {
			t.Fatal(err)
		}
		var in []any
		for _, v := range inputs(a, random(a), uniform(a, 4), normal(6, 4, a.Classes), 0) {
			in = append(in, v)
		}
		if _, err := exec.Call(in...); err == nil || !strings.Contains(err.Error(), "groups") {
			t.Errorf("%d groups of 4 images: error %v", groups, err)
		}
		exec.Finalize()
	}
}

// TestStatistics checks what options do to the running statistics, and that they do nothing else.
func TestStatistics(t *testing.T) {
	a := lookup(t, "smallcnn_mnist")
	w, x, r := random(a), uniform(a, 4), normal(6, 4, a.Classes)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		usual := trainer(t, be, a, nets.Options{})(w, x, r, 0)
		kept := trainer(t, be, a, nets.Options{KeepStatistics: true})(w, x, r, 0)
		with := trainer(t, be, a, nets.Options{Momentum: new(graph.Node)})
		batch, half, tenth := with(w, x, r, 1), with(w, x, r, .5), with(w, x, r, .1)
		for _, s := range []step{kept, batch, half} {
			relative(t, "logits", s.logits, usual.logits, 1e-6)
			for p, g := range usual.gradients {
				relative(t, "gradient of "+p, s.gradients[p], g, 1e-5)
			}
		}
		for p, v := range kept.statistics {
			relative(t, p+" kept", v, widen(w[p].Data), 0)
			relative(t, p+" with momentum 0.1", tenth.statistics[p], usual.statistics[p], 1e-6)
			want := make([]float64, len(v))
			for i := range want {
				want[i] = (float64(w[p].Data[i]) + batch.statistics[p][i]) / 2
			}
			relative(t, p+" with momentum 1/2", half.statistics[p], want, 1e-6)
			if distance(half.statistics[p], v) < 1e-3 {
				t.Errorf("%s of the batch is the running one", p)
			}
		}
	})
}

// TestCumulativeStatistics takes the running statistics as the mean over batches, by a momentum of 1/n.
func TestCumulativeStatistics(t *testing.T) {
	a := lookup(t, "smallcnn_mnist")
	r := normal(6, 4, a.Classes)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		w := random(a)
		mean := map[string][]float64{}
		pass := trainer(t, be, a, nets.Options{Momentum: new(graph.Node)})
		for n := 1; n <= 3; n++ {
			x := uniform(a, 4)
			for i := range x.data {
				x.data[i] *= float64(n) / 3
			}
			batch, after := pass(w, x, r, 1), pass(w, x, r, 1/float64(n))
			for p, v := range batch.statistics {
				for i := range v {
					v[i] /= 3
					w[p].Data[i] = float32(after.statistics[p][i])
				}
				mean[p] = plus(mean[p], v)
			}
		}
		for p, v := range mean {
			relative(t, p, widen(w[p].Data), v, 1e-5)
		}
	})
}

// TestProducts compares mixed precision with float32: outputs and gradients differ, by about the rounding of bfloat16
// (2^-9), and both backends round the same way.
func TestProducts(t *testing.T) {
	for _, name := range small {
		a := lookup(t, name)
		w, x, r := random(a), uniform(a, 4), normal(6, 4, a.Classes)
		steps := map[string]step{}
		backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
			if be.Kind() != backend.KindGo && name != small[0] {
				return // XLA is slow to compile
			}
			want := trainer(t, be, a, nets.Options{})(w, x, r, 0)
			got := trainer(t, be, a, nets.Options{Products: dtypes.BFloat16})(w, x, r, 0)
			steps[be.Kind()] = got
			between := func(what string, got, want []float64, most float64) {
				t.Helper()
				if d := distance(got, want); !(d > 1e-5 && d < most) {
					t.Errorf("%s: %s: relative distance %g from float32, want 1e-5 to %g", name, what, d, most)
				}
			}
			between("logits", got.logits, want.logits, .03)
			for p, g := range want.gradients {
				if strings.HasSuffix(p, ".bias") && len(g) == a.Classes {
					continue // the sum of the loss's weights, whatever the network
				}
				between("gradient of "+p, got.gradients[p], g, .25) // ReLU switches
			}
		})
		if len(steps) == 2 {
			relative(t, name+": logits of the backends", steps["go"].logits, steps[backend.KindCPU].logits, .02)
		}
	}
}

// TestProductsRound compares a layer with its definition: operands rounded to bfloat16 and multiplied. The Go backend
// rounds the result too; XLA may keep the precision that it sums in.
func TestProductsRound(t *testing.T) {
	x, k := normal(1, 2, 4, 4, 3), normal(2, 3, 3, 3, 3)
	bf16 := func(a array) array {
		b := array{a.shape, slices.Clone(a.data)}
		for i, v := range b.data {
			b.data[i] = roundTo8Bits(v)
		}
		return b
	}
	exact := conv(bf16(x), bf16(k), 1, 1)
	a := layer(t, 4, 4, 3, func(p *nets.Pass, x *graph.Node) *graph.Node { return p.Conv("conv", x, 3, 3, 1, 1) })
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{a.ApplyWith(map[string]*graph.Node{"conv.weight": in[1]}, nets.Options{Products: dtypes.BFloat16}, in[0])}
		}, x.float32(), k.float32())[0]
		if be.Kind() == backend.KindGo {
			near(t, "product", got, bf16(exact).data, 1e-6)
			return
		}
		rounded := array{exact.shape, got}
		if compare(got, exact.data, 1e-6) != nil {
			near(t, "product", rounded.data, bf16(exact).data, 1e-6)
		}
	})
}

// roundTo8Bits rounds to the 8 significant bits of bfloat16, ties to even.
func roundTo8Bits(v float64) float64 {
	f, e := math.Frexp(v)
	return math.Ldexp(math.RoundToEven(math.Ldexp(f, 8)), e-8)
}

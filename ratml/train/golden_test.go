package train

import (
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
)

// official is the input of the official training steps: WRN-10-1 with its initial weights and 8 images.
type official struct {
	file    *golden.File
	arch    *nets.Arch
	weights nets.Weights
	images  []float32
	labels  []int32
}

func openOfficial(t *testing.T) *official {
	o := &official{file: golden.Open(t, "rat_step.npz"), weights: nets.Weights{}}
	var err error
	o.arch, err = nets.Lookup("wrn10_1_cifar10")
	require.NoError(t, err)
	init := golden.Open(t, "weights_init.npz")
	for _, p := range o.arch.Params {
		o.weights[p.Name] = &nets.Tensor{Shape: init.Shape(p.Name), Data: golden.Read[float32](init, p.Name)}
	}
	require.NoError(t, o.arch.Check(o.weights))
	for _, u := range hwc(golden.Read[uint8](o.file, "images")) {
		o.images = append(o.images, float32(u)/255)
	}
	for _, l := range golden.Read[int64](o.file, "labels") {
		o.labels = append(o.labels, int32(l))
	}
	return o
}

// hwc reorders CIFAR images from [n, 3, 32, 32] to [n, 32, 32, 3].
func hwc[T any](nchw []T) []T {
	out := make([]T, 0, len(nchw))
	for ; len(nchw) > 0; nchw = nchw[3*1024:] {
		for p := range 1024 {
			out = append(out, nchw[p], nchw[1024+p], nchw[2*1024+p])
		}
	}
	return out
}

// step makes one step of the objective with the learning rate 0.1. It returns its outcome, the weights after it, and
// the gradients, which it takes from the momentum buffers: after a first step they hold gradient and weight decay.
func (o *official) step(t *testing.T, be *backend.Backend, objective Objective, feed ...any) (outcome, nets.Weights, map[string][]float32) {
	const decay = 1e-4
	r := newTrial(t, be, o.arch, o.weights, Config{Objective: objective, Optimizer: SGD{}, WeightDecay: decay})
	result := r.advance(t, pace{0.1, 1, 1}, o.images, o.labels, feed...)
	gradients := map[string][]float32{}
	for name, slots := range r.slots(t) {
		for i, v := range o.weights[name].Data {
			slots[0][i] -= decay * v
		}
		gradients[name] = slots[0]
	}
	return result, r.weights(t), gradients
}

// expect compares with the official array called key within a tolerance, relative in the L2 norm.
func (o *official) expect(t *testing.T, key string, got []float32, tolerance float64) {
	t.Helper()
	want := o.file.Float64(key)
	require.Len(t, got, len(want), key)
	var diff, norm float64
	for i, w := range want {
		diff, norm = math.Hypot(diff, float64(got[i])-w), math.Hypot(norm, w)
	}
	if !(diff <= tolerance*norm) {
		t.Errorf("%s: relative difference %.2g, want at most %.2g", key, diff/norm, tolerance)
	}
}

// TestOfficialStep compares whole steps with those of the official RadTrainer.
func TestOfficialStep(t *testing.T) {
	o := openOfficial(t)
	var partner []int32
	for _, p := range golden.Read[int64](o.file, "init/flex_mixup/perm") {
		partner = append(partner, int32(p))
	}
	variants := []struct {
		name      string
		objective RAT
		feed      []any
		buffers   float64 // tolerance
	}{
		{"flex", RAT{}, nil, 2e-6},
		{"noflex", RAT{NoFlex: true}, nil, 2e-6},
		{"reverse", RAT{Reverse: true}, nil, 2e-6},
		{"flex_mixup", RAT{Mixup: Mixup{Alpha: 1}}, []any{float32(o.file.Float64("init/flex_mixup/lam")[0]), partner}, 2e-6},
		{"pgd_flex", RAT{PGD: &PGD{}}, nil, 2e-6},
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, v := range variants {
			name := v.name
			t.Run(name, func(t *testing.T) {
				prefix := "init/" + name + "/"
				result, after, gradients := o.step(t, be, v.objective, v.feed...)
				for key, got := range map[string]float64{
					"loss": result.clean, "adv_loss": result.adversarial, "total_loss": result.total,
				} {
					require.InEpsilon(t, o.file.Float64(prefix + key)[0], got, 1e-5, key)
				}
				require.Equal(t, o.file.Float64(prefix + "acc")[0]*float64(len(o.labels)), float64(result.rights()))

				compared := map[string]int{}
				for _, key := range o.keys(prefix) {
					kind, param, _ := strings.Cut(strings.TrimPrefix(key, prefix), "/")
					if strings.HasSuffix(param, "num_batches_tracked") {
						continue // not kept
					}
					switch kind {
					case "grad":
						o.expect(t, key, gradients[param], 1e-4)
					case "param_after_sgd", "buf_after":
						o.expect(t, key, after[param].Data, v.buffers)
					}
					compared[kind]++
				}
				require.Equal(t, []int{9, 4, 4}, []int{compared["grad"], compared["buf_after"], compared["param_after_sgd"]})

				norms := o.file.Float64(prefix + "grad_norms")
				for i, param := range golden.Read[string](o.file, "param_names") {
					norm := 0.0
					for _, v := range gradients[strings.ReplaceAll(param, "\x00", "")] {
						norm = math.Hypot(norm, float64(v))
					}
					require.InEpsilon(t, norms[i], norm, 1e-4, param)
				}
			})
		}
	})
}

// TestOfficialDirection compares the logits and the direction of every pixel's step.
func TestOfficialDirection(t *testing.T) {
	o := openOfficial(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		variants := map[string]RAT{"flex": {}}
		if be.Kind() == backend.KindGo { // where compiling costs nothing
			variants["noflex"], variants["reverse"] = RAT{NoFlex: true}, RAT{Reverse: true}
		}
		for name, objective := range variants {
			t.Run(name, func(t *testing.T) {
				exec, err := NewExec(be.Backend, func(images, labels *Node) (logits, direction *Node) {
					net := trainingNet(images.Graph(), o.arch, o.weights)
					logits = net(images)
					batch := Batch{Net: net, Images: images, Labels: labels}
					moved, _ := objective.moved(batch, CrossEntropy(logits, labels), logits)
					return logits, Sign(Sub(moved, images))
				})
				require.NoError(t, err)
				defer exec.Finalize()
				out, err := exec.Call(o.arch.Images(o.images), o.labels)
				require.NoError(t, err)
				logits, direction := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
				for i, want := range o.file.Float64("init/" + name + "/logits_clean") {
					require.InDelta(t, want, logits[i], 1e-5, "logit %d", i)
				}
				differ := 0
				for i, want := range hwc(golden.Read[int8](o.file, "init/"+name+"/adv_delta_sign")) {
					if float32(want) != direction[i] {
						differ++
					}
				}
				require.Zero(t, differ, "pixels that are moved another way")
			})
		}
	})
}

func (o *official) keys(prefix string) []string {
	var keys []string
	for _, k := range o.file.Keys() {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, strings.TrimSuffix(k, ".npy"))
		}
	}
	return keys
}

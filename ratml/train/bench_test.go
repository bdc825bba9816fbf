package train

import (
	"math/rand/v2"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// BenchmarkStep measures training steps with batches of 64, as BenchmarkStep/BACKEND/ARCH/OBJECTIVE.
func BenchmarkStep(b *testing.B) {
	engines := map[string]func(testing.TB) *backend.Backend{"xla": backendtest.XLA, "go": backendtest.Go}
	for engine, open := range engines {
		for _, arch := range []string{"smallcnn_mnist", "wrn16_2_cifar10"} {
			for name, objective := range map[string]Objective{"plain": Plain{}, "rat": RAT{}} {
				b.Run(engine+"/"+arch+"/"+name, func(b *testing.B) { benchmarkStep(b, open(b), arch, objective, 64) })
			}
		}
	}
}

func benchmarkStep(b *testing.B, be *backend.Backend, arch string, objective Objective, size int) {
	a, err := nets.Lookup(arch)
	if err != nil {
		b.Fatal(err)
	}
	r := newTrial(b, be, a, a.Init(1), Config{Objective: objective, Optimizer: SGD{}, WeightDecay: 1e-4})
	rng := rand.New(rand.NewPCG(1, 2))
	images, labels := make([]float32, size*dataset.Shape(a.Input).Size()), make([]int32, size)
	for i := range images {
		images[i] = rng.Float32()
	}
	for i := range labels {
		labels[i] = int32(rng.IntN(a.Classes))
	}
	r.advance(b, pace{1e-3, 1, 1}, images, labels) // compiles
	for b.Loop() {
		r.advance(b, pace{1e-3, 1, 1}, images, labels)
	}
	b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "images/s")
}

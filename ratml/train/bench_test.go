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
	s, err := newStep(be, a, objective, sgd{momentum: 0.9, decay: 1e-4}, size)
	if err != nil {
		b.Fatal(err)
	}
	defer s.free()
	st, err := upload(be, a, a.Init(1))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { st.free() }()
	rng := rand.New(rand.NewPCG(1, 2))
	batch := &dataset.Batch{Images: make([]float32, size*dataset.Shape(a.Input).Size()), Labels: make([]int32, size), N: size}
	for i := range batch.Images {
		batch.Images[i] = rng.Float32()
	}
	for i := range batch.Labels {
		batch.Labels[i] = int32(rng.IntN(a.Classes))
	}
	for b.Loop() {
		if _, err := s.advance(&st, 1e-3, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "images/s")
}

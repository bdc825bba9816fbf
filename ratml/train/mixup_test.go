package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestMixupFeed compares the moments of the mixing weight with those of the Beta distribution, and checks the partners.
func TestMixupFeed(t *testing.T) {
	require.Nil(t, Mixup{}.Feed())
	for _, alpha := range []float64{0.2, 1, 8} {
		feed := Mixup{Alpha: alpha}.Feed()
		var sum, square float64
		const n = 20000
		moved := 0
		for i := range uint64(n) {
			in, err := feed.Next(rand.New(rand.NewPCG(1, i)), &dataset.Batch{N: 5})
			require.NoError(t, err)
			a, partner := float64(in[0].(float32)), in[1].([]int32)
			sum, square = sum+a, square+a*a
			for j, p := range partner {
				if int(p) != j {
					moved++
				}
			}
			slices.Sort(partner)
			require.Equal(t, []int32{0, 1, 2, 3, 4}, partner)
		}
		mean := sum / n
		require.InDelta(t, 0.5, mean, 0.01)
		require.InDelta(t, 1/(4*(2*alpha+1)), square/n-mean*mean, 0.005)
		require.InDelta(t, 4, float64(moved)/n, 0.05, "of five images one has itself as partner on average")
	}
	again := func() any {
		in, err := Mixup{Alpha: 1}.Feed().Next(rand.New(rand.NewPCG(1, 2)), &dataset.Batch{N: 64})
		require.NoError(t, err)
		return in
	}
	require.Equal(t, again(), again())
}

func TestMixupCheck(t *testing.T) {
	for _, alpha := range []float64{-1, math.NaN(), math.Inf(1)} {
		require.ErrorContains(t, Plain{Mixup: Mixup{Alpha: alpha}}.Check(), "Alpha")
		require.ErrorContains(t, RAT{Mixup: Mixup{Alpha: alpha}}.Check(), "Alpha")
	}
	require.ErrorContains(t, RAT{CleanDirection: true}.Check(), "CleanDirection")
	require.ErrorContains(t, RAT{PGD: &PGD{Steps: -1}}.Check(), "PGD")
}

// drawing is plain training whose feed notes what it draws.
type drawing struct {
	Plain
	drawn *[]uint64
}

func (d drawing) Feed(dataset.Set) (Feed, error) { return d, nil }

func (d drawing) Next(rng *rand.Rand, _ *dataset.Batch) ([]any, error) {
	*d.drawn = append(*d.drawn, rng.Uint64())
	return nil, nil
}

// TestFeedRandomness checks that every step draws its own random values, which depend on the seed.
func TestFeedRandomness(t *testing.T) {
	draw := func(seed uint64) (drawn []uint64) {
		_, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), stripes{32, 1}, Config{Objective: drawing{Plain{}, &drawn}, Epochs: 3, BatchSize: 16, Seed: seed})
		require.NoError(t, err)
		return drawn
	}
	once, other := draw(1), draw(2)
	require.Len(t, once, 6)
	require.Equal(t, once, draw(1))
	all := append(once, other...)
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 12)
}

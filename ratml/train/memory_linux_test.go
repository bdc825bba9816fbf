package train

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// TestMemoryStaysFlat makes steps on a state of 2.5 MB, which would soon be seen if they were not freed.
func TestMemoryStaysFlat(t *testing.T) {
	in := nets.Input{Height: 32, Width: 32, Channels: 3}
	w, b := make([][]float32, 100), make([]float32, 100)
	for i := range w {
		w[i] = make([]float32, 3072)
	}
	a, weights := linear(t, in, w, b)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		r := newTrial(t, be, a, weights, Config{Objective: RAT{}, Optimizer: SGD{}})
		images := make([]float32, 2*3072)
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range images {
			images[i] = rng.Float32()
		}
		steps := func(n int) {
			for range n {
				r.advance(t, pace{0.01, 1, 1}, images, []int32{1, 2})
			}
		}
		steps(30)
		before := resident(t)
		steps(200)
		require.Less(t, resident(t)-before, 150, "MB more after 200 steps that make 490 MB of new state")
	})
}

// resident returns the process's memory in MB.
func resident(t *testing.T) int {
	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize() >> 20
}

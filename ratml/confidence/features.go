package confidence

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// fromFeatures is what scores of the features before the last linear layer have in common.
type fromFeatures struct{}

func (fromFeatures) Cost() float64                       { return 1 }
func (fromFeatures) Build(p *radius.Probe) []*graph.Node { return []*graph.Node{p.Features()} }

// Mahalanobis is the negative squared Mahalanobis distance of an image's features to the nearest class mean of the
// training set, under the covariance within classes (Lee et al. 2018, section 2.1, last layer only). To the diagonal of
// the covariance a millionth of its mean is added, so that features that never vary do no harm.
type Mahalanobis struct {
	fromFeatures
	Statistics *Statistics `json:"-"`
}

// Name returns "Mahalanobis".
func (Mahalanobis) Name() string { return "Mahalanobis" }

func (s Mahalanobis) check(c *nets.Classifier) error { return s.Statistics.belongTo(c) }

// Values returns the negative squared distance of each image.
func (s Mahalanobis) Values(logits []float32, classes int, built [][]float32) []float64 {
	w := s.Statistics.whitened()
	d := len(s.Statistics.Spread)
	v := make([]float64, len(logits)/classes)
	for i := range v {
		f := w.apply(widen(built[0][i*d : (i+1)*d]))
		v[i] = math.Inf(-1)
		for _, mean := range w.means {
			sum := 0.0
			for j := range f {
				sum += (f[j] - mean[j]) * (f[j] - mean[j])
			}
			v[i] = math.Max(v[i], -sum)
		}
	}
	return v
}

// whitening is the map under which the covariance is the identity.
type whitening struct {
	lower mat.TriDense // Cholesky factor of the covariance
	means [][]float64
}

// whitened returns the whitening of the statistics, computed once.
func (s *Statistics) whitened() *whitening {
	s.once.Do(func() { s.whitening = newWhitening(s) })
	return s.whitening
}

func newWhitening(s *Statistics) *whitening {
	d := len(s.Spread)
	ridge := 0.0
	for i := range d {
		ridge += s.Spread[i][i] / float64(d) * 1e-6
	}
	if ridge == 0 {
		ridge = 1
	}
	w := &whitening{}
	for ; ; ridge *= 10 { // rounding of a stored covariance may need more
		m := mat.NewSymDense(d, nil)
		for i := range d {
			for j := i; j < d; j++ {
				m.SetSym(i, j, s.Spread[i][j])
			}
			m.SetSym(i, i, s.Spread[i][i]+ridge)
		}
		var c mat.Cholesky
		if c.Factorize(m) {
			c.LTo(&w.lower)
			break
		}
	}
	for _, mean := range s.Means {
		w.means = append(w.means, w.apply(mean))
	}
	return w
}

// apply returns the solution x of lower x = f.
func (w *whitening) apply(f []float64) []float64 {
	x := make([]float64, len(f))
	raw := w.lower.RawTriangular()
	for i := range x {
		row := raw.Data[i*raw.Stride : i*raw.Stride+i]
		sum := f[i]
		for j, l := range row {
			sum -= l * x[j]
		}
		x[i] = sum / raw.Data[i*raw.Stride+i]
	}
	return x
}

// Neighbours is the negative distance of an image's features, scaled to length 1, to the K-th nearest of the sample of
// the training set (Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors").
type Neighbours struct {
	fromFeatures
	Statistics *Statistics `json:"-"`
	K          int         // 0 is 50; at most the size of the sample
}

// Name returns "kNN".
func (Neighbours) Name() string { return "kNN" }

// String returns the name with K.
func (s Neighbours) String() string { return fmt.Sprintf("kNN at k %d", s.k()) }

// Candidates returns the score with K from 1 to 200, as far as the sample reaches.
func (s Neighbours) Candidates() []Function {
	var c []Function
	for _, k := range []int{1, 5, 10, 20, 50, 100, 200} {
		if s.Statistics == nil || k <= len(s.Statistics.Sample) {
			c = append(c, Neighbours{Statistics: s.Statistics, K: k})
		}
	}
	return c
}

func (s Neighbours) k() int {
	if s.K <= 0 {
		return 50
	}
	return s.K
}

func (s Neighbours) check(c *nets.Classifier) error { return s.Statistics.belongTo(c) }

// Values returns the negative distance of each image.
func (s Neighbours) Values(logits []float32, classes int, built [][]float32) []float64 {
	n := len(logits) / classes
	d := len(built[0]) / n
	v := make([]float64, n)
	var wait sync.WaitGroup
	for i := range v {
		wait.Go(func() { v[i] = -s.distance(unit(built[0][i*d : (i+1)*d])) })
	}
	wait.Wait()
	return v
}

// distance returns how far the K-th nearest of the sample is. Products in float32 rank the sample; the distance itself
// is computed in float64.
func (s Neighbours) distance(f []float32) float64 {
	sample := s.Statistics.Sample
	type neighbour struct {
		index int
		cos   float32
	}
	near := make([]neighbour, len(sample))
	x := blas32.Vector{N: len(f), Inc: 1, Data: f}
	for i, g := range sample {
		near[i] = neighbour{i, blas32.Dot(x, blas32.Vector{N: len(g), Inc: 1, Data: g})}
	}
	slices.SortFunc(near, func(a, b neighbour) int {
		switch {
		case a.cos > b.cos:
			return -1
		case a.cos < b.cos:
			return 1
		}
		return a.index - b.index
	})
	sum := 0.0
	for j, v := range sample[near[min(s.k(), len(near))-1].index] {
		sum += (float64(v) - float64(f[j])) * (float64(v) - float64(f[j]))
	}
	return math.Sqrt(sum)
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

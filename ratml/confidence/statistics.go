package confidence

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// Statistics are what scores of features know of a training set: where the classes lie, how they spread, and a sample.
// They belong to the weights that the features were computed with.
type Statistics struct {
	Arch    string      // name of the architecture
	Weights string      // fingerprint of the weights
	Images  int         // number of training images
	Means   [][]float64 // [classes][features] mean of each class
	Spread  [][]float64 // [features][features] covariance within the classes, by the number of images
	Sample  [][]float32 // [n][features] features of length 1, evenly picked from the training set

	once      sync.Once
	whitening *whitening
}

// sampleSize is the number of images in the sample unless told otherwise.
const sampleSize = 10_000

// CollectStatistics computes the features of a training set with one forward pass over it. The sample holds at most
// sample images, 0 is 10,000. It returns an error where a class has no image or the network has no last linear layer.
func CollectStatistics(ctx context.Context, c *nets.Classifier, training dataset.Set, sample int) (*Statistics, error) {
	s, err := collect(ctx, c, training, sample)
	if err != nil {
		return nil, fmt.Errorf("confidence: statistics of features: %w", err)
	}
	return s, nil
}

func collect(ctx context.Context, c *nets.Classifier, training dataset.Set, sample int) (*Statistics, error) {
	if err := check(c, training, nil); err != nil {
		return nil, err
	}
	if c.Arch.FeatureSize == 0 {
		return nil, fmt.Errorf("%s has no linear layer at its end", c.Arch.Name)
	}
	if sample <= 0 {
		sample = sampleSize
	}
	program, err := c.CompilePasses("features", func(net *nets.Passes, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net.Features(net.Logits(in[0]))}
	})
	if err != nil {
		return nil, err
	}
	defer program.Free()
	a := newAccumulator(c.Arch, training.Len(), sample)
	for batch, err := range (dataset.Loader{Set: training, BatchSize: 128}).Epoch(ctx, 0) {
		if err != nil {
			return nil, err
		}
		out, err := program.RunFloats(c.Arch.Images(batch.Images))
		if err != nil {
			return nil, err
		}
		a.add(out[0], batch)
	}
	s, err := a.finish()
	if err != nil {
		return nil, err
	}
	s.Weights = fingerprint(c)
	return s, nil
}

// accumulator adds up features.
type accumulator struct {
	s      *Statistics
	counts []int
	outer  *mat.SymDense // sum of f fᵀ
	every  int           // one image in so many is sampled
}

func newAccumulator(a *nets.Arch, images, sample int) *accumulator {
	d := a.FeatureSize
	s := &Statistics{Arch: a.Name, Means: make([][]float64, a.Classes)}
	for c := range s.Means {
		s.Means[c] = make([]float64, d)
	}
	return &accumulator{s, make([]int, a.Classes), mat.NewSymDense(d, nil), (images + sample - 1) / sample}
}

// add adds the features [batch, d] of the valid rows of a batch.
func (a *accumulator) add(features []float32, b *dataset.Batch) {
	d := len(a.s.Means[0])
	rows := mat.NewDense(b.N, d, nil)
	for i := range b.N {
		f := features[i*d : (i+1)*d]
		label := b.Labels[i]
		for j, v := range f {
			a.s.Means[label][j] += float64(v)
			rows.Set(i, j, float64(v))
		}
		a.counts[label]++
		if a.s.Images%a.every == 0 {
			a.s.Sample = append(a.s.Sample, unit(f))
		}
		a.s.Images++
	}
	a.outer.SymRankK(a.outer, 1, rows.T())
}

func (a *accumulator) finish() (*Statistics, error) {
	d := len(a.s.Means[0])
	for c, n := range a.counts {
		if n == 0 {
			return nil, fmt.Errorf("the training set has no image of class %d", c)
		}
		mean := mat.NewVecDense(d, a.s.Means[c])
		mean.ScaleVec(1/float64(n), mean)
		a.outer.SymRankOne(a.outer, -float64(n), mean)
	}
	a.s.Spread = square(d)
	for i := range d {
		for j := range d {
			a.s.Spread[i][j] = a.outer.At(i, j) / float64(a.s.Images)
		}
	}
	return a.s, nil
}

// unit returns a vector divided by its length; a zero vector stays.
func unit(f []float32) []float32 {
	sum := 0.0
	for _, v := range f {
		sum += float64(v) * float64(v)
	}
	u := make([]float32, len(f))
	if sum == 0 {
		return u
	}
	for j, v := range f {
		u[j] = float32(float64(v) / math.Sqrt(sum))
	}
	return u
}

// fingerprint returns a hash of a classifier's weights.
func fingerprint(c *nets.Classifier) string {
	w := c.Weights()
	h := sha256.New()
	var word [4]byte
	for _, name := range w.Names() {
		h.Write([]byte(name))
		for _, v := range w[name].Data {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			h.Write(word[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// belongTo returns an error where the statistics are nil or not those of the classifier.
func (s *Statistics) belongTo(c *nets.Classifier) error {
	if s == nil {
		return errors.New("it needs statistics of the training set: CollectStatistics makes them, LoadStatistics reads them")
	}
	if s.Arch != c.Arch.Name {
		return fmt.Errorf("the statistics are of %s, the network is %s", s.Arch, c.Arch.Name)
	}
	if s.Weights != fingerprint(c) {
		return errors.New("the statistics were computed with other weights; compute them anew")
	}
	return nil
}

// Save writes the statistics as a safetensors file, in float32, beside the weights as a rule. The file appears under its
// name only when it is complete.
func (s *Statistics) Save(path string) error {
	w := nets.Weights{"means": tensor(s.Means), "spread": tensor(s.Spread), "sample": tensor(s.Sample)}
	meta := map[string]string{"kind": "statistics of features", "arch": s.Arch, "weights": s.Weights, "images": strconv.Itoa(s.Images)}
	return weights.Save(path, w, meta)
}

// LoadStatistics reads a file that [Statistics.Save] wrote.
func LoadStatistics(path string) (*Statistics, error) {
	meta, err := weights.Metadata(path)
	if err != nil {
		return nil, err
	}
	w, err := weights.Load(path)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(meta["images"])
	if err != nil || meta["kind"] != "statistics of features" {
		return nil, fmt.Errorf("confidence: %s holds no statistics of features", path)
	}
	s := &Statistics{Arch: meta["arch"], Weights: meta["weights"], Images: n}
	for _, name := range []string{"means", "spread", "sample"} {
		if t := w[name]; t == nil || len(t.Shape) != 2 || t.Shape[0] < 1 || t.Shape[1] != w["means"].Shape[1] {
			return nil, fmt.Errorf("confidence: %s: %s is missing or of a wrong shape", path, name)
		}
	}
	if sh := w["spread"].Shape; sh[0] != sh[1] {
		return nil, fmt.Errorf("confidence: %s: spread is of shape %v, want a square", path, sh)
	}
	s.Means, s.Spread, s.Sample = rows[float64](w["means"]), rows[float64](w["spread"]), rows[float32](w["sample"])
	return s, nil
}

func tensor[T float32 | float64](rows [][]T) *nets.Tensor {
	t := nets.NewTensor(len(rows), len(rows[0]))
	for i, r := range rows {
		for j, v := range r {
			t.Data[i*len(r)+j] = float32(v)
		}
	}
	return t
}

func rows[T float32 | float64](t *nets.Tensor) [][]T {
	m := make([][]T, t.Shape[0])
	for i := range m {
		for _, v := range t.Data[i*t.Shape[1] : (i+1)*t.Shape[1]] {
			m[i] = append(m[i], T(v))
		}
	}
	return m
}

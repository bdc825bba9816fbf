package train

import (
	"context"
	"encoding"
	"math"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestCRLOfficial replays trainings by the official code, correctness and all.
func TestCRLOfficial(t *testing.T) {
	r := recorded(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for target := RankSoftmax; target <= RankEntropy; target++ {
			if target != RankSoftmax && be.Kind() != backend.KindGo { // where compiling costs nothing
				continue
			}
			t.Run(target.String(), func(t *testing.T) {
				want, o := r.Cases["crl "+target.String()], CRL{Weight: 2, Target: target}
				c := &correctness{right: make([]uint32, len(r.Labels)), seen: make([]uint32, len(r.Labels))}
				perEpoch := len(r.Batches) / r.Epochs
				require.Greater(t, slices.Max(want.Ranking), 0.3)
				r.replay(t, be, o, 0, want, true,
					func(_ int, b *dataset.Batch) []any {
						feed, err := c.Next(nil, b)
						require.NoError(t, err)
						return feed
					},
					func(step int, b *dataset.Batch, got outcome) {
						require.InDelta(t, want.Clean[step], got.clean, 1e-4)
						require.InDelta(t, want.Clean[step]+2*want.Ranking[step], got.total, 1e-4)
						if c.Observe(b, got.right); (step+1)%perEpoch == 0 {
							c.EndEpoch()
							require.Equal(t, want.Counts[step/perEpoch], c.right)
						}
					})
			})
		}
	})
}

// TestCorrectness compares what is remembered with the official history, and with the paper's proportions.
func TestCorrectness(t *testing.T) {
	records, images := recorded(t).Cases["crl history"].History, 6
	require.NotEmpty(t, records)
	official := &correctness{right: make([]uint32, images), seen: make([]uint32, images)}
	paper := &correctness{right: make([]uint32, images), seen: make([]uint32, images), proportion: true}
	times, right := make([]float64, images), make([]float64, images)
	for n, r := range records {
		b := &dataset.Batch{Index: r.Index, N: len(r.Index)}
		got, err := official.Next(nil, b)
		require.NoError(t, err)
		for i, more := range got[0].([]float32) {
			require.InDelta(t, r.Target[i]*r.Margin[i], more, 1e-6, "batch %d, pair %d", n, i)
		}
		got, err = paper.Next(nil, b)
		require.NoError(t, err)
		for i, more := range got[0].([]float32) {
			of := func(i int) float64 { return right[r.Index[i]] / math.Max(1, times[r.Index[i]]) }
			require.InDelta(t, of(i)-of((i+1)%b.N), more, 1e-6, "batch %d, pair %d", n, i)
		}
		for i, k := range r.Index {
			times[k]++
			if r.Right[i] {
				right[k]++
			}
		}
		for _, c := range []*correctness{official, paper} {
			c.Observe(b, r.Right)
			if n%2 == 1 {
				c.EndEpoch()
			}
		}
	}
	require.Positive(t, slices.Min(official.right), "the smallest count matters")
}

// TestCorrectnessAllRight checks the case in which the official code divides by zero.
func TestCorrectnessAllRight(t *testing.T) {
	c := &correctness{right: []uint32{1, 1}, seen: []uint32{1, 1}, epochs: 1}
	got, err := c.Next(nil, &dataset.Batch{Index: []int{0, 1}, N: 2})
	require.NoError(t, err)
	require.Equal(t, []any{[]float32{0, 0}}, got)
}

func TestCorrectnessBinary(t *testing.T) {
	c := &correctness{epochs: 300, right: []uint32{1, 0, 299}, seen: []uint32{2, 0, 300}}
	data, err := c.MarshalBinary()
	require.NoError(t, err)
	feed, err := CRL{}.Feed(stripes{3, 1})
	require.NoError(t, err)
	require.NoError(t, feed.(Memory).UnmarshalBinary(data))
	require.Equal(t, c, feed)

	feed, err = CRL{}.Feed(stripes{4, 1})
	require.NoError(t, err)
	require.ErrorContains(t, feed.(Memory).UnmarshalBinary(data), "another training set")
	bad := &correctness{epochs: 1, right: []uint32{2, 0, 0}, seen: []uint32{1, 0, 0}}
	data, err = bad.MarshalBinary()
	require.NoError(t, err)
	require.ErrorContains(t, c.UnmarshalBinary(data), "image 0 was right 2 times")
	require.Equal(t, uint32(300), c.epochs)
}

func FuzzCorrectness(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 20))
	f.Add([]byte{1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &correctness{right: make([]uint32, 2), seen: make([]uint32, 2)}
		if err := encoding.BinaryUnmarshaler(c).UnmarshalBinary(data); err != nil {
			require.Equal(t, &correctness{right: make([]uint32, 2), seen: make([]uint32, 2)}, c)
			return
		}
		again, err := c.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, data, again)
	})
}

// TestRankTargets checks confidences that are known, also where probabilities are exactly 0 and 1 or equal.
func TestRankTargets(t *testing.T) {
	logits := [][]float32{{200, 0, 0}, {0, 0, 200}, {0, 0, 0}, {float32(math.Log(2)), 0, float32(math.Log(5))}}
	h := -(2*math.Log(2.0/8) + math.Log(1.0/8) + 5*math.Log(5.0/8)) / 8 / math.Log(3)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for target, want := range [][]float64{{1, 1, 1. / 3, 5. / 8}, {1, 1, 0, 3. / 8}, {0, 0, -1, -h}} {
			exec, err := NewExec(be.Backend, func(x *Node) *Node { return RankTarget(target).confidence(x) })
			require.NoError(t, err)
			defer exec.Finalize()
			out, err := exec.Call(logits)
			require.NoError(t, err)
			for i, got := range tensors.MustCopyFlatData[float32](out[0]) {
				require.InDelta(t, want[i], got, 1e-6, "%v of image %d", RankTarget(target), i)
			}
		}
	})
	require.Equal(t, "RankTarget(3)", RankTarget(3).String())
}

// TestCRLOneImage checks a batch of one image, as the last one of an epoch may be: it has no pair.
func TestCRLOneImage(t *testing.T) {
	r := recorded(t)
	a, w := r.net(t, 0)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := newTrial(t, be, a, w, Config{Objective: CRL{}}).advance(t, pace{0.1, 1, 1}, r.Images[:recordedPixels], r.Labels[:1], []float32{0})
		require.Equal(t, got.clean, got.total)
	})
}

// TestCRLRemembers checks that a training learns which images are hard: those with wrong labels.
func TestCRLRemembers(t *testing.T) {
	spy := &spiedCRL{}
	_, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), mislabelled{stripes{256, 1}}, Config{Objective: spy, Epochs: 20, BatchSize: 32})
	require.NoError(t, err)
	c := spy.memory.(*correctness)
	require.Equal(t, uint32(20), c.epochs)
	var good, bad float64
	for i, n := range c.right {
		require.Equal(t, uint32(20), c.seen[i])
		if i%16 < 4 {
			bad += float64(n) / 64
		} else {
			good += float64(n) / 192
		}
	}
	require.Greater(t, good, bad+5)
}

// spiedCRL is CRL whose memory can be looked at.
type spiedCRL struct {
	CRL
	memory Feed
}

func (s *spiedCRL) Feed(set dataset.Set) (f Feed, err error) {
	s.memory, err = s.CRL.Feed(set)
	return s.memory, err
}

// mislabelled gives a quarter of the images the next class's label.
type mislabelled struct{ stripes }

func (m mislabelled) Read(i int, dst []float32) (int, error) {
	label, err := m.stripes.Read(i, dst)
	if i%16 < 4 {
		label = (label + 1) % 4
	}
	return label, err
}

// TestCRLResumes stops a training in its third epoch and goes on from its checkpoint: all ends as without a stop,
// which it would not without the correctness of the first epochs.
func TestCRLResumes(t *testing.T) {
	be, cfg := backendtest.Go(t), Config{Objective: SAM{Objective: CRL{Weight: 5}}, Epochs: 5, BatchSize: 32, LearningRate: 0.02}
	want := tiny(t, be)
	_, err := Fit(t.Context(), want, stripes{128, 1}, cfg)
	require.NoError(t, err)

	got, ctx, cancel := stopAt(t, be, 10)
	defer cancel()
	cfg.Checkpoints, cfg.Progress = &Checkpoints{Dir: t.TempDir(), Every: 3, Resume: true}, got.progress
	_, err = Fit(ctx, got.clf, stripes{128, 1}, cfg)
	require.ErrorIs(t, err, context.Canceled)
	cfg.Progress = nil
	clf := tiny(t, be)
	hist, err := Fit(t.Context(), clf, stripes{128, 1}, cfg)
	require.NoError(t, err)
	require.Equal(t, 20, hist.Steps)
	require.Equal(t, want.Weights(), clf.Weights())
}

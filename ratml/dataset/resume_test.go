package dataset

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// counted counts how often images are read.
type counted struct {
	Set
	reads *atomic.Int64
}

func (s counted) Read(i int, dst []float32) (int, error) {
	s.reads.Add(1)
	return s.Set.Read(i, dst)
}

// TestEpochFrom compares the rest of an epoch with the same batches of the whole, bit for bit, and sees that the
// others are not read.
func TestEpochFrom(t *testing.T) {
	for _, drop := range []bool{false, true} {
		for _, workers := range []int{1, 3} {
			var reads atomic.Int64
			l := Loader{
				Set: counted{tinyImages(t, 22), &reads}, BatchSize: 4, Shuffle: true, Seed: 5, DropLast: drop,
				Transform: Chain(RandomCrop(1), jitter), Workers: workers, Prefetch: 2,
			}
			whole := collect(t, l, 3)
			require.Len(t, whole, l.Batches())
			for first := range len(whole) + 1 {
				reads.Store(0)
				var rest []*Batch
				for b, err := range l.EpochFrom(context.Background(), 3, first) {
					require.NoError(t, err)
					rest = append(rest, b)
				}
				require.Len(t, rest, len(whole)-first)
				images := 0
				for i, b := range rest {
					require.Equal(t, whole[first+i], b, "batch %d", first+i)
					images += b.N
				}
				require.EqualValues(t, images, reads.Load(), "images read from batch %d on", first)
			}
		}
	}
}

func TestEpochFromOutside(t *testing.T) {
	l := Loader{Set: tinyImages(t, 8), BatchSize: 4}
	for _, first := range []int{-1, 3} {
		n := 0
		for b, err := range l.EpochFrom(context.Background(), 0, first) {
			n++
			require.Nil(t, b)
			require.Error(t, err)
			require.True(t, strings.Contains(err.Error(), "epoch 0: batch"), err)
		}
		require.Equal(t, 1, n)
	}
}

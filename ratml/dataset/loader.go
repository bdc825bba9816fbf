package dataset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"sync"
)

// Transform changes an image in place, for augmentation. The image has the given shape, in the order height, width,
// channel, and must stay in [0,1]. All randomness must come from rng. It is called by several goroutines at once.
type Transform func(rng *rand.Rand, shape Shape, image []float32)

// Loader serves a Set in batches of one size. The zero value of every field but Set is a good choice.
type Loader struct {
	Set       Set
	BatchSize int  // images in a batch; 0 means 128
	Shuffle   bool // a new order each epoch; otherwise the order of Set
	Seed      uint64
	DropLast  bool      // leave out the last batch if it is not full, instead of padding it
	Transform Transform // applied to every image; nil for none

	// Workers is the number of batches assembled at the same time; 0 means one a CPU. It does not change the result.
	Workers int
	// Prefetch is the number of batches that are made ahead of the one the caller is at; 0 means twice Workers.
	Prefetch int
}

// Batch is a number of images with their labels. Every batch is newly allocated, and is the caller's to keep and
// change.
type Batch struct {
	Images []float32 // [BatchSize, H, W, C]; padding repeats the first image of the batch
	Labels []int32   // [BatchSize]; 0 for padding
	Index  []int     // [N]: index in Set of each valid row
	Mask   []float32 // [BatchSize]: 1 valid, 0 padding
	N      int       // valid rows
}

// Epoch returns an iterator over the batches of one pass through the Set. The order depends only on Seed and epoch,
// and the augmentation of an image only on Seed, epoch and the image's index in Set.
//
// An error ends the iteration: it comes with a nil batch, after the batches before it, and names the image that could
// not be read. So does ctx when it is done, with its own error. When the iteration ends, for whatever reason, the
// goroutines behind it have ended too.
func (l Loader) Epoch(ctx context.Context, epoch int) iter.Seq2[*Batch, error] {
	return l.EpochFrom(ctx, epoch, 0)
}

// EpochFrom is [Loader.Epoch] without its first batches, which are not read: the batches are those that Epoch yields
// from number first on, counted from 0. After all [Loader.Batches] there is none. It is an error if first is negative
// or larger than that.
func (l Loader) EpochFrom(ctx context.Context, epoch, first int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if err := l.withDefaults().run(ctx, epoch, first, yield); err != nil {
			yield(nil, fmt.Errorf("dataset: epoch %d: %w", epoch, err))
		}
	}
}

// Batches returns the number of batches in an epoch.
func (l Loader) Batches() int {
	l = l.withDefaults()
	if l.check() != nil {
		return 0
	}
	n := l.Set.Len() / l.BatchSize
	if !l.DropLast && l.Set.Len()%l.BatchSize != 0 {
		n++
	}
	return n
}

func (l Loader) withDefaults() Loader {
	if l.BatchSize == 0 {
		l.BatchSize = 128
	}
	if l.Workers == 0 {
		l.Workers = runtime.GOMAXPROCS(0)
	}
	if l.Prefetch == 0 {
		l.Prefetch = 2 * l.Workers
	}
	return l
}

func (l Loader) check() error {
	if l.Set == nil {
		return errors.New("the loader has no set")
	}
	if l.BatchSize < 0 || l.Workers < 0 || l.Prefetch < 0 {
		return fmt.Errorf("batch size %d, workers %d, prefetch %d: none may be negative", l.BatchSize, l.Workers, l.Prefetch)
	}
	return nil
}

// result is a batch or why there is none.
type result struct {
	batch *Batch
	err   error
}

// run yields the batches of an epoch from the given one on. It returns nil when all are served or the consumer has stopped.
//
// Batch b is made by any worker and put into slot b modulo the number of slots, from where it is taken in turn. A slot
// is given the next batch only after it was emptied, so no more batches exist than there are slots.
func (l Loader) run(ctx context.Context, epoch, first int, yield func(*Batch, error) bool) error {
	if err := l.check(); err != nil {
		return err
	}
	batches := l.Batches()
	if first < 0 || first > batches {
		return fmt.Errorf("batch %d is outside [0,%d]", first, batches)
	}
	order := l.order(epoch)
	slots := make([]chan result, min(l.Prefetch, batches-first))
	for i := range slots {
		slots[i] = make(chan result, 1)
	}
	todo := make(chan int, len(slots))
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	defer close(todo)
	for range min(l.Workers, len(slots)) {
		workers.Go(func() {
			for b := range todo {
				batch, err := l.batch(ctx, epoch, order[b*l.BatchSize:min((b+1)*l.BatchSize, len(order))])
				slots[b%len(slots)] <- result{batch, err}
			}
		})
	}
	for k := range slots {
		todo <- first + k
	}
	for b := first; b < batches; b++ {
		var r result
		select {
		case <-ctx.Done():
		case r = <-slots[b%len(slots)]:
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case r.err != nil:
			return r.err
		}
		if next := b + len(slots); next < batches {
			todo <- next
		}
		if !yield(r.batch, nil) {
			return nil
		}
	}
	return nil
}

// order returns the images in the order of the epoch.
func (l Loader) order(epoch int) []int {
	if l.Shuffle {
		return stream(l.Seed, forShuffle, uint64(epoch)).Perm(l.Set.Len())
	}
	order := make([]int, l.Set.Len())
	for i := range order {
		order[i] = i
	}
	return order
}

// batch reads the images that index lists and pads the batch to its size.
func (l Loader) batch(ctx context.Context, epoch int, index []int) (*Batch, error) {
	shape, classes := l.Set.Shape(), len(l.Set.Classes())
	size := shape.Size()
	b := &Batch{
		Images: make([]float32, l.BatchSize*size),
		Labels: make([]int32, l.BatchSize),
		Index:  append([]int(nil), index...),
		Mask:   make([]float32, l.BatchSize),
		N:      len(index),
	}
	var source rand.PCG
	rng := rand.New(&source)
	for row, i := range index {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		image := b.Images[row*size:][:size]
		reseed(&source, l.Seed, forTransform, uint64(epoch), uint64(i))
		label, err := readRandom(rng, l.Set, i, image)
		if err == nil && (label < 0 || label >= classes) {
			err = fmt.Errorf("label %d is outside [0,%d)", label, classes)
		}
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", i, err)
		}
		if l.Transform != nil {
			l.Transform(rng, shape, image)
		}
		b.Labels[row], b.Mask[row] = int32(label), 1
	}
	for row := len(index); row < l.BatchSize; row++ {
		copy(b.Images[row*size:][:size], b.Images)
	}
	return b, nil
}

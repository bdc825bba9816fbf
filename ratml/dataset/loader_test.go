package dataset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// collect returns the batches of an epoch.
func collect(t testing.TB, l Loader, epoch int) []*Batch {
	t.Helper()
	var batches []*Batch
	for b, err := range l.Epoch(context.Background(), epoch) {
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	return batches
}

// indices returns the images of the batches in order.
func indices(batches []*Batch) []int {
	var index []int
	for _, b := range batches {
		index = append(index, b.Index...)
	}
	return index
}

// jitter is a transform that uses a varying amount of randomness.
func jitter(rng *rand.Rand, _ Shape, image []float32) {
	for range 1 + rng.IntN(3) {
		image[rng.IntN(len(image))] = rng.Float32()
	}
}

func TestLoaderCoversTheSet(t *testing.T) {
	for _, c := range []struct {
		n, batch int
		drop     bool
		batches  int
	}{
		{10, 4, false, 3}, {10, 4, true, 2}, {8, 4, false, 2}, {8, 4, true, 2},
		{3, 4, false, 1}, {3, 4, true, 0}, {0, 4, false, 0}, {5, 1, false, 5}, {130, 0, false, 2},
	} {
		t.Run(fmt.Sprintf("%d by %d drop %v", c.n, c.batch, c.drop), func(t *testing.T) {
			set := tinyImages(t, c.n)
			l := Loader{Set: set, BatchSize: c.batch, DropLast: c.drop, Shuffle: true, Seed: 1}
			batches := collect(t, l, 0)
			if len(batches) != c.batches || l.Batches() != c.batches {
				t.Fatalf("%d batches, Batches() = %d, want %d", len(batches), l.Batches(), c.batches)
			}
			size := max(c.batch, 1)
			if c.batch == 0 {
				size = 128
			}
			index := indices(batches)
			for _, b := range batches {
				checkBatch(t, set, b, size)
			}
			slices.Sort(index)
			if len(slices.Compact(index)) != len(index) {
				t.Errorf("an image came twice: %v", index)
			}
			if want := c.n; !c.drop && len(index) != want || c.drop && len(index) != c.n/size*size {
				t.Errorf("%d of %d images", len(index), c.n)
			}
		})
	}
}

// checkBatch verifies every field of an untransformed batch against the set.
func checkBatch(t *testing.T, set Set, b *Batch, batchSize int) {
	t.Helper()
	size := set.Shape().Size()
	if len(b.Images) != batchSize*size || len(b.Labels) != batchSize || len(b.Mask) != batchSize || len(b.Index) != b.N || b.N < 1 {
		t.Fatalf("%d values, %d labels, mask of %d, index of %d, N %d for a batch size of %d", len(b.Images), len(b.Labels), len(b.Mask), len(b.Index), b.N, batchSize)
	}
	image := make([]float32, size)
	for row := range batchSize {
		from, mask, label := b.Index[0], float32(0), 0
		if row < b.N {
			from, mask = b.Index[row], 1
		}
		got, err := set.Read(from, image)
		if err != nil {
			t.Fatal(err)
		}
		if row < b.N {
			label = got
		}
		if !slices.Equal(b.Images[row*size:][:size], image) || int(b.Labels[row]) != label || b.Mask[row] != mask {
			t.Errorf("row %d of %d: label %d, mask %v, or its image, is not that of image %d", row, b.N, b.Labels[row], b.Mask[row], from)
		}
	}
}

func TestLoaderOrder(t *testing.T) {
	set := tinyImages(t, 100)
	straight := indices(collect(t, Loader{Set: set, BatchSize: 7}, 3))
	for i, got := range straight {
		if got != i {
			t.Fatalf("without shuffling image %d came as number %d", got, i)
		}
	}
	l := Loader{Set: set, BatchSize: 7, Shuffle: true, Seed: 5}
	order := indices(collect(t, l, 0))
	if slices.Equal(order, straight) {
		t.Error("not shuffled")
	}
	if again := indices(collect(t, l, 0)); !slices.Equal(again, order) {
		t.Error("an epoch has two orders")
	}
	if next := indices(collect(t, l, 1)); slices.Equal(next, order) {
		t.Error("two epochs have one order")
	}
	l.BatchSize = 16
	if other := indices(collect(t, l, 0)); !slices.Equal(other, order) {
		t.Error("the order depends on the batch size")
	}
	l.Seed = 6
	if other := indices(collect(t, l, 0)); slices.Equal(other, order) {
		t.Error("two seeds have one order")
	}
}

// The order of a seed is fixed for good: trained weights depend on it.
func TestLoaderOrderPinned(t *testing.T) {
	l := Loader{Set: tinyImages(t, 10), BatchSize: 10, Shuffle: true, Seed: 1}
	if got, want := indices(collect(t, l, 2)), []int{2, 7, 1, 3, 0, 6, 8, 5, 4, 9}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLoaderWorkersDoNotMatter(t *testing.T) {
	set := synthetic(t, Config{Synthetic: SyntheticConfig{TrainSize: 333, TestSize: 1}}).Train
	l := Loader{Set: set, BatchSize: 10, Shuffle: true, Seed: 9, Transform: jitter, Workers: 1, Prefetch: 1}
	want := collect(t, l, 4)
	for _, c := range [][2]int{{1, 5}, {2, 1}, {7, 3}, {16, 0}, {0, 0}} {
		l.Workers, l.Prefetch = c[0], c[1]
		got := collect(t, l, 4)
		if len(got) != len(want) {
			t.Fatalf("workers %d, prefetch %d: %d batches, want %d", c[0], c[1], len(got), len(want))
		}
		for i, b := range got {
			w := want[i]
			if !slices.Equal(b.Images, w.Images) || !slices.Equal(b.Labels, w.Labels) || !slices.Equal(b.Index, w.Index) || !slices.Equal(b.Mask, w.Mask) || b.N != w.N {
				t.Fatalf("workers %d, prefetch %d: batch %d differs", c[0], c[1], i)
			}
		}
	}
}

// The augmentation of an image depends on its index, the epoch and the seed, not on where in the epoch it comes.
func TestLoaderTransform(t *testing.T) {
	set := tinyImages(t, 40)
	augmented := func(l Loader, epoch int) [][]float32 {
		images := make([][]float32, set.Len())
		for _, b := range collect(t, l, epoch) {
			for row, i := range b.Index {
				images[i] = b.Images[4*row:][:4]
			}
			for row := b.N; row < len(b.Labels); row++ {
				if !slices.Equal(b.Images[4*row:][:4], b.Images[:4]) {
					t.Errorf("padding is not the first image of the batch as it was augmented")
				}
			}
		}
		return images
	}
	equal := func(a, b [][]float32) bool {
		return slices.EqualFunc(a, b, func(x, y []float32) bool { return slices.Equal(x, y) })
	}
	l := Loader{Set: set, BatchSize: 6, Seed: 1, Transform: jitter}
	want := augmented(l, 0)
	if equal(want, augmented(Loader{Set: set, BatchSize: 6}, 0)) {
		t.Error("not transformed")
	}
	if !equal(want, augmented(Loader{Set: set, BatchSize: 17, Shuffle: true, Seed: 1, Transform: jitter}, 0)) {
		t.Error("the augmentation depends on batch size or order")
	}
	if equal(want, augmented(l, 1)) {
		t.Error("two epochs have one augmentation")
	}
	l.Seed = 2
	if equal(want, augmented(l, 0)) {
		t.Error("two seeds have one augmentation")
	}
	noise := func(rng *rand.Rand, _ Shape, image []float32) { image[0] = rng.Float32() }
	values := map[float32]bool{}
	for _, image := range augmented(Loader{Set: set, Transform: noise}, 0) {
		values[image[0]] = true
	}
	if len(values) != set.Len() {
		t.Errorf("%d different augmentations of %d images", len(values), set.Len())
	}
}

// A batch is the caller's: what is done to it must not show in others.
func TestLoaderBatchesAreTheCallers(t *testing.T) {
	l := Loader{Set: tinyImages(t, 200), BatchSize: 10, Shuffle: true, Workers: 1, Prefetch: 2}
	want := collect(t, l, 0)
	n := 0
	for b, err := range l.Epoch(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.Index, want[n].Index) || !slices.Equal(b.Images, want[n].Images) {
			t.Fatalf("batch %d differs", n)
		}
		n++
		clear(b.Images)
		_ = append(b.Index, make([]int, 100)...)
		_ = append(b.Images, make([]float32, 1000)...)
	}
}

func TestLoaderDefaults(t *testing.T) {
	l := Loader{}.withDefaults()
	if l.BatchSize != 128 || l.Workers < 1 || l.Prefetch != 2*l.Workers {
		t.Errorf("batch size %d, workers %d, prefetch %d", l.BatchSize, l.Workers, l.Prefetch)
	}
}

func TestLoaderReadError(t *testing.T) {
	set := opaque{Set: tinyImages(t, 30), fail: 17}
	for _, workers := range []int{1, 4} {
		l := Loader{Set: set, BatchSize: 5, Workers: workers}
		var served []int
		var failure error
		for b, err := range l.Epoch(context.Background(), 8) {
			if failure != nil {
				t.Fatal("the iteration went on after an error")
			}
			if failure = err; err != nil {
				if b != nil {
					t.Error("a batch came with the error")
				}
				continue
			}
			served = append(served, b.Index...)
		}
		if !errors.Is(failure, errUnreadable) || !strings.Contains(failure.Error(), "dataset: epoch 8: image 17: ") {
			t.Errorf("error %v", failure)
		}
		if want := indices(collect(t, Loader{Set: Take(set, 15)}, 0)); !slices.Equal(served, want) {
			t.Errorf("before the error came images %v, want %v", served, want)
		}
	}
}

// mislabelled has a label that is none.
type mislabelled struct {
	Set
	value int
}

func (s mislabelled) Read(i int, dst []float32) (int, error) {
	label, err := s.Set.Read(i, dst)
	if i == 3 {
		label = s.value
	}
	return label, err
}

func TestLoaderFaults(t *testing.T) {
	set := tinyImages(t, 8)
	for _, c := range []struct {
		loader Loader
		want   string
	}{
		{Loader{}, "no set"},
		{Loader{Set: set, BatchSize: -1}, "batch size -1"},
		{Loader{Set: set, Workers: -2}, "workers -2"},
		{Loader{Set: set, Prefetch: -3}, "prefetch -3"},
		{Loader{Set: mislabelled{set, 2}}, "image 3: label 2 is outside [0,2)"},
		{Loader{Set: mislabelled{set, -1}}, "image 3: label -1 is outside [0,2)"},
	} {
		var errs []error
		for b, err := range c.loader.Epoch(context.Background(), 0) {
			if b != nil {
				t.Errorf("%q: a batch came", c.want)
			}
			errs = append(errs, err)
		}
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want) {
			t.Errorf("errors %v, want one with %q", errs, c.want)
		}
		if strings.Contains(c.want, "-") && c.loader.Set == set && c.loader.Batches() != 0 {
			t.Errorf("%q: Batches() = %d", c.want, c.loader.Batches())
		}
	}
}

// BenchmarkTransform measures what augmenting an image of CIFAR-10's size takes.
func BenchmarkTransform(b *testing.B) {
	resized, err := RandomResizedCrop(Range{}, Range{})
	if err != nil {
		b.Fatal(err)
	}
	erasing, err := RandomErasing(.5, Range{}, Range{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		transform Transform
	}{
		{"crop,flip", Chain(RandomCrop(4), RandomFlip())},
		{"reflected crop", RandomCropReflect(4)},
		{"resized crop", resized},
		{"erasing", erasing},
		{"cutout", Cutout(16)},
	} {
		b.Run(c.name, func(b *testing.B) {
			rng, image := stream(1), ramp(cifarShape.Size())
			for b.Loop() {
				c.transform(rng, cifarShape, image)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

func BenchmarkLoader(b *testing.B) {
	cifar := synthetic(b, Config{Synthetic: SyntheticConfig{Shape: Shape{32, 32, 3}, TrainSize: 4096, TestSize: 1}}).Train
	for _, c := range []struct {
		name   string
		loader Loader
	}{
		{"mnist", Loader{Set: mnist(b).Test}},
		{"32x32x3", Loader{Set: cifar}},
		{"32x32x3/crop,flip", Loader{Set: cifar, Transform: Chain(RandomCrop(4), RandomFlip())}},
	} {
		c.loader.Shuffle = true
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			images := 0
			for epoch := 0; b.Loop(); epoch++ {
				for batch, err := range c.loader.Epoch(b.Context(), epoch) {
					if err != nil {
						b.Fatal(err)
					}
					images += batch.N
				}
			}
			b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

package dataset

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow takes a second to read an image, and counts.
type slow struct {
	Set
	reads *atomic.Int64
}

func (s slow) Read(i int, dst []float32) (int, error) {
	time.Sleep(time.Second)
	s.reads.Add(1)
	return s.Set.Read(i, dst)
}

// In the tests below time is simulated, and a goroutine that stays behind is reported as a deadlock.

func TestLoaderWorksInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Loader{Set: slow{tinyImages(t, 40), new(atomic.Int64)}, BatchSize: 5, Workers: 4, Prefetch: 8}
		start := time.Now()
		collect(t, l, 0)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("40 images at one second each took 4 workers %v, want 10s", took)
		}
	})
}

func TestLoaderPrefetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := new(atomic.Int64)
		l := Loader{Set: slow{tinyImages(t, 100), reads}, BatchSize: 1, Workers: 2, Prefetch: 3}
		served := int64(0)
		for _, err := range l.Epoch(context.Background(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			served++
			time.Sleep(time.Hour)
			if got := reads.Load(); got != min(served+3, 100) {
				t.Fatalf("at batch %d, %d were read, want 3 ahead", served, got)
			}
		}
	})
}

func TestLoaderStopsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := new(atomic.Int64)
		l := Loader{Set: slow{tinyImages(t, 100), reads}, BatchSize: 10, Workers: 3}
		start := time.Now()
		for range l.Epoch(context.Background(), 0) {
			break
		}
		// The first batch takes 10 s; then each worker may finish the image it is at.
		if took := time.Since(start); took > 11*time.Second {
			t.Errorf("stopping after the first batch took until %v", took)
		}
		before := reads.Load()
		time.Sleep(time.Hour)
		if after := reads.Load(); after != before || after > 33 {
			t.Errorf("%d images read when the iteration ended, %d later", before, after)
		}
	})
}

func TestLoaderPanickingConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if r := recover(); r != "consumer" {
				t.Errorf("recovered %v", r)
			}
		}()
		for range (Loader{Set: slow{tinyImages(t, 100), new(atomic.Int64)}, BatchSize: 2, Workers: 3}).Epoch(context.Background(), 0) {
			panic("consumer")
		}
	})
}

func TestLoaderCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
		defer cancel()
		l := Loader{Set: slow{tinyImages(t, 100), new(atomic.Int64)}, BatchSize: 10, Workers: 1}
		start := time.Now()
		served := 0
		var failure error
		for b, err := range l.Epoch(ctx, 0) {
			if err != nil {
				failure = err
				continue
			}
			served += b.N
		}
		if !errors.Is(failure, context.DeadlineExceeded) || served != 20 {
			t.Errorf("%d images, then %v; want 20 and the end of the deadline", served, failure)
		}
		if took := time.Since(start); took < 25*time.Second || took > 26*time.Second {
			t.Errorf("it took %v to notice a deadline of 25s", took)
		}
	})
}

func TestLoaderCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 { // so that a random choice between a batch and the end shows
		var errs []error
		for b, err := range (Loader{Set: tinyImages(t, 20), BatchSize: 5}).Epoch(ctx, 0) {
			if b != nil {
				t.Fatal("a batch came after the end of the context")
			}
			errs = append(errs, err)
		}
		if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
			t.Fatalf("errors %v, want one, context.Canceled", errs)
		}
	}
}

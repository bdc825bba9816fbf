package fastgo

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls f for every unit from 0 to n-1 on as many goroutines as there
// are processors. A panic of f becomes an error.
func parallel(n int, f func(unit int)) error {
	workers := min(n, runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var failed atomic.Pointer[error]
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				err := fmt.Errorf("fastgo: %v", r)
				failed.Store(&err)
			}
		}()
		for failed.Load() == nil {
			unit := int(next.Add(1)) - 1
			if unit >= n {
				return
			}
			f(unit)
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// grain is the number of elements that are worth a goroutine.
const grain = 1 << 13

// split calls f for ranges that cover 0 to n, each at least grain/cost long,
// cost being that of one element in units of a simple operation. Bounds are
// multiples of step.
func split(n, step, cost int, f func(from, to int)) error {
	chunk := max(grain/max(cost, 1), n/(8*runtime.GOMAXPROCS(0)), 1)
	chunk = (chunk + step - 1) / step * step
	return parallel((n+chunk-1)/chunk, func(u int) { f(u*chunk, min((u+1)*chunk, n)) })
}

// Scratch memory, pooled by the power of two above its length.
var pools [48]sync.Pool

// scratch returns n floats of any value; give them back with recycle.
func scratch(n int) []float32 {
	class := 0
	for 1<<class < n {
		class++
	}
	if p, ok := pools[class].Get().(*[]float32); ok {
		return (*p)[:n]
	}
	return make([]float32, 1<<class)[:n]
}

func recycle(s []float32) {
	class := 0
	for 1<<class < cap(s) {
		class++
	}
	if 1<<class == cap(s) {
		s = s[:cap(s)]
		pools[class].Put(&s)
	}
}

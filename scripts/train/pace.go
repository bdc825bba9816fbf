package main

import (
	"fmt"
	"time"
)

// pace returns a function that shows the progress of a training with the images that it takes a second, over all steps
// but the first, which is compiled.
func pace(show func(done, total int, note string), batch int) func(done, total int, note string) {
	var first time.Time
	from := -1
	return func(done, total int, note string) {
		switch {
		case from < 0: // "compiling"
			from = done
		case first.IsZero():
			first, from = time.Now(), done
		default:
			note += fmt.Sprintf(", %.0f images/s", float64((done-from)*batch)/time.Since(first).Seconds())
		}
		show(done, total, note)
	}
}

package train

import (
	"fmt"
	"time"
)

// Profile tells where the time of training steps went. Its parts add up to less than the total: what is missing is the
// loop itself, with logging and progress.
type Profile struct {
	Steps      int
	Wait       time.Duration // for the next batch to be read and augmented, while the device has nothing to do
	Feed       time.Duration // for the values that the objective needs
	Upload     time.Duration // of images, labels and such values
	Compute    time.Duration // by the device, with the way of the results back
	Evaluate   time.Duration // on validation images
	Checkpoint time.Duration // copying the state for a checkpoint; files are written meanwhile
	Total      time.Duration // compilation of the first step is in it, and in Compute
	First      time.Duration // of Compute: the first step, which is compiled
}

// start returns a function that adds the time since the call of start to part.
func (p *Profile) start(part *time.Duration) (stop func()) {
	begin := time.Now()
	return func() { *part += time.Since(begin) }
}

// Idle returns the share of the time after the first step, in [0,1], in which the device waited for images or for the
// host: all that was neither computing, nor evaluation.
func (p Profile) Idle() float64 {
	total := p.Total - p.First - p.Evaluate
	if total <= 0 {
		return 0
	}
	return float64(total-(p.Compute-p.First)) / float64(total)
}

// String returns a table of the parts.
func (p Profile) String() string {
	s := fmt.Sprintf("%d steps in %.2f s, device idle for %.1f %% of the time after the first step\n", p.Steps, p.Total.Seconds(), 100*p.Idle())
	other := p.Total
	row := func(name string, d time.Duration) {
		s += fmt.Sprintf("  %-28s %9.2f s  %5.1f %%\n", name, d.Seconds(), 100*float64(d)/float64(max(p.Total, 1)))
	}
	for _, r := range []struct {
		name string
		d    time.Duration
	}{
		{"first step, compiled", p.First}, {"steps on the device", p.Compute - p.First}, {"waiting for images", p.Wait},
		{"values of the objective", p.Feed}, {"upload", p.Upload}, {"evaluation", p.Evaluate}, {"copies for checkpoints", p.Checkpoint},
	} {
		row(r.name, r.d)
		other -= r.d
	}
	row("log, progress, loop", other)
	return s
}

package progress

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Work that is done within quiet is not worth a line in a log.
const quiet = 2 * time.Second

// lines writes a line about every tenth of the work, and in between where a tenth takes long.
type lines struct {
	w           io.Writer
	label       string
	total, done int
	note        string
	now         func() time.Time
	start, last time.Time
	first       struct { // the first update: what came before, such as compilation, says nothing of the pace
		at   time.Time
		done int
	}
	shown int // done at the last line
	any   bool
	ended bool
}

func (l *lines) update(done, total int, note string) {
	if l.ended {
		return
	}
	if total > 0 {
		l.total = total
	}
	l.done, l.note = done, note
	if l.first.at.IsZero() {
		l.first.at, l.first.done = l.now(), done
	}
	if l.total > 0 && done >= l.total {
		l.finish()
		return
	}
	if l.due() {
		l.print()
	}
}

func (l *lines) due() bool {
	since, elapsed := l.now().Sub(l.last), l.now().Sub(l.start)
	if since < quiet {
		return false
	}
	if l.total > 0 && 10*(l.done-l.shown) >= l.total {
		return true
	}
	// Longer work gets longer pauses, so that an hour does not fill the log.
	return since >= min(max(5*time.Second, elapsed/10), time.Minute)
}

func (l *lines) print() {
	elapsed := l.now().Sub(l.start)
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %d", l.label, l.done)
	if l.total > 0 {
		fmt.Fprintf(&s, "/%d (%d %%)", l.total, 100*l.done/l.total)
	}
	fmt.Fprintf(&s, " in %v", round(elapsed))
	if pace := l.done - l.first.done; l.total > l.done && pace > 0 {
		left := time.Duration(float64(l.now().Sub(l.first.at)) * float64(l.total-l.done) / float64(pace))
		fmt.Fprintf(&s, ", %v left", round(left))
	}
	if l.note != "" {
		fmt.Fprintf(&s, ", %s", l.note)
	}
	fmt.Fprintln(l.w, s.String())
	l.shown, l.last, l.any = l.done, l.now(), true
}

func (l *lines) finish() {
	if l.ended {
		return
	}
	l.ended = true
	if l.any || l.now().Sub(l.start) >= quiet {
		l.print()
	}
}

// round keeps tenths of a second only where they tell something.
func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// terminal draws a bar that is redrawn in place.
type terminal struct {
	bar   *progressbar.ProgressBar
	label string
	width int // columns for label and note
	total int
	done  int
	note  string
	last  time.Time // of drawing
	ended bool
}

func newTerminal(w io.Writer, label string, total, columns int) *Bar {
	t := &terminal{label: label, total: total, width: max(columns-54, 16)}
	if total <= 0 {
		t.total = -1 // a spinner
	}
	t.bar = progressbar.NewOptions(t.total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(t.describe("")),
		progressbar.OptionSetWidth(20),
		progressbar.OptionShowCount(),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }),
	)
	return &Bar{show: t}
}

func (t *terminal) update(done, total int, note string) {
	if t.ended {
		return
	}
	if total > 0 && total != t.total {
		t.total = total
		t.bar.ChangeMax(total)
	}
	if t.total > 0 {
		done = min(done, t.total)
	}
	t.done, t.note, t.ended = done, note, t.total > 0 && done == t.total
	// The library's own throttle would let a new note through and hold back the number that belongs to it.
	if t.ended || time.Since(t.last) >= 100*time.Millisecond {
		t.draw()
	}
}

func (t *terminal) draw() {
	t.last = time.Now()
	t.bar.Describe(t.describe(t.note))
	t.bar.Set(t.done) // its only errors are writing to stderr and a total of 0
}

func (t *terminal) finish() {
	if !t.ended {
		t.ended = true
		t.draw() // what came since the last drawing
		t.bar.Exit()
	}
}

// describe joins label and note within the columns that the bar leaves: a line that wraps cannot be redrawn.
func (t *terminal) describe(note string) string {
	text := t.label
	if note != "" {
		text += ": " + note
	}
	s := []rune(text)
	if len(s) > t.width {
		s = append(s[:t.width-1:t.width-1], '…')
	}
	return string(s)
}

// Package progress shows on stderr how far a command has come: a bar with the time left on a terminal, plain lines
// now and then where stderr is a file or a pipe.
package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Bar shows how much of one piece of work is done. It is safe for concurrent use.
type Bar struct {
	mu   sync.Mutex
	show display
}

// display is one way of showing progress. A total of 0 or less means that the amount of work is not known.
type display interface {
	update(done, total int, note string)
	finish()
}

// New returns a bar for total steps of the work called label; with a total of 0 or less it only counts. Nothing is
// shown before the first update.
func New(label string, total int) *Bar {
	fd := int(os.Stderr.Fd())
	if !term.IsTerminal(fd) {
		return newLines(os.Stderr, label, total, time.Now)
	}
	columns, _, err := term.GetSize(fd)
	if err != nil || columns <= 0 {
		columns = 80
	}
	return newTerminal(os.Stderr, label, total, columns)
}

// Set shows that done steps are finished, with a short note such as the loss.
func (b *Bar) Set(done int, note string) { b.Func()(done, 0, note) }

// Func returns the bar as the callback that library code takes. A total above 0 replaces the one given to [New].
func (b *Bar) Func() func(done, total int, note string) {
	return func(done, total int, note string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.show.update(max(done, 0), total, note)
	}
}

// Finish ends the bar where it stands, so that what is printed next starts on a line of its own. It may be called
// more than once.
func (b *Bar) Finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.show.finish()
}

func newLines(w io.Writer, label string, total int, now func() time.Time) *Bar {
	return &Bar{show: &lines{w: w, label: label, total: total, now: now, start: now(), last: now()}}
}

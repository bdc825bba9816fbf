package nb

import (
	"fmt"
	"html"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Progress is a bar below the cell that is updated in place. It is safe for concurrent use, and silent outside a
// notebook.
type Progress struct {
	mu    sync.Mutex
	place place
	label string
	total int
	start time.Time
	last  time.Time
	ended bool
}

// NewProgress returns a bar for total steps of the work called label; with a total of 0 or less it only counts.
func NewProgress(label string, total int) *Progress {
	return &Progress{label: label, total: total, start: time.Now()}
}

// Func returns the bar as the callback that library code takes. A total above 0 replaces the one given to
// [NewProgress].
func (p *Progress) Func() func(done, total int, note string) {
	return func(done, total int, note string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if total > 0 {
			p.total = total
		}
		p.set(done, note)
	}
}

// Set shows that done steps are finished, with a short note such as the loss. At most five states a second are sent.
func (p *Progress) Set(done int, note string) { p.Func()(done, 0, note) }

func (p *Progress) set(done int, note string) {
	if !Active() || p.ended {
		return
	}
	p.ended = p.total > 0 && done >= p.total
	if !p.ended && time.Since(p.last) < 200*time.Millisecond {
		return
	}
	elapsed := time.Since(p.start)
	p.place.show(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
		protocol.MIMETextHTML:  p.html(done, note, elapsed),
		protocol.MIMETextPlain: p.text(done, note, elapsed),
	}}) // a bar that does not move is no reason to stop the work; whatever is shown next tells the error
	p.last = time.Now()
}

// state is what the bar says in words.
func (p *Progress) state(done int, note string, elapsed time.Duration) string {
	state := fmt.Sprintf("%d in %v", done, round(elapsed))
	if p.total > 0 {
		state = fmt.Sprintf("%d/%d in %v", done, p.total, round(elapsed))
	}
	if p.total > done && done > 0 {
		left := time.Duration(float64(elapsed) * float64(p.total-done) / float64(done))
		state += fmt.Sprintf(", %v left", round(left))
	}
	if note != "" {
		state += ", " + note
	}
	return state
}

func (p *Progress) text(done int, note string, elapsed time.Duration) string {
	return p.label + ": " + p.state(done, note, elapsed)
}

// html draws the state with the browser's own progress element.
func (p *Progress) html(done int, note string, elapsed time.Duration) string {
	bar := `<progress style="width:40%"></progress>`
	if p.total > 0 {
		bar = fmt.Sprintf(`<progress value="%d" max="%d" style="width:40%%"></progress>`, done, p.total)
	}
	return fmt.Sprintf(`<span style="font-family:monospace">%s %s %s</span>`,
		html.EscapeString(p.label), bar, html.EscapeString(p.state(done, note, elapsed)))
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

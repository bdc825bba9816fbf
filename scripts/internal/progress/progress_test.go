package progress

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is a time that the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func linesOf(b *bytes.Buffer) []string {
	if b.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		total int
		step  time.Duration // time of one of 100 steps
		want  int           // lines
		last  string
	}{
		{"short work is silent", 100, 10 * time.Millisecond, 0, ""},
		{"a line a tenth", 100, 300 * time.Millisecond, 10, "job: 100/100 (100 %) in 30s, loss 1"},
		{"fast tenths wait for two seconds", 100, 50 * time.Millisecond, 3, "job: 100/100 (100 %) in 5s, loss 1"},
		{"slow tenths", 100, 6 * time.Second, 29, "job: 100/100 (100 %) in 10m0s, loss 1"},
		{"unknown total", 0, time.Second, 17, "job: 100 in 1m40s, loss 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			k := &clock{time.Unix(0, 0)}
			b := newLines(&out, "job", c.total, k.now)
			for i := 1; i <= 100; i++ {
				k.t = k.t.Add(c.step)
				b.Set(i, "loss 1")
			}
			b.Finish()
			b.Finish()
			b.Set(3, "late")
			got := linesOf(&out)
			if len(got) != c.want {
				t.Fatalf("%d lines, want %d:\n%s", len(got), c.want, out.String())
			}
			if c.want > 0 {
				require.Equal(t, c.last, got[len(got)-1])
			}
		})
	}
}

func TestLinesTimeLeft(t *testing.T) {
	var out bytes.Buffer
	k := &clock{time.Unix(0, 0)}
	f := newLines(&out, "train", 0, k.now).Func()
	k.t = k.t.Add(20 * time.Second)
	f(1, 100, "") // after 20 s of compilation nothing is known of the pace
	k.t = k.t.Add(24 * time.Second)
	f(25, 100, "") // the callback's total wins
	require.Equal(t, "train: 1/100 (1 %) in 20s\ntrain: 25/100 (25 %) in 44s, 1m15s left\n", out.String())
}

func TestLinesBrokenOff(t *testing.T) {
	var out bytes.Buffer
	k := &clock{time.Unix(0, 0)}
	b := newLines(&out, "train", 10, k.now)
	k.t = k.t.Add(3 * time.Second)
	b.Set(3, "")
	k.t = k.t.Add(time.Second)
	b.Set(4, "loss 2")
	b.Finish()
	require.Equal(t, "train: 4/10 (40 %) in 4s, 6s left, loss 2", linesOf(&out)[1])
}

func TestTerminal(t *testing.T) {
	var out bytes.Buffer
	b := newTerminal(&out, "score", 4, 80)
	for i := 1; i <= 4; i++ {
		b.Set(i, "")
	}
	b.Set(9, "late")
	b.Finish()
	s := out.String()
	require.Contains(t, s, "score 100%")
	require.Contains(t, s, "(4/4")
	require.Equal(t, 1, strings.Count(s, "\n"), "the bar ends its line exactly once: %q", s)
	require.NotContains(t, s, "late")
}

func TestTerminalBrokenOff(t *testing.T) {
	var out bytes.Buffer
	b := newTerminal(&out, "score", 4, 80)
	b.Set(1, "")
	b.Set(2, "")
	b.Finish()
	b.Finish()
	require.Contains(t, out.String(), "(2/4")
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.NotContains(t, out.String(), "100%")
}

func TestTerminalTotalOfTheCallback(t *testing.T) {
	var out bytes.Buffer
	f := newTerminal(&out, "score", 0, 80).Func()
	f(5, 10, "")
	require.Contains(t, out.String(), "score  50%")
	f(10, 10, "")
	require.Contains(t, out.String(), "(10/10")
}

func TestTerminalUnknownTotal(t *testing.T) {
	var out bytes.Buffer
	b := newTerminal(&out, "fetch", 0, 80)
	b.Set(7, "")
	b.Finish()
	require.Contains(t, out.String(), "fetch")
}

func TestDescribeFits(t *testing.T) {
	bar := &terminal{label: "a rather long label", width: 24}
	require.Equal(t, "a rather long label", bar.describe(""))
	require.Equal(t, "a rather long label: lo…", bar.describe("loss 0.1"))
	require.Len(t, []rune(bar.describe(strings.Repeat("ü", 100))), 24)
}

func TestConcurrent(t *testing.T) {
	var out bytes.Buffer
	b := newLines(&out, "job", 1000, time.Now)
	f := b.Func()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				f(i*100+j, 1000, "")
			}
		})
	}
	wg.Wait()
	b.Finish()
	require.Empty(t, out.String())
}

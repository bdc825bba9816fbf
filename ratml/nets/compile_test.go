package nets_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// TestLongCompilation sees that a compilation that takes longer than it may says so, and other runs nothing.
func TestLongCompilation(t *testing.T) {
	var log strings.Builder
	be, err := backend.OpenConfig(backend.Config{Name: "go", Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	c, err := nets.New(be, "smallcnn_mnist", 1)
	if err != nil {
		t.Fatal(err)
	}
	p := program(t, c, logits)
	runFor := func(images int, long time.Duration) string {
		t.Helper()
		defer nets.SetLong(long)()
		log.Reset()
		if _, err := p.RunFloats(uniform(c.Arch, images).float32()); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	if got := runFor(1, time.Hour); got != "" {
		t.Errorf("a short compilation says %q", got)
	}
	want := "nets: compiling test of smallcnn_mnist for go, once for each size of its inputs\n" +
		"nets: compiled test of smallcnn_mnist in 0 s\n"
	if got := runFor(2, time.Nanosecond); got != want {
		t.Errorf("a long compilation says %q, want %q", got, want)
	}
	if got := runFor(2, time.Hour); got != "" {
		t.Errorf("a run of what is compiled says %q", got)
	}
}

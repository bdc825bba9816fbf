package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	must(t, tiny(tinyNet(t, 1), a, "--tag", "first")...)
	must(t, tiny(tinyNet(t, 2), b, "--tag", "second")...)
	file := filepath.Join(t.TempDir(), "differences.tex")
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{a, "--baseline", "MSR", "--resamples", "100", "--out", file}, []string{"MSR", "AURC"}},
		{[]string{a, b, "--resamples", "100"}, []string{"first", "second"}},
		{[]string{a, b, "--rank"}, []string{"MSR", "rank"}},
		{[]string{a, "--by_class", "--resamples", "20"}, []string{"class", "MSR"}},
	} {
		stdout, _ := must(t, append([]string{"compare"}, c.args...)...)
		for _, want := range c.want {
			if !strings.Contains(stdout, want) {
				t.Errorf("%v: no %s in\n%s", c.args, want, stdout)
			}
		}
	}
	if tex, err := os.ReadFile(file); err != nil || !strings.Contains(string(tex), `\toprule`) {
		t.Errorf("%s: %v, %.60q", file, err, tex)
	}
	for _, args := range [][]string{{a, "--rank"}, {a, b, "--by_class"}, {"nowhere"}, {a, "--baseline", "none"}} {
		if status, _, stderr := evaluateWith(append([]string{"compare"}, args...)...); status == 0 || stderr == "" {
			t.Errorf("%v: status %d, %q", args, status, stderr)
		}
	}
}

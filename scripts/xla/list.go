package main

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/ratml/rat/ratml/backend"
)

// list writes every backend that this machine offers, the files that cannot
// be used with the reason, and what backend.Open("") would take.
func list(w io.Writer) error {
	plugins := backend.Plugins()
	if !backend.HasXLA() {
		fmt.Fprintln(w, "This build has no XLA (it needs Linux, cgo and no tag noxla); plugins below are listed unopened.")
	}
	for _, p := range plugins {
		fmt.Fprintf(w, "xla:%-6s %s\n", p.Name, p.Path)
		if p.Err != nil {
			fmt.Fprintf(w, "           cannot be used: %v\n", p.Err)
			continue
		}
		if !backend.HasXLA() {
			continue
		}
		be, err := backend.OpenConfig(backend.Config{Name: "xla:" + p.Path, Quiet: true})
		if err != nil {
			fmt.Fprintf(w, "           cannot be opened: %v\n", err)
			continue
		}
		describe(w, be)
	}
	if len(plugins) == 0 {
		fmt.Fprintf(w, "No PJRT plugin found in:\n  %s\nInstall one with: %s\n\n",
			strings.Join(backend.SearchPath(), "\n  "), backend.Install)
	}
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%-10s built in, needs no plugin\n", be.Kind())
	describe(w, be)
	chosen, err := backend.OpenConfig(backend.Config{Quiet: true})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nWhere no backend is named, programs use %v\n", chosen)
	return err
}

// describe writes what an open backend can do.
func describe(w io.Writer, be *backend.Backend) {
	what := "one device"
	if n := be.Devices(); n > 1 {
		what = fmt.Sprintf("%d devices, batches can be split over them", n)
		if be.Kind() == backend.KindCPU {
			what += " (they share this machine's cores)"
		}
	}
	fmt.Fprintf(w, "           %s\n           %s\n           %s\n", be.Version(), what, types(be))
}

// types lists the element types that the backend computes with, floats first.
func types(be *backend.Backend) string {
	var floats, others []string
	for t, ok := range be.Capabilities().DTypes {
		if !ok || t == dtypes.InvalidDType {
			continue
		}
		name := strings.ToLower(t.String())
		if t.IsFloat() {
			floats = append(floats, name)
		} else {
			others = append(others, name)
		}
	}
	sort.Strings(floats)
	sort.Strings(others)
	return strings.Join(append(floats, others...), " ")
}

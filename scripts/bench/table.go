package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// tables writes the measurements of one network for people: rates by engine and batch, first calls, ratios.
func tables(arch string, rows []operation, list []result, ratios []ratio) string {
	var s strings.Builder
	fmt.Fprintf(&s, "\n%s, images/s\n", arch)
	grid(&s, rows, list, func(r result) string { return fmt.Sprintf("%s ±%.0f%%", digits(r.Median), 100*r.Spread) })
	for _, r := range list {
		if r.Evaluations > 0 {
			fmt.Fprintf(&s, "RR-BS on %s, batch %d: %.1f forward passes an image, of which 3 for the direction\n", r.Engine, r.Batch, r.Evaluations+3)
		}
	}
	if slices.ContainsFunc(list, func(r result) bool { return r.Devices > 1 }) {
		s.WriteString("the bare graph is for one device only\n")
	}
	fmt.Fprintf(&s, "\n%s, first call with compilation, seconds\n", arch)
	grid(&s, rows, list, func(r result) string { return fmt.Sprintf("%.2f", r.First) })
	costTable(&s, arch, ratios)
	peerTable(&s, arch, rows, list, ratios)
	return s.String()
}

// grid writes a table with a line for each engine and batch size, and a column for each operation.
func grid(s *strings.Builder, rows []operation, list []result, cell func(r result) string) {
	w := tabwriter.NewWriter(s, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "engine\tbatch")
	for _, op := range rows {
		fmt.Fprint(w, "\t", op.title)
	}
	fmt.Fprintln(w)
	for _, line := range lines(list) {
		fmt.Fprintf(w, "%s\t%d", line.Engine, line.Batch)
		for _, op := range rows {
			text := "-"
			for _, r := range list {
				if r.Engine == line.Engine && r.Batch == line.Batch && r.Operation == op.name {
					text = cell(r)
				}
			}
			fmt.Fprint(w, "\t", text)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

// lines returns the first result of each engine and batch size.
func lines(list []result) []result {
	var first []result
	for _, r := range list {
		if !slices.ContainsFunc(first, func(f result) bool { return f.Engine == r.Engine && f.Batch == r.Batch }) {
			first = append(first, r)
		}
	}
	return first
}

// costTable writes the ratios within engines.
func costTable(s *strings.Builder, arch string, ratios []ratio) {
	w := tabwriter.NewWriter(s, 0, 0, 2, ' ', 0)
	title := false
	for _, r := range ratios {
		if r.Peer != "" {
			continue
		}
		if !title {
			fmt.Fprintf(w, "\n%s, times as long\nengine\tbatch\tratio\tmedian\trounds\n", arch)
			title = true
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%.2f\t%.2f to %.2f\n", r.Engine, r.Batch, r.Name, r.Value, r.Lowest, r.Most)
	}
	w.Flush()
}

// peerTable writes the ratios to PyTorch.
func peerTable(s *strings.Builder, arch string, rows []operation, list []result, ratios []ratio) {
	var peers []string
	for _, r := range ratios {
		if r.Peer != "" && !slices.Contains(peers, r.Peer) {
			peers = append(peers, r.Peer)
		}
	}
	for _, peer := range peers {
		fmt.Fprintf(s, "\n%s, images/s over those of %s\n", arch, peer)
		var ours []result
		for _, r := range list {
			i := slices.IndexFunc(ratios, func(q ratio) bool {
				return q.Peer == peer && q.Engine == r.Engine && q.Batch == r.Batch && q.Name == r.Operation
			})
			if i >= 0 {
				r.Median = ratios[i].Value
				ours = append(ours, r)
			}
		}
		grid(s, rows, ours, func(r result) string { return fmt.Sprintf("%.2f", r.Median) })
	}
}

// digits writes a rate with three digits or all before the point.
func digits(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

package misd

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Group is the part of a run whose images carry one label.
type Group struct {
	Name string
	Rows []int // its images, ascending
}

// GroupBy collects the images that carry the same label, labels[i] being that of image i: the name of its class, the
// corruption it was made with, the site it was taken at. Groups come in the order in which people count: whole numbers
// inside the labels by their value, so that "fog 2" comes before "fog 10".
func GroupBy(labels []string) []Group {
	rows := map[string][]int{}
	for i, name := range labels {
		rows[name] = append(rows[name], i)
	}
	groups := make([]Group, 0, len(rows))
	for _, name := range slices.SortedFunc(maps.Keys(rows), compareNatural) {
		groups = append(groups, Group{name, rows[name]})
	}
	return groups
}

// compareNatural orders runs of digits by their value and everything else by bytes; labels that differ in leading zeros
// only are ordered by bytes.
func compareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx == 0 || dy == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		nx, ny := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
		if c := cmp.Or(cmp.Compare(len(nx), len(ny)), cmp.Compare(nx, ny)); c != 0 {
			return c
		}
		x, y = x[dx:], y[dy:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits returns how many digits s starts with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

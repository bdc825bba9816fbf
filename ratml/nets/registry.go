package nets

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A family is a set of architectures with names of one form.
type family struct {
	form    string // shown to users
	pattern *regexp.Regexp
	common  []string // names of the members that are listed, in any order
	build   func(name string, match []string) (*Arch, error)
}

// families are declared in the files that describe them. The first whose pattern a name matches builds it.
var families = []family{
	wideResNets,
	cifarResNets,
	cifarResNeXts,
	cifarDenseNets,
	openMixNets,
	smallCNNs,
	resNets,
	denseNets,
	vggs,
	mobileNets,
	efficientNets,
	convNeXts,
	visionTransformers,
	swins,
}

// Lookup returns the architecture called name. The error for an unknown name lists the forms of the known ones.
func Lookup(name string) (*Arch, error) {
	var forms []string
	for _, f := range families {
		if m := f.pattern.FindStringSubmatch(name); m != nil {
			return f.build(name, m)
		}
		forms = append(forms, f.form)
	}
	return nil, fmt.Errorf("nets: unknown architecture %q; known are\n\t%s", name, strings.Join(forms, "\n\t"))
}

// Names lists the common members of every family, sorted; families such as the wide residual networks have more
// (any depth and width).
func Names() []string {
	var names []string
	for _, f := range families {
		names = append(names, f.common...)
	}
	slices.Sort(names)
	return names
}

// percent returns the share that a name states, 0 where it states none.
func percent(digits string) float64 { return float64(number(digits)) / 100 }

// number returns the number that a name states, 0 where it states none.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

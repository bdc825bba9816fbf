package nets

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A domain is a data set that architectures are named for: it fixes classes, channels and normalisation.
type domain struct {
	classes   int
	input     Input
	mean, std []float32
}

var (
	cifarMean = []float32{0.4914, 0.4822, 0.4465}
	cifarStd  = []float32{0.2023, 0.1994, 0.2010}
	colour32  = Input{32, 32, 3}
	grey28    = Input{28, 28, 1}
)

// wideDomains are normalised as pytorchcv's weights and the official code are, whichever the data set.
var wideDomains = map[string]domain{
	"cifar10":  {10, colour32, cifarMean, cifarStd},
	"cifar100": {100, colour32, cifarMean, cifarStd},
	"svhn":     {10, colour32, cifarMean, cifarStd},
}

var smallDomains = map[string]domain{
	"mnist":         {10, grey28, []float32{0.1307}, []float32{0.3081}},
	"fashion_mnist": {10, grey28, []float32{0.2860}, []float32{0.3530}},
}

// A family is a set of architectures with names of one form.
type family struct {
	form     string // shown to users
	pattern  *regexp.Regexp
	examples []string
	build    func(name string, match []string) (*Arch, error)
}

var families = []family{
	{
		form:     "wrn<depth>_<width>[_dropout<percent>]_{cifar10,cifar100,svhn}",
		pattern:  regexp.MustCompile(`^wrn(\d{1,3})_(\d{1,3})(?:_dropout(\d{1,2}))?_(cifar10|cifar100|svhn)$`),
		examples: []string{"wrn10_1", "wrn16_2", "wrn16_10", "wrn28_10", "wrn40_8"},
		build: func(name string, m []string) (*Arch, error) {
			depth, _ := strconv.Atoi(m[1])
			width, _ := strconv.Atoi(m[2])
			if depth < 10 || (depth-4)%6 != 0 || width < 1 {
				return nil, fmt.Errorf("nets: %s: depth must be 10, 16, 22, 28, ... (6n+4) and width at least 1", name)
			}
			d := wideDomains[m[4]]
			return NewArch(name, d.input, d.classes, d.mean, d.std, wideResNet(depth, width, d.classes, percent(m[3])))
		},
	},
	{
		form:     "smallcnn[_dropout<percent>]_{mnist,fashion_mnist}",
		pattern:  regexp.MustCompile(`^smallcnn(?:_dropout(\d{1,2}))?_(mnist|fashion_mnist)$`),
		examples: []string{"smallcnn"},
		build: func(name string, m []string) (*Arch, error) {
			d := smallDomains[m[2]]
			return NewArch(name, d.input, d.classes, d.mean, d.std, smallCNN([3]int{16, 32, 64}, d.classes, percent(m[1])))
		},
	},
}

// percent returns the share that a name states, 0 where it states none.
func percent(digits string) float64 {
	n, _ := strconv.Atoi(digits)
	return float64(n) / 100
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
	return nil, fmt.Errorf("nets: unknown architecture %q; known are %s", name, strings.Join(forms, ", "))
}

// Names lists the common members of every family, sorted; families such as the wide residual networks have more
// (any depth and width).
func Names() []string {
	var names []string
	for _, d := range []string{"cifar10", "cifar100", "svhn"} {
		for _, e := range families[0].examples {
			names = append(names, e+"_"+d)
		}
	}
	for d := range smallDomains {
		names = append(names, families[1].examples[0]+"_"+d)
	}
	slices.Sort(names)
	return names
}

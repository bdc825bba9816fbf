package nets

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

// cifarDomains are normalised as pytorchcv's weights and the official code are, whichever the data set.
var cifarDomains = map[string]domain{
	"cifar10":  {10, colour32, cifarMean, cifarStd},
	"cifar100": {100, colour32, cifarMean, cifarStd},
	"svhn":     {10, colour32, cifarMean, cifarStd},
}

var smallDomains = map[string]domain{
	"mnist":         {10, grey28, []float32{0.1307}, []float32{0.3081}},
	"fashion_mnist": {10, grey28, []float32{0.2860}, []float32{0.3530}},
}

// arch describes the network that forward builds for the domain.
func (d domain) arch(name string, forward Forward) (*Arch, error) {
	return NewArch(name, d.input, d.classes, d.mean, d.std, forward)
}

// named returns all names of one of the stems and one of the domains.
func named(domains map[string]domain, stems ...string) []string {
	var names []string
	for _, s := range stems {
		for d := range domains {
			names = append(names, s+"_"+d)
		}
	}
	return names
}

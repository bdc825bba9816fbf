package radius

// Attacks returns the radii beyond the paper's in the given protocol, with their defaults: under attacks, by minimum-norm
// attacks, and of the linearised network.
func Attacks(p Protocol) []Estimator {
	var all []Estimator
	for _, a := range []Attack{FGSM(), FGSML2(), PGD(), PGDL2()} {
		for _, targets := range []int{0, 1, 3} {
			if a != FGSM() || targets > 0 { // that is BoundarySearch
				all = append(all, AttackSearch{Protocol: p, Attack: a, Targets: targets})
			}
		}
		a.Random = a.Steps > 1
		if a.Random {
			all = append(all, AttackSearch{Protocol: p, Attack: a})
		}
	}
	all = append(all, DeepFool{Protocol: p}, FAB{Protocol: p})
	if p == Sound {
		all = append(all, DeepFool{Norm: L2}, FAB{Norm: L2})
	}
	return append(all, FMN{}, FMN{Norm: L2}, Exact{}, Exact{Norm: L2}, Full{}, Full{Norm: L2})
}

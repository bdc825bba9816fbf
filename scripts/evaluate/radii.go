package main

import (
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/radius"
)

// search returns the radius that --robust_radius means: the smallest ball in which the attack changes the prediction.
func (o official) search(p radius.Protocol) (confidence.Function, error) {
	a := radius.AttackSearch{Protocol: p}
	if o.Targeted {
		a.Targets = 1
	}
	switch o.Attack {
	case "fgsm":
		if !o.Targeted {
			return radius.BoundarySearch{Protocol: p}, nil
		}
		a.Attack = radius.FGSM()
	case "fgsml2":
		a.Attack = radius.FGSML2()
	case "pgd":
		a.Attack = o.steps(radius.PGD())
	case "pgdl2":
		a.Attack = o.steps(radius.PGDL2())
	case "deepfool", "fab":
		if o.Targeted {
			return nil, usagef("--targeted: %s looks at all classes by itself", o.Attack)
		}
		if o.Attack == "fab" {
			return radius.FAB{Protocol: p}, nil
		}
		return radius.DeepFool{Protocol: p}, nil
	default:
		return nil, usagef("--atk_type %s: want fgsm, fgsml2, pgd, pgdl2, deepfool or fab", o.Attack)
	}
	return a, nil
}

// steps sets what the flags say of an attack of several steps.
func (o official) steps(a radius.Attack) radius.Attack {
	a.Steps, a.Random = o.PGDSteps, !o.PGDCentre
	return a
}

package radius

import (
	"math"
	"math/rand/v2"
)

// Attack moves an image within a ball around it to where another class is more likely. It is a value: [AttackSearch]
// runs whatever attack it is given, and the size of the ball is what that searches for.
//
// The zero value is FGSM (Goodfellow et al. 2015).
type Attack struct {
	Norm      Norm
	Steps     int     // along the gradient, taken anew at each; 0 is 1
	Step      float64 // length of a step as a share of the ball's radius; 0 is 1
	Random    bool    // start from a random place in the ball
	Seed      uint64  // of the random places; they depend on it and on the image's index only
	Unclipped bool    // images may leave [0,1]
}

// FGSM is one step of the ball's radius along the sign of the gradient.
func FGSM() Attack { return Attack{} }

// FGSML2 is one step of the ball's radius along the gradient.
func FGSML2() Attack { return Attack{Norm: L2} }

// PGD is ten steps of a quarter of the ball's radius (Madry et al. 2018), from the image, as the official code has it.
func PGD() Attack { return Attack{Steps: 10, Step: 1. / 4} }

// PGDL2 is ten steps of a fifth of the ball's radius in the L2 norm, from the image, as the official code has it.
func PGDL2() Attack { return Attack{Norm: L2, Steps: 10, Step: 1. / 5} }

// straight tells whether the attack moves along one ray, which does not depend on the ball's radius.
func (a Attack) straight() bool {
	return a.steps() == 1 && a.Step >= 0 && orElse(a.Step, 1) == 1 && !a.Random
}

func (a Attack) steps() int {
	if a.Steps == 0 {
		return 1
	}
	return a.Steps
}

// name is what the official code calls the attack.
func (a Attack) name() string {
	name := "fgsm"
	if a.steps() > 1 {
		name = "pgd"
	}
	if a.Norm == L2 {
		name += "l2"
	}
	if a.Random {
		name += "_random"
	}
	if a.Unclipped {
		name += "_unclipped"
	}
	return name
}

// start puts into x where the attack on an image begins.
func (a Attack) start(x, origin []float32, radius float32, index int) {
	copy(x, origin)
	if !a.Random {
		return
	}
	rng := rand.New(rand.NewPCG(a.Seed, uint64(index)))
	if a.Norm == LInf {
		for i := range x {
			x[i] += radius * (2*rng.Float32() - 1)
		}
	} else {
		delta := make([]float32, len(x))
		for i := range delta {
			delta[i] = float32(rng.NormFloat64())
		}
		scale := radius * rng.Float32() / float32(L2.dual(delta)+leastNorm)
		for i := range x {
			x[i] += scale * delta[i]
		}
	}
	a.clip(x)
}

// move steps from x against the gradient of what is to fall, and back into the ball of the given radius.
func (a Attack) move(x, origin, gradient []float32, radius float32) {
	length := float32(orElse(a.Step, 1)) * radius
	if a.Norm == LInf {
		for i, g := range gradient {
			d := x[i] - length*sign(g) - origin[i]
			x[i] = origin[i] + min(radius, max(-radius, d))
		}
	} else {
		scale := length / float32(L2.dual(gradient)+leastNorm)
		for i, g := range gradient {
			x[i] -= scale * g
		}
		if d := float32(L2.distance(x, origin)); d > radius {
			for i := range x {
				x[i] = origin[i] + (x[i]-origin[i])*(radius/d)
			}
		}
	}
	a.clip(x)
}

func (a Attack) clip(x []float32) {
	if a.Unclipped {
		return
	}
	for i, v := range x {
		x[i] = min(1, max(0, v))
	}
}

func sign(v float32) float32 {
	if v == 0 {
		return 0
	}
	return float32(math.Copysign(1, float64(v)))
}

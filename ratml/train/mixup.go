package train

import (
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/ratml/rat/ratml/dataset"
)

// Mixup mixes every image of a batch with another one of it, and their losses alike: a·x + (1-a)·x' with one a for
// the whole batch, drawn from Beta(Alpha, Alpha) (Zhang et al., "mixup", arXiv:1710.09412; mixup_data in
// models/RadTrainer.py of RAT_MisD).
type Mixup struct {
	Alpha float64 // 0 turns mixing off; the paper of RAT uses 1
}

// Check reports settings that make no sense.
func (m Mixup) Check() error {
	if !(m.Alpha >= 0) || math.IsInf(m.Alpha, 0) {
		return fmt.Errorf("mixup: Alpha is %v, want a positive number, or 0 for no mixing", m.Alpha)
	}
	return nil
}

// Feed returns the source of the mixing weight, float32, and the partner of each image, int32 [batch], or nil where
// mixing is off.
func (m Mixup) Feed() Feed {
	if m.Alpha == 0 {
		return nil
	}
	return mixing{m.Alpha}
}

type mixing struct{ alpha float64 }

func (m mixing) Next(rng *rand.Rand, b *dataset.Batch) ([]any, error) {
	a := distuv.Beta{Alpha: m.alpha, Beta: m.alpha, Src: rng}.Rand()
	partner := make([]int32, b.N)
	for i, p := range rng.Perm(b.N) {
		partner[i] = int32(p)
	}
	return []any{float32(a), partner}, nil
}

// loss builds the loss of mixed images; gradients reach b.Images through both images of each pair.
func (Mixup) loss(b Batch) *Node {
	a, partner := b.Inputs[0], b.Inputs[1]
	rest := OneMinus(a)
	mixed := Add(Mul(a, b.Images), Mul(rest, take(b.Images, partner)))
	logits := b.Net(mixed)
	return Add(Mul(a, b.CrossEntropy(logits, b.Labels)), Mul(rest, b.CrossEntropy(logits, take(b.Labels, partner))))
}

// take returns the elements of x along its first axis that index, int32 [n], lists.
func take(x, index *Node) *Node { return Gather(x, Reshape(index, -1, 1)) }

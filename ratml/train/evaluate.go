package train

import (
	"context"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// Evaluate returns the mean cross-entropy (nats) and the accuracy, in [0,1], of a classifier in evaluation mode.
// batchSize 0 means 64.
func Evaluate(ctx context.Context, clf *nets.Classifier, set dataset.Set, batchSize int) (loss, accuracy float64, err error) {
	defer func() { err = wrap(recover(), err) }()
	if batchSize < 0 {
		return 0, 0, fmt.Errorf("batches of %d images", batchSize)
	}
	if err := fits(clf.Arch, set, "evaluation"); err != nil {
		return 0, 0, err
	}
	e, err := newEvaluation(clf, set, orDefault(batchSize, 64))
	if err != nil {
		return 0, 0, err
	}
	defer e.free()
	return e.run(ctx)
}

// evaluation measures a classifier on a set, as often as wanted.
type evaluation struct {
	arch    *nets.Arch
	loader  dataset.Loader
	program *nets.Program
}

func newEvaluation(clf *nets.Classifier, set dataset.Set, batchSize int) (*evaluation, error) {
	program, err := clf.Compile("evaluation", func(net nets.Network, in []*Node) []*Node {
		images, labels, mask := in[0], in[1], in[2]
		logits := net(images)
		right := ConvertDType(correct(logits, labels), dtypes.Float32)
		return []*Node{ReduceAllSum(Mul(surprise(logits, labels), mask)), ReduceAllSum(Mul(right, mask))}
	})
	if err != nil {
		return nil, err
	}
	n := max(1, clf.Devices)
	batchSize = (min(batchSize, set.Len()) + n - 1) / n * n // the last batch is padded anyway
	return &evaluation{clf.Arch, dataset.Loader{Set: set, BatchSize: batchSize}, program}, nil
}

// run measures the classifier with the weights that it has now.
func (e *evaluation) run(ctx context.Context) (loss, accuracy float64, err error) {
	var sum, right float64
	for b, err := range e.loader.Epoch(ctx, 0) {
		if err != nil {
			return 0, 0, err
		}
		images := e.arch.Images(b.Images)
		out, err := e.program.RunFloats(images, b.Labels, b.Mask)
		images.FinalizeAll()
		if err != nil {
			return 0, 0, err
		}
		sum, right = sum+float64(out[0][0]), right+float64(out[1][0])
	}
	n := float64(e.loader.Set.Len())
	return sum / n, right / n, nil
}

func (e *evaluation) free() { e.program.Free() }

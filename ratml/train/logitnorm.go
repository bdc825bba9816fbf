package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// LogitNorm is the [Objective] that takes the length out of the logits: the cross-entropy of logits that are divided
// by their L2 norm and by a temperature (Wei et al., "Mitigating Neural Network Overconfidence with Logit
// Normalization", arXiv:2205.09310; common/loss_function.py of hongxin001/logitnorm_ood). The network itself and its
// predictions stay as they are: only the loss normalises.
//
// The loss that is logged is this one too.
type LogitNorm struct {
	// Temperature divides the logits of length 1; 0 means 0.04, the paper's by OpenOOD
	// (configs/pipelines/train/train_logitnorm.yml of Jingkang50/OpenOOD). The README of the official code trains with
	// 0.01.
	Temperature float64
}

// Check reports settings that make no sense.
func (n LogitNorm) Check() error {
	if !(n.Temperature >= 0) || !finite(n.Temperature) {
		return fmt.Errorf("LogitNorm: Temperature is %v, want a positive number, or 0 for the default", n.Temperature)
	}
	return nil
}

// Loss implements [Objective].
func (n LogitNorm) Loss(b Batch) Losses {
	logits := b.Net(b.Images)
	loss := b.CrossEntropy(n.normalise(logits), b.Labels)
	return Losses{Total: loss, Clean: loss, Logits: logits}
}

// normalise divides logits [batch, classes] by their norm and the temperature.
func (n LogitNorm) normalise(logits *Node) *Node {
	const tiny = 1e-7 // as in the official code
	square := ReduceAndKeep(Square(logits), ReduceSum, 1)
	isZero := Equal(square, ZerosLike(square))
	norm := Where(isZero, ZerosLike(square), Sqrt(Where(isZero, OnesLike(square), square))) // the root has no slope at 0
	return DivScalar(Div(logits, AddScalar(norm, tiny)), orDefault(n.Temperature, 0.04))
}

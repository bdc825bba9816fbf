package trace

import (
	"errors"
	"fmt"
	"image"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
)

// Move is what a training step does to an image before it learns from it.
type Move struct {
	Index         int
	Label, Pred   int     // Pred is what the classifier says of the image as it is
	Right         bool    // whether that is the label
	Loss, After   float64 // cross-entropy, in nats, of the image as it is and as it is moved
	Size          float64 // largest change of a value
	Image, Moved  image.Image
	Change        image.Image // mid-grey where nothing changes, white and black where a value grows or falls by Size
	Before, Later string      // names of the predicted classes of the image as it is and as it is moved
}

// Moves returns where an objective that moves images, such as train.RAT, moves those of set that index lists, at the
// weights that the classifier has, in evaluation mode. It returns an error if the objective moves none or needs values
// from the host, as mixup does.
func Moves(clf *nets.Classifier, set dataset.Set, objective train.Objective, index ...int) ([]Move, error) {
	if len(index) == 0 {
		return nil, nil
	}
	if f, ok := objective.(train.Feeder); ok {
		if feed, err := f.Feed(set); err != nil || feed != nil {
			return nil, errors.Join(fmt.Errorf("trace: %T with values from the host cannot be followed", objective), err)
		}
	}
	var pixels []float32
	var labels []int32
	for _, i := range index {
		p, label, err := read(set, i)
		if err != nil {
			return nil, err
		}
		pixels, labels = append(pixels, p...), append(labels, int32(label))
	}
	program, err := clf.Compile("moves", func(net nets.Network, in []*Node) []*Node {
		return passes(net, objective, in[0], in[1], clf.Arch.Classes)
	})
	if err != nil {
		return nil, err
	}
	defer program.Free()
	out, err := program.RunFloats(clf.Arch.Images(pixels), labels)
	if err != nil {
		return nil, err
	}
	n := len(index)
	before, moved, after := split(out[0], n), split(out[1], n), split(out[2], n)
	original := split(pixels, n)
	moves := make([]Move, n)
	for k, i := range index {
		if moves[k], err = newMove(set, int(labels[k]), original[k], moved[k], before[k], after[k]); err != nil {
			return nil, err
		}
		moves[k].Index = i
	}
	return moves, nil
}

// passes builds the loss of an objective and returns the first logits, and the input and the logits of the last pass.
func passes(net nets.Network, objective train.Objective, images, labels *Node, classes int) []*Node {
	var inputs, logits []*Node
	seen := func(x *Node) *Node {
		z := net(x)
		inputs, logits = append(inputs, x), append(logits, z)
		return z
	}
	objective.Loss(train.Batch{Net: seen, Images: images, Labels: labels, Classes: classes})
	last := len(inputs) - 1
	if last < 1 || inputs[last] == images {
		panic(fmt.Errorf("trace: %T moves no images", objective))
	}
	return []*Node{logits[0], inputs[last], logits[last]}
}

func newMove(set dataset.Set, label int, original, moved, before, after []float32) (m Move, err error) {
	pred := largest(before)
	m = Move{Label: label, Pred: pred, Right: pred == label, Loss: -math.Log(softmax(before, label)),
		After: -math.Log(softmax(after, label)), Before: class(set, pred), Later: class(set, largest(after))}
	change := make([]float32, len(original))
	for j := range change {
		change[j] = moved[j] - original[j]
		m.Size = max(m.Size, math.Abs(float64(change[j])))
	}
	for j, d := range change {
		change[j] = .5
		if m.Size > 0 {
			change[j] += .5 * d / float32(m.Size)
		}
	}
	var errs [3]error
	m.Image, errs[0] = picture(set, original)
	m.Moved, errs[1] = picture(set, moved)
	m.Change, errs[2] = picture(set, change)
	return m, errors.Join(errs[:]...)
}

package main

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// bareGraph is a training step with nothing around it: forward pass, cross-entropy, gradients and SGD with momentum in
// one graph, images and labels uploaded for each step, the loss read after it. No training with GoMLX is faster without
// other mathematics, so that package train is measured against it.
type bareGraph struct {
	exec  *Exec
	arch  *nets.Arch
	state []*tensors.Tensor // all tensors of the network, then a momentum buffer for each that is trained
}

func newBareGraph(be *backend.Backend, a *nets.Arch, w nets.Weights, rate, decay float64) (*bareGraph, error) {
	b := &bareGraph{arch: a}
	var buffers []*tensors.Tensor
	for _, p := range a.Params {
		b.state = append(b.state, tensors.FromFlatDataAndDimensions(w[p.Name].Data, p.Shape...))
		if p.Trainable() {
			buffers = append(buffers, tensors.FromFlatDataAndDimensions(nets.NewTensor(p.Shape...).Data, p.Shape...))
		}
	}
	b.state = append(b.state, buffers...)
	var err error
	b.exec, err = NewExec(be.Backend, func(in []*Node) []*Node { return b.build(in[0], in[1], in[2:], rate, decay) })
	if err != nil {
		return nil, fmt.Errorf("bare graph of %s: %w", a.Name, err)
	}
	return b, nil
}

// build is the graph: from images [batch, height, width, channels], labels [batch] and state to the loss and the next
// state.
func (b *bareGraph) build(images, labels *Node, state []*Node, rate, decay float64) []*Node {
	vars, weights := map[string]*Node{}, []*Node(nil)
	for i, p := range b.arch.Params {
		vars[p.Name] = state[i]
		if p.Trainable() {
			weights = append(weights, state[i])
		}
	}
	logits := b.arch.Apply(vars, nets.Train, images)
	label := OneHot(labels, b.arch.Classes, logits.DType())
	loss := Neg(ReduceAllMean(ReduceSum(Mul(LogSoftmax(logits), label), 1)))
	gradients := Gradient(loss, weights...)

	out, buffers := []*Node{loss}, []*Node(nil)
	for i, p := range b.arch.Params {
		if !p.Trainable() {
			out = append(out, vars[p.Name]) // running statistics
			continue
		}
		k := len(buffers)
		g := Add(gradients[k], MulScalar(state[i], decay))
		buffer := Add(MulScalar(state[len(b.arch.Params)+k], momentum), g)
		out, buffers = append(out, Sub(state[i], MulScalar(buffer, rate))), append(buffers, buffer)
	}
	return append(out, buffers...)
}

// step trains on a batch and returns its loss before the update.
func (b *bareGraph) step(images []float32, labels []int32) (float32, error) {
	x, y := b.arch.Images(images), tensors.FromFlatDataAndDimensions(labels, len(labels))
	defer x.FinalizeAll()
	defer y.FinalizeAll()
	in := []any{x, y}
	for _, t := range b.state {
		in = append(in, t)
	}
	out, err := b.exec.Call(in...)
	if err != nil {
		return 0, fmt.Errorf("bare graph of %s: %w", b.arch.Name, err)
	}
	b.freeState()
	b.state = out[1:]
	defer out[0].FinalizeAll()
	loss, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return 0, err
	}
	return loss[0], nil
}

func (b *bareGraph) freeState() {
	for _, t := range b.state {
		t.FinalizeAll()
	}
}

func (b *bareGraph) free() {
	b.freeState()
	b.exec.Finalize()
}

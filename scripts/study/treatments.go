package main

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/train"
)

// A treatment is one way of training.
type treatment struct {
	name    string // on the command line and in folders
	label   string // in figures and tables
	moves   bool   // images, by a step size
	mixes   bool   // images
	control bool   // answers a question beside the ablation

	objective func(step float64) train.Objective
	against   []string // what it is compared with
}

// treatments is the table of all ways of training.
//
// AT and RAT minimise the sum of two losses, as in the paper (arXiv:2503.14783, section 4) and the official code, which
// doubles the gradients at the same learning rate. Two controls tell what comes of that alone: plain_x2 counts every
// image twice, as RAT with steps of size 0 would; rat_mean halves RAT's sum.
func treatments(alpha float64) []treatment {
	mixup := train.Mixup{Alpha: alpha}
	return []treatment{
		{name: "plain", label: "plain", objective: always(train.Plain{})},
		{name: "plain_mixup", label: "plain", mixes: true, objective: always(train.Plain{Mixup: mixup}), against: []string{"plain"}},

		{name: "at", label: "AT", moves: true, objective: moving(train.RAT{NoFlex: true}),
			against: []string{"plain", "plain_x2"}},
		{name: "at_mixup", label: "AT", moves: true, mixes: true, objective: moving(train.RAT{NoFlex: true, Mixup: mixup}),
			against: []string{"plain", "plain_mixup"}},
		{name: "reversed_at", label: "reversed AT", moves: true, objective: moving(train.RAT{NoFlex: true, Reverse: true}),
			against: []string{"plain", "plain_x2"}},
		{name: "reversed_at_mixup", label: "reversed AT", moves: true, mixes: true,
			objective: moving(train.RAT{NoFlex: true, Reverse: true, Mixup: mixup}), against: []string{"plain", "plain_mixup"}},

		{name: "rat", label: "RAT", moves: true, objective: moving(train.RAT{}),
			against: []string{"plain", "plain_x2", "at"}},
		{name: "rat_mixup", label: "RAT", moves: true, mixes: true, objective: moving(train.RAT{Mixup: mixup}),
			against: []string{"plain", "plain_mixup", "at_mixup"}},
		{name: "reversed_rat", label: "reversed RAT", moves: true, objective: moving(train.RAT{Reverse: true}),
			against: []string{"plain", "plain_x2"}},
		{name: "reversed_rat_mixup", label: "reversed RAT", moves: true, mixes: true,
			objective: moving(train.RAT{Reverse: true, Mixup: mixup}), against: []string{"plain", "plain_mixup"}},

		{name: "plain_x2", label: "plain, twice", control: true, objective: always(twice{}), against: []string{"plain"}},
		{name: "rat_mean", label: "RAT, mean of losses", moves: true, control: true,
			objective: moving(train.RAT{Lambda: .5, OriginalLambda: .5}), against: []string{"plain"}},
	}
}

func always(o train.Objective) func(float64) train.Objective {
	return func(float64) train.Objective { return o }
}

func moving(r train.RAT) func(float64) train.Objective {
	return func(step float64) train.Objective { r.StepSize = step; return r }
}

// swept is the treatment that is tried with every step size.
const swept = "rat"

// twice is plain training in which every image counts twice: what RAT is with steps of size 0.
type twice struct{ train.Plain }

// Loss implements [train.Objective].
func (p twice) Loss(b train.Batch) train.Losses {
	l := p.Plain.Loss(b)
	b.Net(b.Images) // for the running statistics, which follow both passes of RAT
	l.Total = graph.MulScalar(l.Total, 2)
	return l
}

// passes is about how many forward and backward passes a step takes, for the time left.
func (t treatment) passes() float64 {
	n := 1.
	if t.moves {
		n = 2
	}
	if t.mixes {
		n += .35 // a forward pass of the images as they are
	}
	return n
}

package confidence

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// Ensemble is several classifiers that predict together, by the mean of their softmaxes: networks trained from
// different seeds (Lakshminarayanan et al. 2017) or snapshots of one training (Huang et al. 2017).
type Ensemble struct {
	Members []*nets.Classifier // at least one, with inputs of one size and the same classes
}

// OpenEnsemble returns the ensemble of the networks whose weights are in the safetensors files at paths, all of the
// architecture called arch.
func OpenEnsemble(be *backend.Backend, arch string, paths ...string) (*Ensemble, error) {
	e := &Ensemble{}
	for _, path := range paths {
		c, err := weights.Open(be, arch, path)
		if err != nil {
			return nil, err
		}
		e.Members = append(e.Members, c)
	}
	return e, e.check()
}

func (e *Ensemble) check() error {
	if len(e.Members) == 0 {
		return errors.New("confidence: an ensemble of no networks")
	}
	first := e.Members[0].Arch
	for _, c := range e.Members[1:] {
		if c.Arch.Input != first.Input || c.Arch.Classes != first.Classes {
			return fmt.Errorf("confidence: %s and %s do not make an ensemble: inputs %v and %v, %d and %d classes", first.Name,
				c.Arch.Name, first.Input, c.Arch.Input, first.Classes, c.Arch.Classes)
		}
	}
	return nil
}

// vote is a measure of the members of an ensemble.
type vote struct{ Measure Measure }

func (v vote) name() string { return "ENS" + v.Measure.suffix() }

// Run predicts the images of set by the mean softmax of the members. The run's logits are the logarithms of that mean,
// so that [MSR] and all other scores of logits are those of the ensemble. It returns these scores, or without any given
// MSR, and then ENS_MI and ENS_VR, the mutual information and the variation ratio of [Measure]. The cost of each is the number of members.
func (e *Ensemble) Run(ctx context.Context, s Scorer, set dataset.Set, scores ...Differentiable) (*misd.Run, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	if len(scores) == 0 {
		scores = []Differentiable{MSR{}}
	}
	run, err := e.run(ctx, s, set, scores)
	if err != nil {
		return nil, fmt.Errorf("confidence: ensemble: %w", err)
	}
	return run, nil
}

func (e *Ensemble) run(ctx context.Context, s Scorer, set dataset.Set, scores []Differentiable) (*misd.Run, error) {
	first := e.Members[0]
	for _, f := range scores {
		if err := check(first, set, []Function{f}); err != nil {
			return nil, err
		}
	}
	if s.BatchSize == 0 {
		s.BatchSize = 128
	}
	programs, free, err := e.compile()
	if err != nil {
		return nil, err
	}
	defer free()
	run := &misd.Run{Dataset: s.Dataset, Model: s.Model, Classes: first.Arch.Classes}
	if s.Model == "" {
		run.Model = fmt.Sprintf("%d x %s", len(e.Members), first.Arch.Name)
	}
	columns := e.columns(scores)
	for batch, err := range (dataset.Loader{Set: set, BatchSize: s.BatchSize}).Epoch(ctx, 0) {
		if err != nil {
			return nil, err
		}
		members := make([][]float32, len(programs))
		for i, p := range programs {
			out, err := p.RunFloats(first.Arch.Images(batch.Images))
			if err != nil {
				return nil, fmt.Errorf("member %d: %w", i+1, err)
			}
			members[i] = out[0][:batch.N*run.Classes]
			if err := checkLogits(members[i], run.Classes, run.Len()); err != nil {
				return nil, fmt.Errorf("member %d: %w", i+1, err)
			}
		}
		e.add(run, columns, scores, batch, members)
		if s.Progress != nil {
			s.Progress(run.Len(), set.Len(), "")
		}
	}
	run.Scores = columns
	return run, nil
}

// compile returns a program of each member.
func (e *Ensemble) compile() (programs []*nets.Program, free func(), err error) {
	free = func() {
		for _, p := range programs {
			p.Free()
		}
	}
	for _, c := range e.Members {
		p, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} })
		if err != nil {
			free()
			return nil, nil, err
		}
		programs = append(programs, p)
	}
	return programs, free, nil
}

var votes = []vote{{MutualInformation}, {VariationRatio}}

func (e *Ensemble) columns(scores []Differentiable) []misd.Score {
	var columns []misd.Score
	for _, f := range scores {
		columns = append(columns, misd.Score{Name: f.Name(), Cost: float64(len(e.Members))})
	}
	for _, v := range votes {
		columns = append(columns, misd.Score{Name: v.name(), Cost: float64(len(e.Members))})
	}
	return columns
}

// add appends a batch to the run.
func (e *Ensemble) add(run *misd.Run, columns []misd.Score, scores []Differentiable, b *dataset.Batch, members [][]float32) {
	logits := make([]float32, 0, b.N*run.Classes)
	for i := range b.N {
		z := logMeanSoftmax(members, i*run.Classes, run.Classes)
		logits = append(logits, z...)
		run.Label = append(run.Label, int(b.Labels[i]))
		run.Pred = append(run.Pred, argmax(z))
	}
	run.Logits = append(run.Logits, logits...)
	for i, f := range scores {
		columns[i].Values = append(columns[i].Values, f.Values(logits, run.Classes, nil)...)
	}
	for i, v := range votes {
		c := &columns[len(scores)+i]
		c.Values = append(c.Values, v.Measure.values(logits, run.Classes, members)...)
	}
}

// logMeanSoftmax returns the logarithms of the mean softmax, also where probabilities are too small for a float64.
func logMeanSoftmax(members [][]float32, row, classes int) []float32 {
	out := make([]float32, classes)
	logp := make([]float64, len(members))
	normal := make([]float64, len(members)) // logsumexp of each member
	for i, z := range members {
		normal[i] = logSumExpOf(widen(z[row : row+classes]))
	}
	for c := range out {
		for i, z := range members {
			logp[i] = float64(z[row+c]) - normal[i]
		}
		out[c] = float32(logSumExpOf(logp) - math.Log(float64(len(members))))
	}
	return out
}

// logSumExpOf returns the logarithm of the sum of exponentials.
func logSumExpOf(z []float64) float64 {
	top, _ := top2(z)
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

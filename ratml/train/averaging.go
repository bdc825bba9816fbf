package train

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// Averaging keeps an average of the weights during a training, which the classifier has in the end: [EMA] or [SWA].
// The training itself goes on with its own weights.
type Averaging interface {
	Check() error // reports settings that make no sense
	averaging()
}

// EMA is an exponential moving average of all tensors, running statistics of batch normalisation included, updated
// after every update of the weights. It starts at the weights that the training starts from and its decay does not
// warm up, as timm's ModelEmaV2 and torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn and use_buffers; a
// training of n updates should therefore have a Decay of 1-10/n at most, or it ends near its first weights.
type EMA struct {
	Decay float64 // share of the average that an update leaves, in (0,1); 0 means 0.999, as in PyTorch
}

// Check implements [Averaging].
func (e EMA) Check() error {
	if !(e.Decay >= 0 && e.Decay < 1) { // also NaN
		return fmt.Errorf("EMA: Decay is %v, want a number from 0 (for the default) to below 1", e.Decay)
	}
	return nil
}

func (EMA) averaging() {}

func (e EMA) decay() float64 { return orDefault(e.Decay, 0.999) }

// ema builds an average after one more value, average + (1-decay)*(value-average).
func ema(average, value *Node, decay float64) *Node {
	// This form keeps an average of equal values exact, while decay and 1-decay, rounded, do not add up to 1.
	return Add(average, MulScalar(Sub(value, average), 1-decay))
}

// SWA is stochastic weight averaging (Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
// Generalization", UAI 2018): the equal average of the weights at the ends of epochs. The running statistics of batch
// normalisation, which make no sense for averaged weights, are estimated anew by a pass over the training images, as
// torch.optim.swa_utils.update_bn does. [SWARate] is the schedule to go with it.
//
// Flat minima for failure prediction (Zhu et al., "Rethinking Confidence Calibration for Failure Prediction", ECCV
// 2022; main_fmfp.py of Impression2805/FMFP) averages after 120 of 200 epochs.
type SWA struct {
	From int // epochs before those whose weights are averaged; 0 averages over all
}

// Check implements [Averaging].
func (s SWA) Check() error {
	if s.From < 0 {
		return fmt.Errorf("SWA: From is %d, want a number of epochs", s.From)
	}
	return nil
}

func (SWA) averaging() {}

// averages tells whether the weights at the end of an epoch, counted from 0, are averaged.
func (s SWA) averages(epoch int) bool { return epoch >= s.From }

// weightMean is the equal average of weights, as torch.optim.swa_utils.AveragedModel. The zero value is that of none.
type weightMean struct {
	n       int // weights that were added
	weights nets.Weights
}

// add takes weights of an architecture into the average. Running statistics are replaced, not averaged.
func (m *weightMean) add(a *nets.Arch, w nets.Weights) {
	m.n++
	if m.n == 1 {
		m.weights = w.Clone()
		return
	}
	for _, p := range a.Params {
		average, value := m.weights[p.Name].Data, w[p.Name].Data
		if !p.Trainable() {
			copy(average, value)
			continue
		}
		for i, v := range value {
			average[i] += (v - average[i]) / float32(m.n)
		}
	}
}

// reestimate returns the weights w of clf's architecture with running statistics of batch normalisation that are the
// plain means of those of all batches of an epoch of loader, as torch.optim.swa_utils.update_bn: a last batch that is
// not full counts like the others. Neither clf nor w is changed.
func reestimate(ctx context.Context, clf *nets.Classifier, w nets.Weights, loader dataset.Loader, epoch int) (nets.Weights, error) {
	s, err := newStatistics(clf, w)
	if err != nil {
		return nil, err
	}
	defer s.free()
	if len(s.running) == 0 {
		return w.Clone(), nil
	}
	n := 0
	for batch, err := range loader.Epoch(ctx, epoch) {
		if err != nil {
			return nil, err
		}
		n++
		if err := s.add(batch, n); err != nil {
			return nil, fmt.Errorf("statistics of batch normalisation, batch %d: %w", n, err)
		}
	}
	out := w.Clone()
	for _, k := range s.running {
		name := s.arch.Params[k].Name
		if out[name].Data, err = tensors.CopyFlatData[float32](s.values[k]); err != nil {
			return nil, fmt.Errorf("downloading %s: %w", name, err)
		}
	}
	return out, nil
}

// statistics estimates the running statistics of batch normalisation.
type statistics struct {
	arch    *nets.Arch
	exec    *Exec
	values  []*tensors.Tensor // of Arch.Params, on the device
	running []int             // which of them are running statistics
}

func newStatistics(clf *nets.Classifier, w nets.Weights) (s *statistics, err error) {
	s = &statistics{arch: clf.Arch}
	for i, p := range clf.Arch.Params {
		data := w[p.Name].Data
		if !p.Trainable() {
			s.running = append(s.running, i)
			data = make([]float32, len(data)) // what it starts at counts for nothing
		}
		t := tensors.FromFlatDataAndDimensions(data, p.Shape...)
		s.values = append(s.values, t)
		if err := t.MaterializeOnDevice(clf.Backend.Backend, false, 0); err != nil {
			s.free()
			return nil, fmt.Errorf("uploading %s: %w", p.Name, err)
		}
		t.FinalizeLocal()
	}
	if s.exec, err = NewExec(clf.Backend.Backend, s.build); err != nil {
		s.free()
		return nil, err
	}
	s.exec.WithName("statistics of batch normalisation")
	return s, nil
}

// build is the graph from momentum, images and tensors to the running statistics.
func (s *statistics) build(in []*Node) (running []*Node) {
	vars := map[string]*Node{}
	for i, p := range s.arch.Params {
		vars[p.Name] = in[2+i]
	}
	s.arch.ApplyWith(vars, nets.Options{Mode: nets.Train, Momentum: in[0]}, in[1])
	for _, k := range s.running {
		running = append(running, vars[s.arch.Params[k].Name])
	}
	return running
}

// add takes in the n-th batch, counted from 1.
func (s *statistics) add(batch *dataset.Batch, n int) error {
	images := s.arch.Images(batch.Images[:batch.N*len(batch.Images)/len(batch.Labels)])
	defer images.FinalizeAll()
	args := []any{float32(1 / float64(n)), images}
	for _, v := range s.values {
		args = append(args, v)
	}
	out, err := s.exec.Call(args...)
	if err != nil {
		return err
	}
	for i, k := range s.running {
		s.values[k].FinalizeAll()
		s.values[k] = out[i]
	}
	return nil
}

func (s *statistics) free() {
	for _, v := range s.values {
		v.FinalizeAll()
	}
	if s.exec != nil {
		s.exec.Finalize()
	}
}

package train

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// Fit trains clf on the images of set, starting from the weights that clf has. After each epoch clf has its weights;
// it must not be used elsewhere meanwhile.
//
// Whenever Fit has started to train it returns the history so far, and leaves the weights of the last good step in
// clf, also when it returns an error: ctx's when ctx is done, once the current step is over; [ErrDiverged] when the
// loss or a weight is not finite, with epoch, batch and step; that of an image that cannot be read or of OnEpoch.
// Settings, images and labels that do not fit each other or the network are errors before anything is compiled, as
// far as they can be known.
func Fit(ctx context.Context, clf *nets.Classifier, set dataset.Set, cfg Config) (hist *History, err error) {
	defer func() { err = wrap(recover(), err) }()
	if cfg, err = cfg.complete(clf, set); err != nil {
		return nil, err
	}
	r, err := start(clf, set, cfg)
	if err != nil {
		return nil, err
	}
	defer r.free()

	hist = &History{}
	for epoch := range cfg.Epochs {
		begin := time.Now()
		e, err := r.epoch(ctx, epoch)
		hist.Steps = r.steps
		if err := errors.Join(err, r.keep()); err != nil {
			return hist, err
		}
		e.ImagesPerSecond = float64(r.loader.BatchSize*r.loader.Batches()) / time.Since(begin).Seconds()
		if r.validation != nil {
			if e.ValLoss, e.ValAccuracy, err = r.validation.run(ctx); err != nil {
				return hist, fmt.Errorf("validation after epoch %d: %w", epoch+1, err)
			}
		}
		e.Seconds = time.Since(begin).Seconds()
		hist.Epochs = append(hist.Epochs, e)
		if cfg.OnEpoch != nil {
			if err := cfg.OnEpoch(e); err != nil {
				return hist, fmt.Errorf("after epoch %d: %w", epoch+1, err)
			}
		}
	}
	return hist, nil
}

// epoch trains on every batch once.
func (r *run) epoch(ctx context.Context, epoch int) (Epoch, error) {
	var sum tally
	var lr float64
	for batch, err := range r.loader.Epoch(ctx, epoch) {
		if err != nil {
			return Epoch{}, err
		}
		lr = r.learningRate()
		o, err := r.step.advance(&r.state, lr, batch)
		if err != nil {
			return Epoch{}, fmt.Errorf("epoch %d, batch %d (step %d): %w", epoch+1, 1+r.steps%r.loader.Batches(), r.steps+1, err)
		}
		r.steps++
		sum.add(batch.N, o)
		r.progress(fmt.Sprintf("epoch %d/%d, loss %.4f, accuracy %.1f %%", epoch+1, r.cfg.Epochs, sum.loss(), 100*sum.accuracy()))
	}
	e := sum.epoch()
	e.Epoch, e.Steps, e.LearningRate = epoch+1, r.steps, lr
	return e, nil
}

// run is a training run under way.
type run struct {
	cfg        Config
	clf        *nets.Classifier
	loader     dataset.Loader
	step       *step
	state      state
	validation *evaluation // nil for none
	steps      int         // taken
}

// start compiles what a run needs and uploads the weights.
func start(clf *nets.Classifier, set dataset.Set, cfg Config) (_ *run, err error) {
	r := &run{cfg: cfg, clf: clf, loader: dataset.Loader{
		Set: set, BatchSize: cfg.BatchSize, Shuffle: true, DropLast: true, Seed: cfg.Seed, Transform: cfg.Augment,
	}}
	r.progress("compiling")
	defer func() {
		if err != nil {
			r.free()
		}
	}()
	optimizer := sgd{momentum: cfg.Momentum, decay: cfg.WeightDecay}
	if r.step, err = newStep(clf.Backend, clf.Arch, cfg.Objective, optimizer, cfg.BatchSize); err != nil {
		return nil, err
	}
	if cfg.Validation != nil {
		if r.validation, err = newEvaluation(clf, cfg.Validation, cfg.BatchSize); err != nil {
			return nil, err
		}
	}
	if r.state, err = upload(clf.Backend, clf.Arch, clf.Weights()); err != nil {
		return nil, err
	}
	return r, nil
}

// learningRate returns the rate of the step to come.
func (r *run) learningRate() float64 {
	epoch := float64(r.steps) / float64(r.loader.Batches())
	return r.cfg.Schedule(r.cfg.LearningRate, epoch, float64(r.cfg.Epochs))
}

// keep gives the classifier the weights of the last step.
func (r *run) keep() error {
	w, err := r.state.weights(r.clf.Arch)
	if err != nil {
		return err
	}
	return r.clf.SetWeights(w)
}

func (r *run) progress(note string) {
	if r.cfg.Progress != nil {
		r.cfg.Progress(r.steps, r.cfg.Epochs*r.loader.Batches(), note)
	}
}

func (r *run) free() {
	r.state.free()
	if r.step != nil {
		r.step.free()
	}
	if r.validation != nil {
		r.validation.free()
	}
}

// wrap returns err, or what was recovered from a panic of GoMLX, as an error of this package.
func wrap(recovered any, err error) error {
	switch r := recovered.(type) {
	case nil:
	case error:
		err = r
	default:
		err = fmt.Errorf("%v", r)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("train: %w", err)
}

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
// loss or a weight is not finite, with epoch, batch and step; that of an image that cannot be read or of OnStep or
// OnEpoch. Settings, images and labels that do not fit each other or the network are errors before anything is
// compiled, as far as they can be known.
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

	for r.at.Epoch < cfg.Epochs && err == nil {
		err = r.epoch(ctx)
	}
	if err == nil {
		err = r.finish(ctx)
	}
	return r.hist, errors.Join(err, r.close(errors.Is(err, ErrDiverged)))
}

// epoch trains on every batch of the current epoch that is still to come.
func (r *run) epoch(ctx context.Context) error {
	begin, first := time.Now(), r.at
	s := r.step(first.Epoch)
	if err := r.prepare(s); err != nil {
		return err
	}
	waited := r.profile.start(&r.profile.Wait)
	for batch, err := range r.loader.EpochFrom(ctx, first.Epoch, first.Batch) {
		waited()
		if err == nil {
			err = r.advance(ctx, s, batch)
		}
		if err != nil {
			return err
		}
		waited = r.profile.start(&r.profile.Wait)
	}
	waited()
	seconds := time.Since(begin).Seconds()

	e := r.at.Tally.epoch()
	e.Epoch, e.Steps, e.LearningRate = first.Epoch+1, r.at.Steps, r.rate(r.at.Steps-1)
	e.ImagesPerSecond = float64(r.at.Tally.Images-first.Tally.Images) / seconds
	var err error
	if e.ValLoss, e.ValAccuracy, err = r.validate(ctx); err != nil {
		return fmt.Errorf("validation after epoch %d: %w", e.Epoch, err)
	}
	e.Seconds = time.Since(begin).Seconds()
	if err := r.average(first.Epoch); err != nil {
		return err
	}
	if r.memory != nil {
		r.memory.EndEpoch()
	}
	r.hist.Epochs = append(r.hist.Epochs, e)
	r.untold = true
	r.at = position{Epoch: first.Epoch + 1, Steps: r.at.Steps, Updates: r.at.Updates}
	if r.cfg.OnEpoch != nil {
		if err := r.cfg.OnEpoch(e); err != nil {
			return fmt.Errorf("after epoch %d: %w", e.Epoch, err)
		}
	}
	r.untold = false
	return r.checkpoint(e.ValAccuracy)
}

// advance makes a step with the next batch.
func (r *run) advance(ctx context.Context, s *step, batch *dataset.Batch) error {
	place := fmt.Sprintf("epoch %d, batch %d (step %d)", r.at.Epoch+1, r.at.Batch+1, r.at.Steps+1)
	begin, pace := time.Now(), r.pace()
	feed, err := r.feeds(batch)
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	o, err := s.advance(r.clf.Backend, &r.state, pace, batch, feed, &r.profile)
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	r.count(batch, o, pace)
	if r.memory != nil {
		r.memory.Observe(batch, o.right)
	}

	e := o.step(batch.N)
	e.Step, e.Epoch, e.LearningRate = r.at.Steps, r.at.Epoch+1, pace.rate
	e.ImagesPerSecond = float64(batch.N) / time.Since(begin).Seconds()
	if every := r.cfg.ValidateEvery; every > 0 && r.at.Steps%every == 0 {
		if e.ValLoss, e.ValAccuracy, err = r.validate(ctx); err != nil {
			return fmt.Errorf("validation after step %d: %w", e.Step, err)
		}
	}
	r.progress(fmt.Sprintf("epoch %d/%d, loss %.4f, accuracy %.1f %%", e.Epoch, r.cfg.Epochs, r.at.Tally.loss(), 100*r.at.Tally.accuracy()))
	if r.cfg.OnStep != nil {
		if err := r.cfg.OnStep(e); err != nil {
			return fmt.Errorf("after step %d: %w", e.Step, err)
		}
	}
	r.untold = false
	if c := r.cfg.Checkpoints; c != nil && c.Every > 0 && r.at.Steps%c.Every == 0 && r.at.Batch < r.loader.Batches() {
		if err := r.checkpoint(e.ValAccuracy); err != nil {
			return fmt.Errorf("checkpoint of step %d: %w", e.Step, err)
		}
	}
	return nil
}

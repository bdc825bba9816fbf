package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// run is a training run under way.
type run struct {
	cfg    Config
	clf    *nets.Classifier
	loader dataset.Loader
	began  time.Time

	main, final *step // final is nil for none
	feed        Feed  // of the current objective; nil for none
	feedOf      *step
	memory      Memory // the feed, where it is one

	layout     layout
	state      state
	validation *evaluation // nil for none

	at     position
	untold bool // OnStep or OnEpoch has not taken note of it yet
	hist   *History
	mean   weightMean // of SWA

	settings settings
	keeper   *keeper // nil without checkpoints
	best     float64 // validation accuracy so far
	saved    int     // steps at the last checkpoint

	profile Profile
}

// position tells how far a run is.
type position struct {
	Epoch   int // the current one, from 0
	Batch   int // steps taken in it
	Steps   int // steps taken
	Updates int // updates of the weights
	Tally   tally
}

// start prepares a run and uploads the weights.
func start(clf *nets.Classifier, set dataset.Set, cfg Config) (_ *run, err error) {
	r := &run{cfg: cfg, clf: clf, began: time.Now(), hist: &History{}, best: -1, layout: newLayout(clf.Arch, cfg), loader: dataset.Loader{
		Set: set, BatchSize: cfg.BatchSize, Shuffle: true, DropLast: cfg.DropLast, Seed: cfg.Seed, Transform: cfg.Augment, Workers: cfg.Workers,
	}}
	r.main = newStep(r.layout, cfg, cfg.Objective)
	if cfg.FinalEpochs > 0 {
		r.final = newStep(r.layout, cfg, cfg.FinalObjective)
	}
	defer func() {
		if err != nil {
			r.free()
		}
	}()
	if cfg.Validation != nil {
		before := clf.Devices
		clf.Devices = max(before, cfg.Devices)
		r.validation, err = newEvaluation(clf, cfg.Validation, cfg.BatchSize)
		clf.Devices = before
		if err != nil {
			return nil, err
		}
	}
	if r.state, err = upload(clf.Backend, cfg.Devices, r.layout.initial(clf.Weights())); err != nil {
		return nil, err
	}
	if err := r.prepare(r.step(0)); err != nil {
		return nil, err
	}
	r.settings = r.describe()
	if err := r.openCheckpoints(); err != nil {
		return nil, err
	}
	r.progress("compiling")
	return r, nil
}

// step returns the step of an epoch.
func (r *run) step(epoch int) *step {
	if r.final != nil && epoch >= r.cfg.Epochs-r.cfg.FinalEpochs {
		return r.final
	}
	return r.main
}

// prepare makes the feed of a step's objective the current one.
func (r *run) prepare(s *step) error {
	if r.feedOf == s {
		return nil
	}
	r.feedOf, r.feed, r.memory = s, nil, nil
	f, ok := s.objective.(Feeder)
	if !ok {
		return nil
	}
	var err error
	if r.feed, err = f.Feed(r.loader.Set); err != nil {
		return err
	}
	r.memory, _ = r.feed.(Memory)
	return nil
}

// feeds returns the values that the objective needs for the next step.
func (r *run) feeds(batch *dataset.Batch) ([]any, error) {
	if r.feed == nil {
		return nil, nil
	}
	defer r.profile.start(&r.profile.Feed)()
	const forFeed = 0x7261746d6c // keeps these numbers apart from those of the loader
	return r.feed.Next(rand.New(rand.NewPCG(r.cfg.Seed^forFeed, uint64(r.at.Steps))), batch)
}

// pace returns what the next step is told.
func (r *run) pace() pace {
	p := pace{rate: r.rate(r.at.Steps), update: r.at.Updates + 1, weight: 1}
	if n := r.cfg.Accumulate; n > 1 {
		before := r.at.Batch % n
		if p.weight = 0; before == n-1 || r.at.Batch == r.loader.Batches()-1 {
			p.weight = 1 / float64(before+1)
		}
	}
	return p
}

// rate returns the learning rate of a step.
func (r *run) rate(step int) float64 {
	return r.cfg.Schedule(r.cfg.LearningRate, float64(step)/float64(r.loader.Batches()), float64(r.cfg.Epochs))
}

// count moves on by a step.
func (r *run) count(batch *dataset.Batch, o outcome, p pace) {
	r.untold = true
	r.at.Batch++
	r.at.Steps++
	if p.weight != 0 {
		r.at.Updates++
	}
	r.at.Tally.add(batch.N, o)
	r.hist.Steps = r.at.Steps
	r.profile.Steps++
	if r.profile.Steps == 1 {
		r.profile.First = r.profile.Compute
	}
}

// step returns what is logged of a step on n images.
func (o outcome) step(n int) Step {
	return Step{
		Loss: o.clean, AdversarialLoss: o.adversarial, Accuracy: float64(o.rights()) / float64(n), GradientNorm: o.norm,
		ValLoss: math.NaN(), ValAccuracy: math.NaN(),
	}
}

// validate gives the classifier the weights of the last step and evaluates them; without validation images the results
// are NaN.
func (r *run) validate(ctx context.Context) (loss, accuracy float64, err error) {
	defer r.profile.start(&r.profile.Evaluate)()
	if err := r.keep(); err != nil {
		return 0, 0, err
	}
	if r.validation == nil {
		return math.NaN(), math.NaN(), nil
	}
	return r.validation.run(ctx)
}

// keep gives the classifier the weights of the last step.
func (r *run) keep() error {
	w, err := r.state.averaged(r.layout)
	if err != nil {
		return err
	}
	return r.clf.SetWeights(w)
}

// average takes the weights at the end of an epoch into the mean of SWA.
func (r *run) average(epoch int) error {
	s, ok := r.cfg.Averaging.(SWA)
	if !ok || !s.averages(epoch) {
		return nil
	}
	w, err := r.state.weights(r.layout)
	if err == nil {
		r.mean.add(r.clf.Arch, w)
	}
	return err
}

// finish gives the classifier the weights that the whole training was for.
func (r *run) finish(ctx context.Context) error {
	if r.mean.n == 0 {
		return r.keep()
	}
	w, err := reestimate(ctx, r.clf, r.mean.weights, r.loader, r.cfg.Epochs)
	if err != nil {
		return fmt.Errorf("averaged weights: %w", err)
	}
	return r.clf.SetWeights(w)
}

// close ends the run, wherever it is. Unless it was finished the classifier gets the weights of the last step.
func (r *run) close(diverged bool) error {
	r.profile.Total = time.Since(r.began)
	r.hist.Profile = r.profile
	err := r.closeCheckpoints(diverged)
	r.keeper = nil
	if r.at.Epoch < r.cfg.Epochs {
		err = errors.Join(err, r.keep())
	}
	return err
}

func (r *run) progress(note string) {
	if r.cfg.Progress != nil {
		r.cfg.Progress(r.at.Steps, r.cfg.Epochs*r.loader.Batches(), note)
	}
}

func (r *run) free() {
	if r.keeper != nil { // an error or a panic came before close
		r.keeper.writer.Close()
		r.keeper.dir.Close()
	}
	r.state.free()
	for _, s := range []*step{r.main, r.final} {
		if s != nil {
			s.free()
		}
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

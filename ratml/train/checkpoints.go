package train

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ratml/rat/ratml/checkpoint"
	"github.com/ratml/rat/ratml/nets"
)

// Checkpoints says where the state of a training is kept, and when: always after an epoch and when the training ends
// early. A training that goes on from a checkpoint on the same backend gives the same weights, bit for bit, as one that
// was never interrupted.
type Checkpoints struct {
	Dir   string // the folder, which is made if there is none; see package checkpoint
	Every int    // also after so many steps; 0 is after epochs only
	Keep  int    // newest checkpoints that are kept; 0 means 2. That of the best validation accuracy is kept too

	// Resume goes on from the newest checkpoint that can be read. Without one the training starts anew. Settings must
	// be those of the checkpoint, but Devices need not.
	Resume bool

	// Warn, if not nil, is told of checkpoints that cannot be read or written, which ends nothing. It may be called in
	// another goroutine.
	Warn func(error)
}

// Check reports settings that make no sense.
func (c *Checkpoints) Check() error {
	if c != nil && (c.Dir == "" || c.Every < 0 || c.Keep < 0) {
		return fmt.Errorf("checkpoints in folder %q every %d steps, %d kept: want a folder and no negative number", c.Dir, c.Every, c.Keep)
	}
	return nil
}

func (c *Checkpoints) warn(err error) {
	if c.Warn != nil {
		c.Warn(err)
	}
}

// keeper keeps the state of a run in a folder.
type keeper struct {
	settings *Checkpoints
	dir      *checkpoint.Dir
	writer   checkpoint.Writer
}

// progress is what a checkpoint holds beside tensors.
type progress struct {
	Settings settings
	At       position
	Best     float64 // validation accuracy so far, -1 for none
	Epochs   []Epoch
	Averaged int // weights in the mean of SWA
}

// openCheckpoints opens the folder and goes on from the newest checkpoint, if that is wanted and there is one.
func (r *run) openCheckpoints() error {
	c := r.cfg.Checkpoints
	if c == nil {
		return nil
	}
	dir, err := checkpoint.Open(c.Dir)
	if err != nil {
		return err
	}
	dir.Keep = c.Keep
	r.keeper = &keeper{settings: c, dir: dir, writer: checkpoint.Writer{Dir: dir, Failed: c.warn}}
	steps, err := dir.Steps()
	if err != nil {
		return err
	}
	if !c.Resume {
		if len(steps) > 0 {
			return fmt.Errorf("%s holds checkpoints of a training; go on with it (resume), or remove the folder", c.Dir)
		}
		return nil
	}
	s, warnings, err := dir.Latest()
	for _, w := range warnings {
		c.warn(w)
	}
	if errors.Is(err, checkpoint.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.restore(s); err != nil {
		return fmt.Errorf("checkpoint of step %d in %s: %w", s.Step, c.Dir, err)
	}
	return nil
}

const (
	swaPrefix  = "swa."
	memoryBlob = "memory"
)

// restore makes the state of the run that of a checkpoint.
func (r *run) restore(s *checkpoint.State) error {
	var p progress
	if err := json.Unmarshal(s.Meta, &p); err != nil {
		return err
	}
	if err := r.settings.same(p.Settings); err != nil {
		return err
	}
	values, err := saved(s, r.layout.names(), r.layout.shapes(), "")
	if err != nil {
		return err
	}
	if p.Averaged > 0 {
		n := len(r.clf.Arch.Params)
		mean, err := saved(s, r.layout.names()[:n], r.layout.shapes()[:n], swaPrefix)
		if err != nil {
			return err
		}
		r.mean = weightMean{n: p.Averaged, weights: nets.Weights{}}
		for i, q := range r.clf.Arch.Params {
			r.mean.weights[q.Name] = mean[i]
		}
	}
	restored, err := upload(r.clf.Backend, r.cfg.Devices, values)
	if err != nil {
		return err
	}
	r.state.free()
	r.state, r.at, r.best = restored, p.At, p.Best
	r.hist = &History{Epochs: p.Epochs, Steps: p.At.Steps}
	if err := r.prepare(r.step(r.at.Epoch)); err != nil {
		return err
	}
	if blob, ok := s.Blobs[memoryBlob]; ok && r.memory != nil {
		return r.memory.UnmarshalBinary(blob)
	}
	return nil
}

// saved returns tensors of a checkpoint, or which of them is missing or of another shape.
func saved(s *checkpoint.State, names []string, shapes [][]int, prefix string) ([]*nets.Tensor, error) {
	var list []*nets.Tensor
	for i, n := range names {
		t, ok := s.Tensors[prefix+n]
		data, isFloat := t.Data.([]float32)
		if want := nets.NewTensor(shapes[i]...); !ok || !isFloat || len(data) != len(want.Data) {
			return nil, fmt.Errorf("tensor %s%s is missing or not of shape %v", prefix, n, shapes[i])
		}
		list = append(list, &nets.Tensor{Shape: shapes[i], Data: data})
	}
	return list, nil
}

// checkpoint begins to write a checkpoint. accuracy, which may be NaN, is that of the validation at this step.
func (r *run) checkpoint(accuracy float64) error {
	if r.keeper == nil {
		return nil
	}
	defer r.profile.start(&r.profile.Checkpoint)()
	best := accuracy > r.best
	if best {
		r.best = accuracy
	}
	s, err := r.snapshot()
	if err != nil {
		return err
	}
	r.keeper.writer.Save(s, best)
	r.saved = r.at.Steps
	return nil
}

// snapshot copies the state of the run.
func (r *run) snapshot() (*checkpoint.State, error) {
	values, err := r.state.download(r.layout, 0, r.layout.len())
	if err != nil {
		return nil, err
	}
	s := &checkpoint.State{Step: r.at.Steps, Tensors: map[string]checkpoint.Tensor{}, Blobs: map[string][]byte{}}
	for i, n := range r.layout.names() {
		s.Tensors[n] = checkpoint.Tensor{Shape: values[i].Shape, Data: values[i].Data}
	}
	for n, t := range r.mean.weights.Clone() {
		s.Tensors[swaPrefix+n] = checkpoint.Tensor{Shape: t.Shape, Data: t.Data}
	}
	if r.memory != nil {
		if s.Blobs[memoryBlob], err = r.memory.MarshalBinary(); err != nil {
			return nil, err
		}
	}
	s.Meta, err = json.Marshal(progress{r.settings, r.at, r.best, r.hist.Epochs, r.mean.n})
	return s, err
}

// closeCheckpoints writes a last checkpoint and waits for it, unless the run diverged, its step has one, or OnStep or
// OnEpoch do not know of it: a run that goes on from there would never tell them.
func (r *run) closeCheckpoints(diverged bool) error {
	if r.keeper == nil {
		return nil
	}
	var err error
	if !diverged && !r.untold && r.at.Steps > 0 && r.saved != r.at.Steps {
		err = r.checkpoint(-1)
	}
	err = errors.Join(err, r.keeper.writer.Close())
	return errors.Join(err, r.keeper.dir.Close())
}

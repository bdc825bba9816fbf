package train

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// remembering is plain training whose feed depends on all that it observed.
type remembering struct{ Plain }

func (remembering) Feed(dataset.Set) (Feed, error) { return &observed{}, nil }

func (r remembering) Loss(b Batch) Losses {
	l := r.Plain.Loss(b)
	l.Total = mulScalarNode(l.Total, b.Inputs[0])
	return l
}

type observed struct{ rights, epochs byte }

func (o *observed) Next(rng *rand.Rand, _ *dataset.Batch) ([]any, error) {
	return []any{1 + float32(o.rights)/256 + float32(o.epochs)/16 + rng.Float32()}, nil
}

func (o *observed) Observe(b *dataset.Batch, right []bool) {
	for i := range b.N {
		if right[i] {
			o.rights += byte(b.Index[i])
		}
	}
}
func (o *observed) EndEpoch()                      { o.epochs++ }
func (o *observed) MarshalBinary() ([]byte, error) { return []byte{o.rights, o.epochs}, nil }
func (o *observed) UnmarshalBinary(b []byte) error { o.rights, o.epochs = b[0], b[1]; return nil }

// TestResume interrupts trainings at many steps. Losses and weights must be those of a training without interruption,
// bit for bit.
func TestResume(t *testing.T) {
	set, test := stripes{57, 1}, stripes{20, 2}
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"RAT with mixup, AdamW, EMA", Config{Objective: RAT{Mixup: Mixup{Alpha: 1}}, FinalObjective: RAT{}, FinalEpochs: 1, Optimizer: AdamW{}, Averaging: EMA{Decay: 0.9}, ClipNorm: 1}},
		{"accumulation, SWA", Config{Objective: Plain{}, Accumulate: 3, Averaging: SWA{From: 1}, Schedule: PerEpoch(Cosine(0)), Validation: test}},
		{"memory", Config{Objective: remembering{}, Augment: dataset.RandomCrop(1), DropLast: true}},
	} {
		c.cfg.Epochs, c.cfg.BatchSize, c.cfg.Seed = 3, 8, 5
		t.Run(c.name, func(t *testing.T) {
			backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
				want, weights := interrupted(t, be, set, c.cfg, nil)
				stops := []int{1, 5, 7, 8, 9, 14, 20}
				if be.Kind() != backend.KindGo { // where every start compiles for a second
					stops = []int{9}
				}
				got, others := interrupted(t, be, set, c.cfg, stops)
				require.Equal(t, want, got)
				require.Equal(t, weights, others)
			})
		})
	}
}

// interrupted trains, interrupted after these steps, and returns the losses by step and the final weights.
func interrupted(t *testing.T, be *backend.Backend, set dataset.Set, cfg Config, stops []int) (map[int]float64, nets.Weights) {
	cfg.Checkpoints = &Checkpoints{Dir: filepath.Join(t.TempDir(), "run"), Resume: true, Every: 4, Warn: func(err error) { t.Error(err) }}
	losses := map[int]float64{}
	for {
		clf := tiny(t, be)
		ctx, cancel := context.WithCancel(t.Context())
		cfg.OnStep = func(s Step) error {
			losses[s.Step] = s.Loss
			if len(stops) > 0 && s.Step == stops[0] {
				cancel()
			}
			return nil
		}
		hist, err := Fit(ctx, clf, set, cfg)
		cancel()
		if err == nil {
			require.Empty(t, stops)
			require.Len(t, hist.Epochs, cfg.Epochs)
			return losses, clf.Weights()
		}
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, stops[0], hist.Steps)
		stops = stops[1:]
	}
}

// TestResumeDamaged goes on from the checkpoint before one that was damaged.
func TestResumeDamaged(t *testing.T) {
	be, dir := backendtest.Go(t), t.TempDir()
	cfg := Config{Epochs: 3, BatchSize: 16, Checkpoints: &Checkpoints{Dir: dir}}
	want := tiny(t, be)
	_, err := Fit(t.Context(), want, stripes{64, 1}, cfg)
	require.NoError(t, err)

	newest := filepath.Join(dir, "checkpoint-00000012.safetensors")
	file, err := os.ReadFile(newest)
	require.NoError(t, err)
	file[len(file)/2] ^= 1
	require.NoError(t, os.WriteFile(newest, file, 0o666))
	var warnings []error
	cfg.Checkpoints.Resume, cfg.Checkpoints.Warn = true, func(err error) { warnings = append(warnings, err) }
	first := 0
	cfg.OnStep = func(s Step) error {
		if first == 0 {
			first = s.Step
		}
		return nil
	}
	got := tiny(t, be)
	_, err = Fit(t.Context(), got, stripes{64, 1}, cfg)
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.ErrorContains(t, warnings[0], newest)
	require.Equal(t, 9, first, "the checkpoint before is that of step 8")
	require.Equal(t, want.Weights(), got.Weights())
}

func TestResumeRefuses(t *testing.T) {
	be, dir := backendtest.Go(t), t.TempDir()
	cfg := Config{Epochs: 1, BatchSize: 16, Checkpoints: &Checkpoints{Dir: dir}}
	fit := func(change func(*Config)) error {
		c := cfg
		change(&c)
		_, err := Fit(t.Context(), tiny(t, be), stripes{32, 1}, c)
		return err
	}
	require.NoError(t, fit(func(*Config) {}))
	require.ErrorContains(t, fit(func(*Config) {}), dir+" holds checkpoints")

	cfg.Checkpoints = &Checkpoints{Dir: dir, Resume: true}
	require.NoError(t, fit(func(*Config) {}))
	for want, change := range map[string]func(*Config){
		"batch size: 16, now 8":                            func(c *Config) { c.BatchSize = 8 },
		"objective: Plain{}, now RAT{StepSize 0.1}":        func(c *Config) { c.Objective = RAT{StepSize: 0.1} },
		"optimizer: SGD{}, now AdamW{}":                    func(c *Config) { c.Optimizer = AdamW{} },
		"averaging: none, now EMA{}":                       func(c *Config) { c.Averaging = EMA{} },
		"learning rates: ":                                 func(c *Config) { c.Schedule = Constant(0) },
		"weight decay: 0.0001 of all parameters, now 0.01": func(c *Config) { c.WeightDecay = 0.01 },
		"epochs: 1, now 2":                                 func(c *Config) { c.Epochs = 2 },
		"seed: 0, now 1":                                   func(c *Config) { c.Seed = 1 },
	} {
		err := fit(change)
		require.ErrorContains(t, err, "other settings")
		require.ErrorContains(t, err, want)
	}
}

// TestCheckpointsFailing makes the folder unwritable in the middle: the training goes on and warns.
func TestCheckpointsFailing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var warnings []error
	clf := tiny(t, backendtest.Go(t))
	hist, err := Fit(t.Context(), clf, stripes{64, 1}, Config{
		Epochs: 3, BatchSize: 16,
		Checkpoints: &Checkpoints{Dir: dir, Warn: func(err error) { warnings = append(warnings, err) }},
		OnStep: func(s Step) error {
			if s.Step == 6 {
				return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o666)) // a file where the folder was
			}
			return nil
		},
	})
	require.Error(t, err, "the last checkpoint could not be written")
	require.Len(t, hist.Epochs, 3)
	require.Len(t, warnings, 1, "the same failure is told once")
	require.NotEqual(t, tiny(t, backendtest.Go(t)).Weights(), clf.Weights())
}

// TestResumeTellsEverything interrupts trainings where a step or an epoch is over but OnStep or OnEpoch has not been told,
// or refuses it. The training that goes on must tell it, and its memory must not have counted it twice.
func TestResumeTellsEverything(t *testing.T) {
	be, full := backendtest.Go(t), errors.New("disk full")
	cfg := Config{Objective: remembering{}, Epochs: 2, BatchSize: 16, Validation: stripes{20, 2}, ValidateEvery: 3}
	for _, c := range []struct {
		name         string
		steps        int // told before the interruption
		epochs       int
		interruption func(cfg *Config)
	}{
		{"step", 4, 1, func(c *Config) {
			told := c.OnStep
			c.OnStep = func(s Step) error {
				if s.Step == 5 {
					return full
				}
				return told(s)
			}
		}},
		{"epoch", 4, 0, func(c *Config) { c.OnEpoch = func(Epoch) error { return full } }},
		{"validation after a step", 2, 0, func(c *Config) { c.Validation = &failing{Set: c.Validation, err: full} }},
		{"validation after an epoch", 4, 0, func(c *Config) {
			c.Validation, c.ValidateEvery = &failing{Set: c.Validation, err: full}, 0
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var steps []Step
			var epochs []Epoch
			fit := func(cfg Config) (nets.Weights, error) {
				steps, epochs = nil, nil
				cfg.OnStep = func(s Step) error { steps = append(steps, s.timeless()); return nil }
				cfg.OnEpoch = func(e Epoch) error { epochs = append(epochs, e); return nil }
				if len(cfg.Checkpoints.Dir) > 0 && !cfg.Checkpoints.Resume {
					c.interruption(&cfg)
				}
				clf := tiny(t, be)
				_, err := Fit(t.Context(), clf, stripes{64, 1}, cfg)
				return clf.Weights(), err
			}
			cfg := cfg
			if c.name == "validation after an epoch" {
				cfg.ValidateEvery = 0
			}
			cfg.Checkpoints = &Checkpoints{Dir: t.TempDir(), Resume: true}
			want, err := fit(cfg)
			require.NoError(t, err)
			all := steps

			cfg.Checkpoints = &Checkpoints{Dir: t.TempDir(), Every: 1}
			_, err = fit(cfg)
			require.ErrorIs(t, err, full)
			require.Len(t, steps, c.steps)
			require.Len(t, epochs, c.epochs)
			cfg.Checkpoints = &Checkpoints{Dir: cfg.Checkpoints.Dir, Every: 1, Resume: true}
			got, err := fit(cfg)
			require.NoError(t, err)
			require.LessOrEqual(t, steps[0].Step, c.steps+1, "no step is left out")
			require.Equal(t, len(steps), all[len(all)-1].Step-steps[0].Step+1)
			for i, s := range steps {
				require.Equal(t, all[len(all)-len(steps)+i].Loss, s.Loss, "step %d", s.Step)
			}
			require.Len(t, epochs, 2-c.epochs)
			require.Equal(t, want, got)
		})
	}
}

// failing is a set whose images cannot be read.
type failing struct {
	dataset.Set
	err error
}

func (f *failing) Read(int, []float32) (int, error) { return 0, f.err }

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// study is everything that the options name, opened and checked.
type study struct {
	options
	stderr    io.Writer
	be        *backend.Backend
	table     []treatment
	sources   []*source
	functions []confidence.Function
	known     map[string]*result // by folder: cells that were read and found whole
}

// source is a data set with the net that is trained on it.
type source struct {
	name     string
	arch     *nets.Arch
	training dataset.Set
	test     dataset.Set
	sum      string // hash of the images
}

// A cell is one training.
type cell struct {
	*source
	treatment
	step float64 // of its images, 0 where they are not moved
	seed uint64
}

// way names treatment and step size, as in "rat_0.01".
func (c cell) way() string { return way(c.treatment, c.step) }

func way(t treatment, step float64) string {
	if !t.moves {
		return t.name
	}
	return fmt.Sprintf("%s_%g", t.name, step)
}

func (c cell) String() string {
	if c.moves && c.step == 0 {
		return fmt.Sprintf("%s with the step size to be chosen, seed %d on %s", c.treatment.name, c.seed, c.source.name)
	}
	return fmt.Sprintf("%s, seed %d on %s", c.way(), c.seed, c.source.name)
}

func newStudy(o options, stderr io.Writer) (*study, error) {
	s := &study{options: o, stderr: stderr, table: treatments(o.MixupAlpha), known: map[string]*result{}}
	var err error
	if s.functions, err = functions(); err != nil {
		return nil, err
	}
	for _, name := range o.Datasets {
		src, err := o.open(name)
		if err != nil {
			return nil, err
		}
		s.sources = append(s.sources, src)
	}
	if !o.List && !o.Plan && !o.DryRun {
		if err := os.MkdirAll(o.Out, 0o777); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
	s.be, err = backend.OpenConfig(backend.Config{Name: o.Backend, Log: stderr})
	return s, err
}

func (o options) open(name string) (*source, error) {
	data, err := dataset.Open(name, dataset.Config{Dir: o.DataDir})
	if err != nil {
		return nil, err
	}
	training, err := data.Training()
	if err != nil {
		return nil, err
	}
	arch := o.Arch
	switch {
	case arch != "":
	case name == "cifar10":
		arch = "wrn16_2_cifar10"
	default:
		arch = "smallcnn_" + name
	}
	src := &source{name: name, training: training, test: data.Test}
	if src.arch, err = nets.Lookup(arch); err != nil {
		return nil, err
	}
	if src.arch.Input != nets.Input(training.Shape()) {
		return nil, fmt.Errorf("--arch %s does not take the images of %s, which are %v", arch, name, training.Shape())
	}
	if o.TestSize > data.Test.Len() {
		return nil, fmt.Errorf("--test_size %d: %s has %d test images", o.TestSize, name, data.Test.Len())
	}
	if o.TestSize > 0 {
		src.test = dataset.Take(data.Test, o.TestSize)
	}
	if size := o.images(src); size < o.BatchSize || size+o.ValSize > training.Len() {
		return nil, fmt.Errorf("--train_size, --val_size: %d images to train on in batches of %d and %d for validation: %s has %d",
			size, o.BatchSize, o.ValSize, name, training.Len())
	}
	src.sum, err = hashSets(training, data.Test)
	return src, err
}

// images is the number of images to train on.
func (o options) images(src *source) int {
	if o.TrainSize == 0 {
		return src.training.Len() - o.ValSize
	}
	return o.TrainSize
}

// split returns the images to train on and those for validation; each seed has its own.
func (o options) split(src *source, seed uint64) (training, validation dataset.Set, err error) {
	sets, err := dataset.Split(src.training, seed, o.ValSize, o.images(src))
	if err != nil {
		return nil, nil, err
	}
	return sets[1], sets[0], nil
}

// augment returns how images are changed, and its name.
func (o options) augment(src *source) (dataset.Transform, string) {
	if o.Augment == "none" || o.Augment == "auto" && src.name != "cifar10" {
		return nil, "none"
	}
	return dataset.Chain(dataset.RandomCrop(4), dataset.RandomFlip()), "crop_flip"
}

// hashSets returns a hash of all labels, and of the pixels of some images spread over each set.
func hashSets(sets ...dataset.Set) (string, error) {
	h := sha256.New()
	for _, set := range sets {
		labels, err := dataset.Labels(set)
		if err != nil {
			return "", err
		}
		pixels := make([]float32, set.Shape().Size())
		var some [][]float32
		n := min(64, set.Len())
		for k := range n {
			if _, err := set.Read(k*set.Len()/n, pixels); err != nil {
				return "", err
			}
			some = append(some, slices.Clone(pixels))
		}
		if err := json.NewEncoder(h).Encode([]any{set.Shape(), labels, some}); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// wanted tells whether a treatment is to be trained.
func (s *study) wanted(t treatment) bool { return len(s.Only) == 0 || slices.Contains(s.Only, t.name) }

// sweep returns the cells that need no chosen step size, all of one seed before those of the next.
func (s *study) sweep(src *source) []cell {
	return s.cells(func(t treatment) []float64 {
		switch {
		case !s.wanted(t):
			return nil
		case !t.moves:
			return []float64{0}
		case t.name == swept:
			return s.StepSizes
		}
		return nil
	}, src)
}

// ablation returns the cells of all treatments that move images by the step size, without those of the sweep. The step
// size is 0 where it is to be chosen, from the sweep.
func (s *study) ablation(src *source, step float64) []cell {
	return s.cells(func(t treatment) []float64 {
		if !t.moves || !s.wanted(t) || t.name == swept && (step == 0 || slices.Contains(s.StepSizes, step)) {
			return nil
		}
		return []float64{step}
	}, src)
}

// cells returns the cells of all treatments, with the step sizes that steps gives for each.
func (s *study) cells(steps func(treatment) []float64, src *source) []cell {
	var out []cell
	for i := range s.Seeds {
		for _, t := range s.table {
			for _, step := range steps(t) {
				out = append(out, cell{src, t, step, uint64(i + 1)})
			}
		}
	}
	return out
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/checkpoint"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/ratml/weights"
)

// network returns the architecture, with the output for outliers that OpenMix needs.
func (s *settings) network() (*nets.Arch, error) {
	a, err := nets.Lookup(s.arch)
	if err != nil {
		return nil, err
	}
	if _, ok := s.Objective.(train.OpenMix); ok {
		return a.WithExtraOutputs(1)
	}
	return a, nil
}

// devices returns how many of those that a backend has are used.
func (o options) devices(be *backend.Backend) (int, error) {
	there := be.Devices()
	switch {
	case o.Devices == "all", o.Devices == "" && o.Protocol == "official" && be.Kind() == backend.KindCUDA:
		return there, nil
	case o.Devices == "":
		return 1, nil
	}
	n, err := strconv.Atoi(o.Devices)
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("--devices %q: want a number from 1 on, or all", o.Devices)}
	}
	if n > there {
		return 0, fmt.Errorf("--devices %d: the backend %s has %d", n, be.Kind(), there)
	}
	return n, nil
}

// classifier returns the network to train, with the weights that it begins with.
func (o options) classifier(be *backend.Backend, a *nets.Arch) (*nets.Classifier, error) {
	clf, err := nets.NewClassifier(be, a, a.Init(o.Seed))
	if err != nil {
		return nil, err
	}
	file := o.Init
	if o.Checkpoint != "" {
		if is, err := isCheckpoint(o.Checkpoint); err != nil || is {
			return clf, err
		}
		file = o.Checkpoint
	}
	if file == "" {
		return clf, nil
	}
	return clf, load(clf, file)
}

// load replaces the weights by those in a file. Where nothing fits, the error does not list everything.
func load(clf *nets.Classifier, path string) error {
	if m, err := weights.Metadata(path); err == nil && m["arch"] != clf.Arch.Name {
		if _, err := nets.Lookup(m["arch"]); err == nil { // other programs write names of their own
			return fmt.Errorf("%s holds weights of %s, not of %s", path, m["arch"], clf.Arch.Name)
		}
	}
	err := weights.LoadInto(clf, path)
	if err == nil {
		return nil
	}
	const most = 4
	lines := strings.Split(err.Error(), "\n")
	if len(lines) <= most {
		return err
	}
	return fmt.Errorf("%s; and %d more", strings.Join(lines[:most], "; "), len(lines)-most)
}

// isCheckpoint tells a checkpoint from weights.
func isCheckpoint(path string) (bool, error) {
	m, err := weights.Metadata(path)
	if err != nil {
		return false, fmt.Errorf("--ckpt: %w; want a checkpoint of this command, or weights as safetensors or of torch.save", err)
	}
	return strings.HasPrefix(m["format"], "ratml checkpoint"), nil
}

// adopt puts the checkpoint of another training into the folder that this one goes on from, unless it has its own.
func (o options) adopt(folder string) (err error) {
	if o.Checkpoint == "" {
		return nil
	}
	if is, err := isCheckpoint(o.Checkpoint); err != nil || !is {
		return err
	}
	if _, err := os.Stat(folder); err == nil && o.Resume {
		return nil
	}
	state, err := checkpoint.Read(o.Checkpoint)
	if err != nil {
		return fmt.Errorf("--ckpt: %w", err)
	}
	dir, err := checkpoint.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Save(state, false), dir.Close())
}

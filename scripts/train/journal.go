package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/tensorboard"
	"github.com/ratml/rat/ratml/train"
)

// journal notes how the training goes: in the log and, if that is wanted, for TensorBoard.
type journal struct {
	log    *train.Logger
	every  int          // steps between checkpoints, before which the log must be on the disk; 0 for epochs only
	board  *train.Board // nil for none
	resume bool         // steps of TensorBoard's that are taken again are still to be hidden
}

// openJournal opens the folder --out and the journal in it. That of a training which goes on must have the same settings.
func (j *job) openJournal() (*journal, error) {
	if err := os.MkdirAll(j.flags.Out, 0o777); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	path := j.flags.logPath()
	if err := j.goesOn(path); err != nil {
		return nil, err
	}
	be := j.classifier.Backend
	log, err := train.OpenLog(path, train.RunInfo{Settings: j.describe(), Backend: be.Kind() + " " + be.Version()}, j.flags.Resume)
	if err != nil {
		return nil, err
	}
	log.Every = j.flags.LogEvery
	out := &journal{log: log, every: j.flags.CheckpointEvery, resume: j.flags.Resume}
	if !j.flags.TensorBoard && j.flags.LoggingDir == "" {
		return out, nil
	}
	folder := j.flags.LoggingDir
	if folder == "" {
		folder = filepath.Join(j.flags.Out, "tensorboard")
	}
	w, err := tensorboard.Create(folder)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	out.board = &train.Board{Writer: w, Every: j.flags.LogEvery}
	return out, nil
}

func (o options) logPath() string { return filepath.Join(o.Out, "log.jsonl") }

func holdsLog(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// checkOut returns an error if there is a training in --out that is not to go on.
func (o options) checkOut() error {
	if !o.Resume && holdsLog(o.logPath()) {
		return fmt.Errorf("--out %s holds a training already: go on with it (--resume), or choose another folder", o.Out)
	}
	return nil
}

// goesOn returns an error if there is a training in --out that this one would not go on with.
func (j *job) goesOn(path string) error {
	if !holdsLog(path) {
		return nil
	}
	log, err := train.ReadLog(path)
	if err != nil {
		if log != nil && log.Run.Run == "" {
			return nil // a process was killed while it wrote the first line; OpenLog writes it again
		}
		return err
	}
	before := map[string]string{}
	if saved, ok := log.Run.Settings.(map[string]any); ok {
		for name, value := range saved {
			before[name], _ = value.(string)
		}
	}
	now := j.describe()
	var differ []string
	for name, value := range now {
		if before[name] != value {
			differ = append(differ, fmt.Sprintf("%s: %s, now %s", name, before[name], value))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	return fmt.Errorf("--resume: the training in %s has other settings (%s); use the same, or another folder", j.flags.Out, strings.Join(differ, "; "))
}

// describe names the settings that must be the same when the training goes on. Checkpoints know more of them.
func (j *job) describe() map[string]string {
	count := func(n int) string { return fmt.Sprint(n) }
	m := map[string]string{
		"data set": j.dataset, "architecture": j.arch, "training images": count(j.images.training.Len()), "validation images": "0",
		"augmentation": strings.Join(append([]string{"none"}, j.augment...)[min(1, len(j.augment)):], ","),
		"objective":    train.Describe(j.Objective), "epochs": count(j.Epochs), "batch size": count(j.BatchSize),
		"optimizer": train.Describe(j.Optimizer), "seed": fmt.Sprint(j.Seed),
	}
	if v := j.images.validation; v != nil {
		m["validation images"] = count(v.Len())
	}
	if j.flags.Outliers != "" {
		m["outliers"] = j.flags.Outliers
	}
	return m
}

// Step notes a step.
func (n *journal) Step(s train.Step) error {
	if err := n.log.Step(s); err != nil {
		return err
	}
	if n.every > 0 && s.Step%n.every == 0 {
		if err := n.log.Sync(); err != nil {
			return err
		}
	}
	if n.board == nil {
		return nil
	}
	if n.resume {
		n.resume = false
		if err := n.board.Writer.Purge(int64(s.Step)); err != nil {
			return err
		}
	}
	return n.board.Step(s)
}

// Epoch notes an epoch.
func (n *journal) Epoch(e train.Epoch) error {
	if err := errors.Join(n.log.Epoch(e), n.log.Sync()); err != nil {
		return err
	}
	if n.board == nil {
		return nil
	}
	return n.board.Epoch(e)
}

// Close closes the files.
func (n *journal) Close() error {
	err := errors.Join(n.log.Sync(), n.log.Close())
	if n.board != nil {
		err = errors.Join(err, n.board.Writer.Close())
	}
	return err
}

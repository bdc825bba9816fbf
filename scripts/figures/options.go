package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/figures"
)

// fill sets the defaults of flags that take lists.
func (o *options) fill() {
	if len(o.StepSizes) == 0 {
		o.StepSizes = []float64{0.001, 0.01, 0.03}
	}
	if len(o.Formats) == 0 {
		o.Formats = []string{"png"}
	}
}

var (
	sizes  = map[string]figures.Size{"": {}, "column": figures.Column, "page": figures.Page, "slide": figures.Slide}
	themes = map[string]figures.Theme{"light": figures.Light, "dark": figures.Dark}
)

// check refuses what can be refused before anything is opened.
func (o options) check() error {
	for i, eps := range o.StepSizes {
		if !(eps > 0) || math.IsInf(eps, 1) || slices.Contains(o.StepSizes[:i], eps) {
			return fmt.Errorf("--step_sizes %v: want positive steps, each once", o.StepSizes)
		}
	}
	if o.ValSize < 1 && len(o.StepSizes) > 1 {
		return fmt.Errorf("--val_size %d: the step size is chosen on validation images", o.ValSize)
	}
	for _, f := range []struct {
		name         string
		value, least int
	}{
		{"--train_size", o.TrainSize, 0}, {"--val_size", o.ValSize, 0}, {"--test_size", o.TestSize, 0},
		{"--epochs", o.Epochs, 1}, {"--batch_size", o.BatchSize, 1}, {"--resamples", o.Resamples, 0},
	} {
		if f.value < f.least {
			return fmt.Errorf("%s %d: want %d or more", f.name, f.value, f.least)
		}
	}
	if o.Fresh && len(o.From) > 0 {
		return fmt.Errorf("--fresh trains and --from does not; leave one out")
	}
	return o.checkNames()
}

func (o options) checkNames() error {
	for _, name := range o.Only {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("--only: there is no figure %q, only %s", name, strings.Join(names(), ", "))
		}
	}
	if _, ok := sizes[o.Size]; !ok {
		return fmt.Errorf("--size %q: want column, page or slide", o.Size)
	}
	if _, ok := themes[o.Theme]; !ok {
		return fmt.Errorf("--theme %q: want light or dark", o.Theme)
	}
	for _, f := range o.Formats {
		if !slices.Contains([]string{"png", "svg", "pdf"}, f) {
			return fmt.Errorf("--format %q: want png, svg or pdf", f)
		}
	}
	return nil
}

// wants tells whether a figure is to be drawn.
func (o options) wants(name string) bool { return len(o.Only) == 0 || slices.Contains(o.Only, name) }

// command is the line that makes the same figures again, on the same backend where something is trained.
func (o options) command() string {
	line := "go run ./scripts/figures"
	if len(o.From) > 0 {
		for i, dir := range o.From {
			if i == 0 {
				line += " --from"
			}
			line += " " + quoted(dir)
		}
	} else {
		line += fmt.Sprintf(" --dataset %s --train_size %d --val_size %d --test_size %d --epochs %d --step_sizes %s --batch_size %d",
			o.Dataset, o.TrainSize, o.ValSize, o.TestSize, o.Epochs, strings.Trim(fmt.Sprint(o.StepSizes), "[]"), o.BatchSize)
	}
	line += fmt.Sprintf(" --resamples %d --seed %d", o.Resamples, o.Seed)
	if o.DataDir != "" {
		line += " --data_dir " + quoted(o.DataDir)
	}
	if o.Size != "" {
		line += " --size " + o.Size
	}
	if o.Theme != "light" {
		line += " --theme " + o.Theme
	}
	return line
}

// quoted returns a word as a shell reads it.
func quoted(word string) string {
	special := func(r rune) bool {
		return r < 'a' && !strings.ContainsRune("./_-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", r) || r > 'z'
	}
	if word != "" && !strings.ContainsFunc(word, special) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

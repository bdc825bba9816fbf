package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/ratml/rat/ratml/nets"
)

//go:embed pytorch.py
var torchScript string

// torch measures in PyTorch.
type torch struct {
	python  string
	threads int
	about   torchAbout
}

// torchAbout is what the script says of itself.
type torchAbout struct {
	Version string `json:"version"`
	Nets    map[string]struct {
		Parameters int    `json:"parameters"`
		Source     string `json:"source"` // pytorchcv, or "own" for the one in the script
	} `json:"nets"`
}

// torchRequest is what the script is asked: about itself where there are no operations, else to measure one network.
type torchRequest struct {
	Archs      []torchArch `json:"archs"`
	Threads    int         `json:"threads"`
	Batch      int         `json:"batch"`
	Operations []string    `json:"operations"`
	Rounds     int         `json:"rounds"`
	Seconds    float64     `json:"seconds"`
	Seed       uint64      `json:"seed"`
	Rate       float64     `json:"rate"`
	Decay      float64     `json:"decay"`
	Momentum   float64     `json:"momentum"`
}

type torchArch struct {
	Name     string    `json:"name"`
	Height   int       `json:"height"`
	Width    int       `json:"width"`
	Channels int       `json:"channels"`
	Classes  int       `json:"classes"`
	Mean     []float32 `json:"mean"`
	Std      []float32 `json:"std"`
}

// torchTiming is what the script measured.
type torchTiming struct {
	Layout    string    `json:"layout"`
	Operation string    `json:"operation"`
	First     float64   `json:"first_seconds"`
	Rates     []float64 `json:"images_per_second"`
}

const torchPrefix = "PyTorch "

func isTorch(engine string) bool { return strings.HasPrefix(engine, torchPrefix) }

// openTorch finds out what a Python has, and that its networks are as large as ours.
func openTorch(ctx context.Context, python string, threads int, archs []*nets.Arch) (*torch, error) {
	t := &torch{python: python, threads: threads}
	request := torchRequest{Threads: threads}
	for _, a := range archs {
		request.Archs = append(request.Archs, describe(a))
	}
	if err := t.ask(ctx, request, &t.about); err != nil {
		return nil, err
	}
	for _, a := range archs {
		if n := t.about.Nets[a.Name].Parameters; n != a.ParamCount() {
			return nil, fmt.Errorf("--torch %s: its %s has %d parameters, ours %d", python, a.Name, n, a.ParamCount())
		}
	}
	return t, nil
}

func describe(a *nets.Arch) torchArch {
	return torchArch{a.Name, a.Input.Height, a.Input.Width, a.Input.Channels, a.Classes, a.Mean, a.Std}
}

// measure measures those rows that PyTorch has, in both memory formats.
func (t *torch) measure(ctx context.Context, p plan, a *nets.Arch, batch int) ([]result, error) {
	request := torchRequest{
		Archs: []torchArch{describe(a)}, Threads: t.threads, Batch: batch, Rounds: p.Repeats, Seconds: p.Seconds, Seed: p.Seed,
		Rate: rate, Decay: decay, Momentum: momentum,
	}
	for _, op := range p.rows {
		if op.name != "bare" { // it is GoMLX's
			request.Operations = append(request.Operations, op.name)
		}
	}
	if len(request.Operations) == 0 {
		return nil, nil
	}
	var timings []torchTiming
	if err := t.ask(ctx, request, &timings); err != nil {
		return nil, err
	}
	if want := 2 * len(request.Operations); len(timings) != want {
		return nil, fmt.Errorf("--torch %s: %d measurements, want %d", t.python, len(timings), want)
	}
	var list []result
	for _, m := range timings {
		if len(m.Rates) != p.Repeats {
			return nil, fmt.Errorf("--torch %s: %d rounds of %s, want %d", t.python, len(m.Rates), m.Operation, p.Repeats)
		}
		engine := fmt.Sprintf("%s%s (%s), %s", torchPrefix, t.about.Version, t.about.Nets[a.Name].Source, m.Layout)
		list = append(list, result{
			Arch: a.Name, Engine: engine, Batch: batch, Devices: 1, Operation: m.Operation, timing: newTiming(m.First, m.Rates),
		})
	}
	return list, nil
}

// ask runs the script and reads its answer.
func (t *torch) ask(ctx context.Context, request torchRequest, answer any) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, t.python, "-c", torchScript, string(text))
	cmd.Env = append(os.Environ(), fmt.Sprint("OMP_NUM_THREADS=", t.threads), fmt.Sprint("MKL_NUM_THREADS=", t.threads))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return fmt.Errorf("--torch %s: %w: %s", t.python, err, lines[len(lines)-1])
	case err != nil:
		return fmt.Errorf("--torch %s: %w; want the path of a Python with PyTorch", t.python, err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("--torch %s: answer %.80q: %w", t.python, out, err)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/ratml/rat/ratml/nets"
)

// result is a measurement.
type result struct {
	Arch      string `json:"arch"`
	Engine    string `json:"engine"`
	Batch     int    `json:"batch"`
	Devices   int    `json:"devices"`
	Operation string `json:"operation"`
	timing
	Evaluations float64 `json:"evaluations_per_image,omitempty"` // of RR-BS, in forward passes
}

// report is all that was measured.
type report struct {
	Machine machine  `json:"machine"`
	Repeats int      `json:"repeats"`
	Seconds float64  `json:"seconds"`
	Seed    uint64   `json:"seed"`
	Results []result `json:"results"`
	Ratios  []ratio  `json:"ratios"`
}

// run measures what the options ask for and prints the tables, one network after the other.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	p, err := newPlan(o)
	if err != nil {
		return err
	}
	defer p.free()
	rep := report{Machine: thisMachine(), Repeats: o.Repeats, Seconds: o.Seconds, Seed: o.Seed}
	var peer *torch
	if o.Torch != "" {
		if peer, err = openTorch(ctx, o.Torch, rep.Machine.Threads, p.archs); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "%s\nimages/s: median of %d rounds, and half their range; at least %g s a round\n", rep.Machine, o.Repeats, o.Seconds)
	for _, a := range p.archs {
		list, err := p.network(ctx, a, peer, stderr)
		ratios := ratiosOf(list)
		if len(list) > 0 {
			fmt.Fprint(stdout, tables(a.Name, p.rows, list, ratios))
		}
		if err != nil {
			return err
		}
		rep.Results, rep.Ratios = append(rep.Results, list...), append(rep.Ratios, ratios...)
	}
	if o.JSON == "" {
		return nil
	}
	text, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.JSON, append(text, '\n'), 0o666)
}

// network measures one network, on our engines and then on a peer, nil for none. With an error it returns what was
// measured before.
func (p plan) network(ctx context.Context, a *nets.Arch, peer *torch, stderr io.Writer) (list []result, err error) {
	for _, batch := range p.Batches {
		for _, e := range p.engines {
			fmt.Fprintf(stderr, "bench: %s, %s, batch %d\n", a.Name, e.Kind(), batch)
			r, err := p.measure(ctx, a, e, batch)
			if err != nil {
				return list, fmt.Errorf("%s, %s, batch %d: %w", a.Name, e.Kind(), batch, err)
			}
			list = append(list, r...)
		}
		if peer == nil {
			continue
		}
		fmt.Fprintf(stderr, "bench: %s, PyTorch, batch %d\n", a.Name, batch)
		r, err := peer.measure(ctx, p, a, batch)
		if err != nil {
			return list, fmt.Errorf("%s, PyTorch, batch %d: %w", a.Name, batch, err)
		}
		list = append(list, r...)
	}
	return list, nil
}

// measure measures the rows on one engine. The bare graph is for one device only.
func (p plan) measure(ctx context.Context, a *nets.Arch, e engine, batch int) (list []result, err error) {
	s, err := newSubject(e, a, batch, p.Seed)
	if err != nil {
		return nil, err
	}
	var works []*work
	for _, op := range p.rows {
		if op.name == "bare" && e.devices > 1 {
			continue
		}
		w, err := op.build(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.title, err)
		}
		defer w.free()
		works = append(works, w)
		list = append(list, result{Arch: a.Name, Engine: e.Kind(), Batch: batch, Devices: e.devices, Operation: op.name})
	}
	timings, err := measure(ctx, works, p.Repeats, p.least())
	if err != nil {
		return nil, err
	}
	for i, w := range works {
		list[i].timing = timings[i]
		if w.evaluations != nil {
			list[i].Evaluations = w.evaluations()
		}
	}
	return list, nil
}

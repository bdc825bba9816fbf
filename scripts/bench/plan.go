package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// plan is what the options ask for.
type plan struct {
	options
	archs   []*nets.Arch
	engines []engine
	rows    []operation
}

// engine is an open backend and the number of its devices to use.
type engine struct {
	*backend.Backend
	devices int
}

func (p plan) free() {
	for _, e := range p.engines {
		e.Finalize()
	}
}

// newPlan completes the options and opens the engines.
func newPlan(o options) (p plan, err error) {
	p.options = o
	switch {
	case o.Repeats < 1:
		return p, usagef("--repeats %d: want at least 1", o.Repeats)
	case !(o.Seconds > 0 && o.Seconds <= 3600):
		return p, usagef("--seconds %g: want a time up to 3600", o.Seconds)
	}
	if len(o.Batches) == 0 {
		p.Batches = []int{32, 128}
	}
	for _, n := range p.Batches {
		if n < 1 {
			return p, usagef("--batch %d: want at least 1", n)
		}
	}
	if len(o.Archs) == 0 {
		p.Archs = []string{"wrn16_2_cifar10", "smallcnn_mnist"}
	}
	for _, name := range p.Archs {
		a, err := nets.Lookup(name)
		if err != nil {
			return p, usagef("--arch: %w", err)
		}
		p.archs = append(p.archs, a)
	}
	if p.rows, err = choose(o.Only); err != nil {
		return p, err
	}
	if len(o.Backends) == 0 {
		p.Backends = installed()
	}
	return p, p.open()
}

// choose returns the operations of the given names, all if there are none.
func choose(names []string) ([]operation, error) {
	var known []string
	for _, op := range operations {
		known = append(known, op.name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, usagef("--only %s: want some of %s", n, strings.Join(known, " "))
		}
	}
	if len(names) == 0 {
		return operations, nil
	}
	var list []operation
	for _, op := range operations {
		if slices.Contains(names, op.name) {
			list = append(list, op)
		}
	}
	return list, nil
}

// installed returns the engines that there are without further ado.
func installed() []string {
	if backend.HasXLA() && slices.ContainsFunc(backend.Plugins(), func(p backend.Plugin) bool { return p.Err == nil }) {
		return []string{"xla", "go"}
	}
	return []string{"go"}
}

// open opens the engines. What is open when one fails is closed.
func (p *plan) open() (err error) {
	defer func() {
		if err != nil {
			p.free()
		}
	}()
	for _, name := range p.Backends {
		be, err := backend.OpenConfig(backend.Config{Name: name, Quiet: true})
		if err != nil {
			return err
		}
		e := engine{be, be.Devices()}
		p.engines = append(p.engines, e)
		if p.options.Devices != "all" {
			n, err := strconv.Atoi(p.options.Devices)
			if err != nil || n < 1 || n > be.Devices() {
				return usagef("--devices %s: %s has %d; want a number up to that, or all", p.options.Devices, be.Kind(), be.Devices())
			}
			p.engines[len(p.engines)-1].devices, e.devices = n, n
		}
		for _, batch := range p.Batches {
			if batch%e.devices != 0 {
				return usagef("--batch %d does not divide over %d devices of %s", batch, e.devices, be.Kind())
			}
		}
		if p.Torch != "" && strings.Contains(be.Kind(), "cuda") {
			return usagef("--torch measures on the CPU, which %s is not to be compared with", be.Kind())
		}
	}
	return nil
}

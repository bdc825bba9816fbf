package weights

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ratml/rat/ratml/nets"
)

// Identify returns the names of the architectures, among those of [nets.Names], whose tensors are those of the file at
// path, by name and shape; if there are none, those that it fits under the names of another scheme that [Fit] knows.
// Where the file says which architecture it is of, under the key "arch" of its metadata, and fits that one, only it is
// returned. It reads no values.
func Identify(path string) ([]string, error) {
	f, err := Inspect(path)
	if err != nil {
		return nil, err
	}
	return f.Fitting()
}

// Fitting returns the names of the architectures that the file fits; see [Identify].
func (f *File) Fitting() ([]string, error) {
	shapes := map[string][]int{}
	for _, t := range f.Tensors {
		if !t.Ignored && t.Name != "mean" && t.Name != "std" {
			shapes[t.Name] = t.Shape
		}
	}
	var other []map[string][]int // under the names of other schemes
	for _, s := range schemes {
		if o := renamed(s, shapes); o != nil {
			other = append(other, o)
		}
	}
	fits := func(name string) (fit, error) {
		params, err := parameters(name)
		switch {
		case err != nil:
			return not, err
		case has(params, shapes):
			return asNamed, nil
		case slices.ContainsFunc(other, func(w map[string][]int) bool { return has(params, w) }):
			return renaming, nil
		}
		return not, nil
	}
	if name := f.Metadata["arch"]; name != "" {
		if how, err := fits(name); err == nil && how != not {
			return []string{name}, nil
		}
	}
	names := nets.Names()
	how, errs := make([]fit, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				how[i], errs[i] = fits(names[i])
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	best := slices.Max(how)
	var fitting []string
	for i, name := range names {
		if best != not && how[i] == best {
			fitting = append(fitting, name)
		}
	}
	return fitting, nil
}

// A fit is how a file goes with an architecture.
type fit int

const (
	not      fit = iota
	renaming     // under the names of another scheme
	asNamed
)

// known are the parameters of architectures that were asked for, by name: large networks take tens of milliseconds to
// describe, and there are many.
var known sync.Map

// parameters returns those of the architecture called name.
func parameters(name string) ([]nets.Param, error) {
	if p, ok := known.Load(name); ok {
		return p.([]nets.Param), nil
	}
	a, err := nets.Lookup(name)
	if err != nil {
		return nil, err
	}
	known.Store(name, a.Params)
	return a.Params, nil
}

// has tells whether the tensors of these names and shapes are exactly the parameters.
func has(params []nets.Param, shapes map[string][]int) bool {
	if len(params) != len(shapes) {
		return false
	}
	for _, p := range params {
		if s, ok := shapes[p.Name]; !ok || !slices.Equal(s, p.Shape) {
			return false
		}
	}
	return true
}

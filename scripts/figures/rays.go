package main

import (
	"errors"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/trace"
)

// An example is an image whose ray is shown.
type example struct {
	name  string
	index int
}

// examples chooses, by the largest softmax probability, the surest right prediction whose search found a boundary, the
// least sure right one, and the surest wrong one, as far as there are such.
func examples(run *misd.Run) ([]example, error) {
	sure, search := run.Score("MSR"), run.Score("RR_fgsm")
	if sure == nil || search == nil {
		return nil, errors.New("the run lacks MSR or RR_fgsm")
	}
	confident, borderline, wrong := -1, -1, -1
	for i, right := range run.Correct() {
		v := sure.Values[i]
		switch {
		case !right:
			if wrong < 0 || v > sure.Values[wrong] {
				wrong = i
			}
		default:
			if !search.Unflipped[i] && (confident < 0 || v > sure.Values[confident]) {
				confident = i
			}
			if borderline < 0 || v < sure.Values[borderline] {
				borderline = i
			}
		}
	}
	var out []example
	for _, e := range []example{{"confident", confident}, {"borderline", borderline}, {"mistake", wrong}} {
		if e.index >= 0 {
			out = append(out, e)
		}
	}
	return out, nil
}

// rays follows the examples along the direction of RR-BS.
func rays(c *nets.Classifier, set dataset.Set, run *misd.Run) ([]figures.Ray, error) {
	chosen, err := examples(run)
	if err != nil {
		return nil, err
	}
	var index []int
	for _, e := range chosen {
		index = append(index, e.index)
	}
	out, err := trace.Rays(c, set, run, index...)
	for k := range out {
		out[k].Name = chosen[k].name
	}
	return out, err
}

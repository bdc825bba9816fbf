package confidence

import (
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Combined is a function of the columns of others, computed when those are.
type Combined interface {
	Function
	// Of returns the functions whose columns are combined.
	Of() []Function
	// Combine returns the score of each image from the columns [function][image].
	Combine(columns [][]float64) []float64
}

// Gated is a function that is settled for some images in the shared pass, and found by a search for the others.
type Gated interface {
	Function
	// Settle returns the score of each image of a batch and which images are to be searched instead.
	Settle(logits []float32, classes int, built [][]float32) (values []float64, open []bool)
	// Search returns the search.
	Search() Searcher
	// Place returns the score of an image whose search has ended.
	Place(radius.Result) float64
}

// Learner is a function that learns from a validation run: from its logits and labels, and from the columns of what it
// needs.
type Learner interface {
	Function
	// Objective says what is optimised, in a few words.
	Objective() string
	// Learn returns the function as learned, and the value of the objective, NaN where it has none.
	Learn(validation *misd.Run) (Function, float64, error)
}

// needy is a [Learner] that learns from the columns of other functions.
type needy interface{ Needs() []Function }

// checker is a function that cannot run with every classifier, or not as it is.
type checker interface {
	check(c *nets.Classifier) error
}

// expand returns the functions with all that they combine, each once.
func expand(functions []Function) []Function {
	all := append([]Function(nil), functions...)
	for i := 0; i < len(all); i++ {
		c, ok := all[i].(Combined)
		if !ok {
			continue
		}
		for _, part := range c.Of() {
			if find(all, part) < 0 {
				all = append(all, part)
			}
		}
	}
	return all
}

// find returns the index of a function with the same parameters, or -1.
func find(functions []Function, f Function) int {
	for i, g := range functions {
		if g != nil && f != nil && key(g) == key(f) {
			return i
		}
	}
	return -1
}

// combine computes the columns of combined functions, parts first. A part's searches count for the whole.
func combine(functions []Function, columns []misd.Score) {
	done := make([]bool, len(functions))
	var column func(i int) misd.Score
	column = func(i int) misd.Score {
		c, ok := functions[i].(Combined)
		if !ok || done[i] {
			return columns[i]
		}
		done[i] = true
		var parts [][]float64
		for _, f := range c.Of() {
			part := column(find(functions, f))
			parts = append(parts, part.Values)
			columns[i].Cost += part.Cost - f.Cost()
		}
		columns[i].Values = c.Combine(parts)
		return columns[i]
	}
	for i := range functions {
		column(i)
	}
}

package report

import (
	"fmt"
	"io"
	"reflect"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"github.com/ratml/rat/ratml/misd"
	"github.com/sbinet/npyio/npz"
)

// WriteScoresNPZ writes a run as arrays that numpy.load reads: index, label, pred (int64 [n]), correct (bool [n]),
// one float64 [n] a score, and logits (float32 [n,classes]) where the run has them. A score that a search found has
// four more: NAME_lower, NAME_upper (float64, the bracket of the radius in pixel units), NAME_unflipped (bool) and
// NAME_evaluations (int64, forward passes after the gradient). NAME_cost is the score's cost in forward equivalents
// (a scalar), where it is known.
func WriteScoresNPZ(path string, run *misd.Run) error {
	if err := checkRun(run); err != nil {
		return fmt.Errorf("report: writing %s: %w", path, err)
	}
	err := atomicfile.Write(path, func(w io.Writer) error { return encodeNPZ(w, run) })
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func encodeNPZ(w io.Writer, run *misd.Run) error {
	z := npz.NewWriter(w)
	var err error
	put := func(name string, v any) {
		if err == nil {
			err = z.Write(name+".npy", v)
		}
	}
	index := make([]int64, run.Len())
	for i := range index {
		index[i] = int64(i)
	}
	put("index", index)
	put("label", int64s(run.Label))
	put("pred", int64s(run.Pred))
	put("correct", run.Correct())
	if run.Logits != nil && run.Len() > 0 {
		put("logits", matrix(run.Logits, run.Classes))
	}
	for _, s := range run.Scores {
		put(s.Name, s.Values)
		if s.Lower != nil {
			put(s.Name+suffixLower, s.Lower)
		}
		if s.Upper != nil {
			put(s.Name+suffixUpper, s.Upper)
		}
		if s.Unflipped != nil {
			put(s.Name+suffixUnflipped, s.Unflipped)
		}
		if s.Evaluations != nil {
			put(s.Name+suffixEvaluations, int64s(s.Evaluations))
		}
		if s.Cost != 0 {
			put(s.Name+suffixCost, s.Cost)
		}
	}
	if err != nil {
		return err
	}
	return z.Close()
}

func int64s(v []int) []int64 {
	w := make([]int64, len(v))
	for i, x := range v {
		w[i] = int64(x)
	}
	return w
}

// matrix returns the rows of v as a slice of arrays, the form in which npyio writes two dimensions of float32.
func matrix(v []float32, columns int) any {
	array := reflect.ArrayOf(columns, reflect.TypeFor[float32]())
	rows := reflect.MakeSlice(reflect.SliceOf(array), len(v)/columns, len(v)/columns)
	for i := range rows.Len() {
		reflect.Copy(rows.Index(i), reflect.ValueOf(v[i*columns:(i+1)*columns]))
	}
	return rows.Interface()
}

package confidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/optimize"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Stack is a logistic regression of being right on the ranks of other scores, learned on validation data. Ranks are the
// share of validation images with a lower score, so that scales do not matter and the weights can be compared. The
// strength of the ridge penalty is chosen by cross-fitting, which also gives the log-loss on images left out.
type Stack struct {
	Functions []Function // to fit beforehand; names must differ
	Folds     int        // of the cross-fitting; 0 is 5
	Seed      uint64     // of the folds

	// The rest is learned.

	Bias    float64
	Weights []float64 // of the rank of each function, centred at one half
	Penalty float64   // chosen strength of the ridge
	LogLoss float64   // mean of images left out, in nats
	ranks   []ranks
}

// stackJSON is a [Stack] in a file.
type stackJSON struct {
	Functions []record
	Folds     int
	Seed      uint64
	Bias      float64
	Weights   []float64
	Penalty   float64
	LogLoss   float64
	Ranks     []ranks
}

// MarshalJSON writes functions with their parameters and all that was learned.
func (s *Stack) MarshalJSON() ([]byte, error) {
	j := stackJSON{nil, s.Folds, s.Seed, s.Bias, s.Weights, s.Penalty, s.LogLoss, s.ranks}
	for _, f := range s.Functions {
		r, err := encode(f)
		if err != nil {
			return nil, err
		}
		j.Functions = append(j.Functions, r)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote. Functions of types unknown to [ByName] are taken from those that s has.
func (s *Stack) UnmarshalJSON(data []byte) error {
	var j stackJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	t := Stack{nil, j.Folds, j.Seed, j.Bias, j.Weights, j.Penalty, j.LogLoss, j.Ranks}
	for _, r := range j.Functions {
		f, err := r.decode(s.Functions)
		if err != nil {
			return err
		}
		t.Functions = append(t.Functions, f)
	}
	for _, r := range t.ranks {
		if err := r.valid(); err != nil {
			return err
		}
	}
	*s = t
	return nil
}

// penalties are the candidates for the strength of the ridge, for mean log-loss.
var penalties = []float64{1e-5, 1e-4, 1e-3, 1e-2, 1e-1}

// Name returns "Stack".
func (*Stack) Name() string { return "Stack" }

// String returns the weights, the heaviest scores being those that the logit depends on most.
func (s *Stack) String() string {
	if s.Weights == nil {
		return fmt.Sprintf("Stack of %d scores, not fitted", len(s.Functions))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Stack: %.3g", s.Bias)
	for i, f := range s.Functions {
		fmt.Fprintf(&b, " %+.3g %s", s.Weights[i], f.Name())
	}
	return b.String()
}

// Cost returns at most what all functions cost in one run, before searches.
func (s *Stack) Cost() float64 {
	sum := 1.0
	for _, f := range s.Functions {
		sum += math.Max(0, f.Cost()-1)
	}
	return sum
}

// Build returns nothing: the functions build for themselves.
func (s *Stack) Build(*radius.Probe) []*graph.Node { return nil }

// Of returns the functions.
func (s *Stack) Of() []Function { return s.Functions }

// Needs returns the functions.
func (s *Stack) Needs() []Function { return s.Functions }

// Combine returns the logit of being right.
func (s *Stack) Combine(columns [][]float64) []float64 {
	v := make([]float64, len(columns[0]))
	for i := range v {
		v[i] = s.Bias
		for j, c := range columns {
			v[i] += s.Weights[j] * (s.ranks[j].at(c[i]) - 0.5)
		}
	}
	return v
}

// Objective returns "cross-fitted log-loss".
func (s *Stack) Objective() string { return "cross-fitted log-loss" }

// Learn fits the weights to a run with the columns of all functions. It returns an error where all predictions are
// right or all are wrong, a column is missing, or there are fewer images than folds.
func (s *Stack) Learn(run *misd.Run) (Function, float64, error) {
	t := *s
	if t.Folds == 0 {
		t.Folds = 5
	}
	correct := run.Correct()
	if err := t.learnable(run, correct); err != nil {
		return nil, 0, fmt.Errorf("Stack: %w", err)
	}
	t.ranks = nil
	x := make([][]float64, len(correct)) // [image][function]
	for _, f := range s.Functions {
		column := run.Score(f.Name())
		if column == nil {
			return nil, 0, fmt.Errorf("Stack: the run has no score %s", f.Name())
		}
		r, err := newRanks(column.Values)
		if err != nil {
			return nil, 0, fmt.Errorf("Stack: %s: %w", f.Name(), err)
		}
		t.ranks = append(t.ranks, r)
		for i, v := range column.Values {
			x[i] = append(x[i], r.at(v)-0.5)
		}
	}
	t.LogLoss = math.Inf(1)
	for _, penalty := range penalties {
		loss, err := crossFit(x, correct, penalty, t.Folds, t.Seed)
		if err != nil {
			return nil, 0, fmt.Errorf("Stack: %w", err)
		}
		if loss < t.LogLoss {
			t.LogLoss, t.Penalty = loss, penalty
		}
	}
	w, err := logistic(x, correct, t.Penalty)
	if err != nil {
		return nil, 0, fmt.Errorf("Stack: %w", err)
	}
	t.Bias, t.Weights = w[0], w[1:]
	return &t, t.LogLoss, nil
}

func (s *Stack) learnable(run *misd.Run, correct []bool) error {
	right := 0
	for _, ok := range correct {
		if ok {
			right++
		}
	}
	switch {
	case len(s.Functions) == 0:
		return errors.New("no scores to stack")
	case s.Folds < 2 || len(correct) < s.Folds:
		return fmt.Errorf("%d validation images in %d folds", len(correct), s.Folds)
	case right == 0 || right == len(correct):
		return fmt.Errorf("%d of %d validation predictions are right; it learns from both kinds", right, len(correct))
	}
	seen := map[string]bool{}
	for _, f := range s.Functions {
		if seen[f.Name()] {
			return fmt.Errorf("score %s is listed twice", f.Name())
		}
		seen[f.Name()] = true
	}
	return nil
}

func (s *Stack) check(c *nets.Classifier) error {
	if s.Weights == nil || len(s.Weights) != len(s.Functions) || len(s.ranks) != len(s.Functions) {
		return errors.New("Stack has no weights yet; fit it first")
	}
	return nil
}

// crossFit returns the mean log-loss of images that were left out of the fit that judges them.
func crossFit(x [][]float64, y []bool, penalty float64, folds int, seed uint64) (float64, error) {
	order := rand.New(rand.NewPCG(seed, 0)).Perm(len(x))
	loss := 0.0
	for fold := range folds {
		var trainX, testX [][]float64
		var trainY, testY []bool
		for k, i := range order {
			if k%folds == fold {
				testX, testY = append(testX, x[i]), append(testY, y[i])
			} else {
				trainX, trainY = append(trainX, x[i]), append(trainY, y[i])
			}
		}
		w, err := logistic(trainX, trainY, penalty)
		if err != nil {
			return 0, err
		}
		loss += logLoss(w, testX, testY) * float64(len(testX)) / float64(len(x))
	}
	return loss, nil
}

// logistic returns bias and weights that minimise the mean log-loss of y plus half the penalty times the sum of squared
// weights, the bias not counted.
func logistic(x [][]float64, y []bool, penalty float64) ([]float64, error) {
	problem := optimize.Problem{
		Func: func(w []float64) float64 {
			ridge := 0.0
			for _, v := range w[1:] {
				ridge += v * v
			}
			return logLoss(w, x, y) + penalty/2*ridge
		},
		Grad: func(grad, w []float64) {
			clear(grad)
			for i, row := range x {
				d := 1 / (1 + math.Exp(-linear(w, row)))
				if y[i] {
					d--
				}
				d /= float64(len(x))
				grad[0] += d
				for j, v := range row {
					grad[j+1] += d * v
				}
			}
			for j, v := range w[1:] {
				grad[j+1] += penalty * v
			}
		},
	}
	settings := &optimize.Settings{GradientThreshold: 1e-9, Converger: &optimize.FunctionConverge{Absolute: 1e-13, Iterations: 50}}
	start := make([]float64, len(x[0])+1)
	result, err := optimize.Minimize(problem, start, settings, &optimize.BFGS{})
	if result == nil {
		return nil, fmt.Errorf("logistic regression: %w", err)
	}
	for _, v := range result.X { // a line search that can go no lower is an error to optimize, not to us
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("logistic regression: weights %v: %w", result.X, err)
		}
	}
	return result.X, nil
}

// logLoss returns the mean of log(1+exp(-z)) of the right and log(1+exp(z)) of the wrong.
func logLoss(w []float64, x [][]float64, y []bool) float64 {
	sum := 0.0
	for i, row := range x {
		z := linear(w, row)
		if y[i] {
			z = -z
		}
		sum += math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z)))
	}
	return sum / float64(len(x))
}

// linear returns w_0 + w_1 x_0 + ...
func linear(w, row []float64) float64 {
	z := w[0]
	for j, v := range row {
		z += w[j+1] * v
	}
	return z
}

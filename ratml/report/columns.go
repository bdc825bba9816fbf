package report

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// Columns says how a table of any tool is read. The zero value takes every column that has no other meaning as a score.
//
// Columns are known by their names, upper or lower case:
//
//   - label (or labels, target, targets, y, y_true): the true class, a whole number from 0;
//   - pred (preds, prediction, predictions, predicted, y_pred): the predicted class;
//   - correct (is_correct): 1 or true where the prediction is right, which is enough where classes do not matter;
//   - probabilities, logits: in .csv a column a class, prob_0, prob_1, ... (or probs_, p_, probability_, softmax_) and
//     logit_0, logit_1, ... (logits_); in .npz an array [n,classes] called probs, prob, probabilities, softmax or logits;
//   - index, idx, id, a column without a name, and "Unnamed: 0": left out.
//
// Larger scores must mean more confident; name the others in Uncertainty.
type Columns struct {
	Scores      []string // the columns that are scores; nil means all that have no other meaning
	Uncertainty []string // scores of which larger values mean less confident, as an entropy: they are negated
	Groups      []string // columns of text or numbers to group images by
}

// Grouping holds columns to group by, as [EvaluateGroups] takes them.
type Grouping map[string][]string

// ReadColumns reads a table with the zero [Columns].
func ReadColumns(path string) (*misd.Run, error) {
	run, _, err := Columns{}.Read(path)
	return run, err
}

// Read reads a table (.csv, .tsv and .txt, separated by commas, semicolons or tabs, with the names of the columns in the
// first line; or .npz) that holds for every image correct, or label and pred, or label and probabilities or logits, and
// any number of scores. Where there are probabilities or logits, the prediction is the first of their largest, MSR (the
// largest probability) is added to the scores unless it is there, and the logits of the run are the logarithms of the
// probabilities. With correct alone, right predictions have label 0 and prediction 0, wrong ones prediction 1. The name
// of the file becomes that of the classifier.
//
// Columns that contradict each other, NaN, values that are no numbers or no classes, probabilities that do not sum to 1
// and missing columns are errors that name the file, the line (row of an array, from 0) and the column. Constant scores,
// infinities, and predictions that are all right or all wrong are legal.
func (c Columns) Read(path string) (*misd.Run, Grouping, error) {
	var f *frame
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".csv", ".tsv", ".txt":
		f, err = c.readText(path)
	case ".npz":
		f, err = c.readNPZ(path)
	default:
		err = fmt.Errorf("the ending %q is none of .csv, .tsv, .txt, .npz", ext)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("report: reading %s: %w", path, err)
	}
	run, err := c.assemble(f)
	if err != nil {
		return nil, nil, fmt.Errorf("report: reading %s: %w", path, err)
	}
	run.Model = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return run, f.groups, nil
}

// role is what a column means.
type role int

const (
	roleScore role = iota
	roleLabel
	rolePred
	roleCorrect
	roleProbability
	roleLogit
	roleGroup
	roleNone
)

var roleNames = map[role][]string{
	roleLabel:       {"label", "labels", "target", "targets", "y", "y_true"},
	rolePred:        {"pred", "preds", "prediction", "predictions", "predicted", "y_pred"},
	roleCorrect:     {"correct", "is_correct"},
	roleProbability: {"probs", "prob", "probabilities", "softmax"},
	roleLogit:       {"logits"},
	roleNone:        {"index", "idx", "id", "", "unnamed: 0"},
}

var classColumn = regexp.MustCompile(`^(probs?|p|probability|probabilities|softmax|logits?)[_ .](\d{1,8})$`)

// roleOf returns the meaning of a column and, for that of one class, the class; -1 for others.
func (c Columns) roleOf(name string) (r role, class int) {
	lower := strings.ToLower(name)
	if slices.Contains(c.Groups, name) {
		return roleGroup, -1
	}
	if slices.Contains(c.Scores, name) || slices.Contains(c.Uncertainty, name) {
		return roleScore, -1
	}
	for r, names := range roleNames {
		if slices.Contains(names, lower) {
			return r, -1
		}
	}
	if m := classColumn.FindStringSubmatch(lower); m != nil {
		class, _ := strconv.Atoi(m[2]) // eight digits at most
		if strings.HasPrefix(m[1], "logit") {
			return roleLogit, class
		}
		return roleProbability, class
	}
	if c.Scores != nil {
		return roleNone, -1
	}
	return roleScore, -1
}

// checkNamed tells which of the columns asked for the table does not have.
func (c Columns) checkNamed(have []string) error {
	for _, name := range slices.Concat(c.Scores, c.Uncertainty, c.Groups) {
		if !slices.Contains(have, name) && (name != msr || !slices.Contains(c.Scores, name)) {
			return fmt.Errorf("there is no column %s, only %s", name, strings.Join(have, ", "))
		}
	}
	return nil
}

const msr = "MSR"

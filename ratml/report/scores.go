package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ratml/rat/ratml/misd"
)

// The columns that every file of scores starts with.
var fixedColumns = []string{"index", "label", "pred", "correct"}

// What a search knows of each image, as the endings of array names in an .npz file.
const (
	suffixLower       = "_lower"
	suffixUpper       = "_upper"
	suffixUnflipped   = "_unflipped"
	suffixEvaluations = "_evaluations"
	suffixCost        = "_cost"
)

var suffixes = []string{suffixLower, suffixUpper, suffixUnflipped, suffixEvaluations, suffixCost}

// checkRun tells what keeps run from being written so that it can be read again.
func checkRun(run *misd.Run) error {
	if run == nil {
		return fmt.Errorf("there is no run")
	}
	if err := run.Validate(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := range run.Scores {
		s := &run.Scores[i]
		if err := checkName(s.Name); err != nil {
			return err
		}
		if seen[s.Name] {
			return fmt.Errorf("two scores are called %s", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a score has no name")
	case slices.Contains(fixedColumns, name) || name == "logits":
		return fmt.Errorf("a score must not be called %s: that column has another meaning", name)
	case strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the score name %q holds a slash or a control character", name)
	case strings.TrimSpace(name) != name || strings.HasSuffix(name, ".npy"):
		return fmt.Errorf("the score name %q starts or ends with a space, or ends in .npy", name)
	}
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return fmt.Errorf("the score name %s must not end in %s", name, s)
		}
	}
	return nil
}

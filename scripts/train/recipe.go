package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ratml/rat/ratml/train"
)

// listRecipes writes a table of the recipes, and where each comes from.
func listRecipes(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RECIPE\tEPOCHS\tBATCH\tRATE\tDECAY\tOBJECTIVE")
	for _, r := range train.Recipes() {
		c := r.Config
		fmt.Fprintf(t, "%s\t%d\t%d\t%g\t%g\t%s\n", r.Name, c.Epochs, c.BatchSize, c.LearningRate, c.WeightDecay, train.Describe(c.Objective))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range train.Recipes() {
		fmt.Fprintf(w, "\n%s: %s on %s, %s\n", r.Name, r.Arch, r.Dataset, about(r.Config))
		fmt.Fprintf(w, "  source: %s\n", r.Source)
		if r.KeptBack > 0 {
			fmt.Fprintf(w, "  %d training images are kept back for validation\n", r.KeptBack)
		}
		if r.Note != "" {
			fmt.Fprintf(w, "  %s\n", r.Note)
		}
	}
	return nil
}

// about tells of a configuration what the table does not.
func about(c train.Config) string {
	s := train.Describe(c.Optimizer)
	rate := func(share float64) float64 {
		return c.Schedule(c.LearningRate, share*float64(c.Epochs), float64(c.Epochs))
	}
	s += fmt.Sprintf(", rate %.2g, %.2g, %.2g, %.2g after 0, 25, 50, 75 %% of the epochs", rate(0), rate(.25), rate(.5), rate(.75))
	if c.FinalEpochs > 0 {
		s += fmt.Sprintf(", the last %d with %s", c.FinalEpochs, train.Describe(c.FinalObjective))
	}
	s += ", " + cmp.Or(map[bool]string{true: "cropped and flipped"}[c.Augment != nil], "not augmented")
	if c.Averaging != nil {
		s += ", " + train.Describe(c.Averaging)
	}
	return s
}

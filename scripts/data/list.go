package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
)

type listOptions struct {
	Root string `arg:"--root" placeholder:"DIR" help:"folder below which the data sets are [default: $DATASET_ROOT_DIR]"`
	Name string `arg:"positional" placeholder:"NAME" help:"tell of this data set alone"`
}

func (listOptions) Description() string {
	return "Lists the data sets that are known, the files they want below --root, and where they are found."
}

func runList(_ context.Context, args []string, stdout, _ io.Writer) error {
	var o listOptions
	return parsed(&o, "data list", args, stdout, func() error { return list(o, stdout) })
}

// list describes the data sets.
func list(o listOptions, stdout io.Writer) error {
	known := false
	for _, d := range dataset.Catalog() {
		if o.Name != "" && o.Name != d.Name {
			continue
		}
		known = true
		names := strings.Join(append([]string{d.Name}, d.Aliases...), ", ")
		fmt.Fprintf(stdout, "%s: %s\n", names, d.About)
		for _, line := range strings.Split(d.Layout, "\n") {
			fmt.Fprintln(stdout, "    files:", line)
		}
		found, err := dataset.Find(d.Name, dataset.Config{Dir: o.Root})
		if err != nil {
			found = "no"
		}
		fmt.Fprintln(stdout, "    found:", found)
	}
	if !known {
		return usagef("%q: no such data set", o.Name)
	}
	return nil
}

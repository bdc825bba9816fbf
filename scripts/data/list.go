package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ratml/rat/ratml/dataset"
)

type listOptions struct {
	Root string `arg:"--root" placeholder:"DIR" help:"folder below which the data sets are [default: $DATASET_ROOT_DIR]"`
}

func (listOptions) Description() string {
	return "Lists the data sets that are known and whether they are found below --root."
}

func runList(_ context.Context, args []string, stdout, _ io.Writer) error {
	var o listOptions
	return parsed(&o, "data list", args, stdout, func() error { return list(o, stdout) })
}

// list prints a line a data set.
func list(o listOptions, stdout io.Writer) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, name := range dataset.Names() {
		found := "not found"
		if data, err := dataset.Open(name, dataset.Config{Dir: o.Root}); err == nil {
			found = data.Source
		}
		fmt.Fprintf(w, "%s\t%s\n", name, found)
	}
	return w.Flush()
}

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ratml/rat/scripts/evaluate/internal/parts"
)

// mergeOptions are the flags of evaluate merge.
type mergeOptions struct {
	Dirs []string `arg:"positional,required" placeholder:"DIR" help:"the --out folders of runs with --shard"`
	Out  string   `arg:"--out,required" help:"folder for scores.csv, scores.npz, metrics.json and run.json"`
	Plot bool     `arg:"--plot" help:"draw risk_coverage.png and cost.png too"`
	paging
}

func (mergeOptions) Description() string {
	return "Joins what runs with --shard scored and judges it: the files are those of the run without --shard, to the byte. Parts that are missing, there twice, damaged, or of another run are refused. The parts are left where they are."
}

func merge(ctx context.Context, o mergeOptions, stdout, stderr io.Writer) error {
	chosen, err := o.load()
	if err != nil {
		return err
	}
	var stores []*parts.Store
	for _, dir := range o.Dirs {
		s, err := parts.Existing(dir)
		if err != nil {
			return fmt.Errorf("merge: %w", err)
		}
		stores = append(stores, s)
	}
	splits, err := parts.Join(stores...)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if err := writable(o.Out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	j := judgement{stores[0].Manifest, stderr}
	if err := j.checkPolicy(chosen); err != nil {
		return fmt.Errorf("--policy %s: %w", o.Policy, err)
	}
	found, err := j.finish(ctx, splits, o.Out, o.Plot, stdout)
	if err != nil || o.HTML == "" {
		return err
	}
	p, err := j.page(ctx, o.paging, found, nil)
	if err != nil {
		return err
	}
	return o.save(p, stderr)
}

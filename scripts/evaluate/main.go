// Command evaluate scores the test images of a data set with a trained classifier and judges every score.
//
//	go run ./scripts/evaluate --dataset mnist --arch smallcnn_mnist --ckpt out/weights.safetensors --robust_radius --out out
//
// It takes the flags of the official code's main.py, abbreviated as there where that is not ambiguous. Into the folder
// --out it writes scores.csv, scores.npz, metrics.json and run.json (what was run, and the parameters that were fitted);
// the leaderboard goes to standard output. With --n_exps n all is done on n validation splits, each with files of its
// own in split_1, split_2, ... With --ood_dataset the test images of another data set are mixed in, after scores were
// fitted without them; ood.json judges the mixture, ood/scores.csv and ood/scores.npz are of those images.
//
// Images are scored in chunks, and each finished chunk is kept in the folder parts of --out until the run is complete.
// A run that was interrupted, however that came about, goes on with --resume and ends in the same bytes. With --shard
// i/n (i from 0) only a part of the chunks is scored:
//
//	go run ./scripts/evaluate ... --shard 0/2 --out part0
//	go run ./scripts/evaluate ... --shard 1/2 --out part1
//	go run ./scripts/evaluate merge part0 part1 --out whole
//
// writes to whole what the run without --shard writes. All shards may share one --out.
//
// With --html FILE, which columns and merge have too, the run is also written as a page for browsers: leaderboard,
// figures, the worst mistakes and borderline images, the classes one by one, what a --policy does to these images, and
// how all was made, in one file that needs neither the network nor a script. With --resume it is made from a finished
// run. From columns and merge, which have no images, it shows none.
//
// Other jobs are named by the first argument:
//
//	evaluate policy    choose a threshold with a guarantee and write it to a policy file
//	evaluate apply     accept or reject new images by a policy file, and warn of drift
//	evaluate columns   judge columns of confidences from any tool
//	evaluate seeds     sum up runs of classifiers trained from different seeds
//	evaluate compare   paired differences of scores or classifiers, ranks over data sets, metrics by class
//	evaluate merge     join what runs with --shard scored
//
// each with its own --help. The exit status is 0, 1 after an error, 2 after a mistake in the command line, 3 where apply
// --strict found drift, and 130 after Ctrl-C. Files are written whole or not at all.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alexflint/go-arg"
)

// The exit statuses.
const (
	exitError       = 1
	exitUsage       = 2
	exitDrift       = 3
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command runs the command line args and returns the exit status.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errDrift):
		return exitDrift
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "evaluate: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "evaluate:", strings.ReplaceAll(err.Error(), "\n", "; "))
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return exitError
}

// dispatch finds out which job is meant, reads its flags and runs it.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	job := ""
	if len(args) > 0 {
		job = args[0]
	}
	switch job {
	case "policy":
		var o policyOptions
		return parsed(&o, "evaluate policy", args[1:], stdout, func() error { return makePolicy(ctx, o, stdout, stderr) })
	case "apply":
		var o applyOptions
		return parsed(&o, "evaluate apply", args[1:], stdout, func() error { return apply(ctx, o, stdout, stderr) })
	case "columns":
		o := columnsOptions{paging: paging{command: args}}
		return parsed(&o, "evaluate columns", args[1:], stdout, func() error { return columns(ctx, o, stdout, stderr) })
	case "seeds":
		var o seedsOptions
		return parsed(&o, "evaluate seeds", args[1:], stdout, func() error { return seeds(ctx, o, stdout, stderr) })
	case "compare":
		var o compareOptions
		return parsed(&o, "evaluate compare", args[1:], stdout, func() error { return compare(ctx, o, stdout) })
	case "merge":
		o := mergeOptions{paging: paging{command: args}}
		return parsed(&o, "evaluate merge", args[1:], stdout, func() error { return merge(ctx, o, stdout, stderr) })
	}
	o := options{paging: paging{command: args}}
	return parsed(&o, "evaluate", args, stdout, func() error { return run(ctx, o, stdout, stderr) })
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// parsed reads flags into dst and goes on with then, or prints the help that was asked for.
func parsed(dst any, program string, args []string, stdout io.Writer, then func() error) error {
	p, err := arg.NewParser(arg.Config{Program: program}, dst)
	if err != nil {
		panic(err) // the tags of the options are wrong
	}
	args, err = spellOut(args, flagNames(dst))
	if err != nil {
		return usageError{err}
	}
	switch err := p.Parse(args); {
	case errors.Is(err, arg.ErrHelp):
		p.WriteHelp(stdout)
		return nil
	case err != nil:
		return usageError{err}
	}
	return then()
}

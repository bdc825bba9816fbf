// Command train trains a classifier and writes its weights.
//
//	go run ./scripts/train --dataset mnist --objective rat --epochs 10 --out out
//
// Into the folder --out it writes
//
//	weights.safetensors   the result, also when the training was interrupted
//	log.jsonl             lines of JSON: one about the run, one every --log_every steps, one an epoch
//	checkpoints           what --resume goes on from
//
// and tensorboard and profile.json where they are asked for. The accuracy on the test images goes to standard output.
//
// Commands of the official trainer, models/train.py of Trustworthy-ML-Lab/RAT_MisD, run verbatim, with the network and
// its weights trained by the same rules; --protocol official has that trainer's defaults and quirks too. Settings of
// published results are recipes, which --recipes lists.
//
// A training that was interrupted, however that came about, goes on with the same command and --resume, and ends in the
// same weights, bit for bit on the same backend. Ctrl-C ends it after the current step. The exit status is 0, 1 after an
// error, 2 after a mistake in the command line, and 130 after Ctrl-C.
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
	"time"

	"github.com/alexflint/go-arg"
)

// The exit statuses.
const (
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		time.Sleep(time.Second) // timeout(1) sends its signal twice
		stop()                  // from now on a signal ends the process at once
	})
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command runs the command line args and returns the exit status.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, arg.ErrHelp):
		err = help(stdout)
	case err == nil && o.Recipes:
		err = listRecipes(stdout)
	case err == nil:
		err = run(ctx, o, stdout, stderr)
	}
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "train: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "train:", oneLine(err))
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return exitError
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// parse reads the flags.
func parse(args []string) (options, error) {
	var o options
	p, err := arg.NewParser(arg.Config{Program: "train"}, &o)
	if err != nil {
		panic(err) // the tags of the options are wrong
	}
	args, official := translate(args)
	if err := p.Parse(args); err != nil {
		if errors.Is(err, arg.ErrHelp) {
			return o, err
		}
		return o, usageError{err}
	}
	o.officialCommand = official || o.Protocol == "official"
	return o, nil
}

// oneLine returns an error's text as one line, without the name of the package that is this command's too.
func oneLine(err error) string {
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), "train: ")
}

// Command bench measures how fast images are classified, differentiated, trained on and searched.
//
//	go run ./scripts/bench --json bench.json
//	go run ./scripts/bench --backend xla --arch wrn16_2_cifar10 --batch 128 --torch venv/bin/python
//
// For each network, engine and batch size it prints images/s of
//
//	forward    the logits, by the network as it scores (batch normalisation folded)
//	gradient   the gradient of the soft margin with respect to the image, and the logits
//	bare       a plain training step written directly in GoMLX (baregraph.go): the bound for the next row
//	plain      a training step of ratml/train on the cross-entropy: from one call of OnStep in train.Fit to the next, so
//	           that loading, upload, log and check are in it
//	rat        the same on the objective of radius-aware training
//	rr_fast    RR-Fast
//	rr_bs      RR-BS with the sound protocol; the evaluations it took are printed too
//
// each from images on the host to results on the host. Weights, images and labels are random, by --seed; --arch names any
// architecture of ratml/nets.
//
// First calls, which compile, are not in the rates but in a table of their own. Repeats go round: each round measures
// every row for at least --seconds, so that what else the machine does meets all of them; ratios between rows are
// taken round by round. A rate is the median over rounds, its spread half the range.
//
// With --torch, the path of a Python with PyTorch, the same is measured there (pytorch.py) after our rows, on the CPU, with
// as many threads, in both memory formats; RR-BS is the loop of the official code there, 24 times a gradient and a
// forward pass. WRNs are those of pytorchcv if that is installed, else written out in pytorch.py.
//
// The exit status is 0, 1 after an error, 2 after a mistake in the command line, and 130 after Ctrl-C.
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

type options struct {
	Archs    []string `arg:"--arch" help:"networks, separated by spaces [default: wrn16_2_cifar10 smallcnn_mnist]"`
	Backends []string `arg:"--backend" help:"engines: xla, xla:cuda, xla:/path/to/plugin.so, go [default: xla if a plugin is installed, and go]"`
	Batches  []int    `arg:"--batch" help:"batch sizes [default: 32 128]"`
	Devices  string   `arg:"--devices" default:"1" help:"devices over which a batch is spread, or all"`
	Only     []string `arg:"--only" help:"rows: forward gradient bare plain rat rr_fast rr_bs [default: all]"`
	Repeats  int      `arg:"--repeats" default:"5" help:"rounds"`
	Seconds  float64  `arg:"--seconds" default:"1" help:"least time of a row in a round"`
	Seed     uint64   `arg:"--seed" default:"1" help:"of weights, images and labels"`
	Torch    string   `arg:"--torch" placeholder:"PYTHON" help:"path of a Python with PyTorch, to measure the same there"`
	JSON     string   `arg:"--json" placeholder:"FILE" help:"write every measurement and ratio there too"`
}

func (options) Description() string {
	return "Measures images/s of forward pass, input gradient, training steps, RR-Fast and RR-BS, here and in PyTorch."
}

// The exit statuses.
const (
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command runs the command line args and returns the exit status.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	p, err := arg.NewParser(arg.Config{Program: "bench"}, &o)
	if err != nil {
		panic(err) // the tags of the options are wrong
	}
	switch err = p.Parse(args); {
	case errors.Is(err, arg.ErrHelp):
		p.WriteHelp(stdout)
		return 0
	case err != nil:
		err = usageError{err}
	default:
		err = run(ctx, o, stdout, stderr)
	}
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "bench: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "bench:", strings.ReplaceAll(err.Error(), "\n", "; "))
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return exitError
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// least returns the least time of a row in a round.
func (o options) least() time.Duration { return time.Duration(o.Seconds * float64(time.Second)) }

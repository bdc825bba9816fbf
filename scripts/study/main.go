// Command study asks whether a way of training helps to find mistakes: it trains a small net in each of the ways of a
// table (plain, AT, reversed AT, RAT, with and without mixup, ...) from several seeds, scores the test images, and
// compares.
//
//	go run ./scripts/study --dataset fashion_mnist --seeds 5 --epochs 3
//
// One training from one seed on one data set is a cell, with a folder of its own below --out that holds its weights,
// its scores and result.json, which is written last. The command trains what is missing, in whatever way it was ended
// before, and repeats nothing; other settings make other cells, beside the old ones. Several processes may share --out
// and divide the cells: XLA keeps about one core busy with a net this small, so that one process a core is fastest.
// --list tells what is there, --plan what would be trained.
//
// It ends in tables and figures in the folder --publish, of what is there: table.md to read, results.csv with every
// score and metric, comparisons.csv with every paired test, both in results.json, and for each data set the figures of
// the ablation and of the sweep over step sizes.
//
// Nothing is chosen on test images. The step size of the ablation is that of the sweep whose RAT nets have the lowest
// mean AURC of --choose_by on validation images, which are taken from the training images, unless --step_size gives
// another.
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

	"github.com/alexflint/go-arg"
)

type options struct {
	Datasets  []string `arg:"--dataset" help:"mnist, fashion_mnist, cifar10, or several [default: fashion_mnist]"`
	DataDir   string   `arg:"--data_dir" help:"folder of the data sets [default: where they are found by themselves]"`
	TrainSize int      `arg:"--train_size" default:"0" help:"images to train on, 0 for all that are not for validation"`
	ValSize   int      `arg:"--val_size" default:"5000" help:"training images kept back, others for each seed, on which the step size is chosen"`
	TestSize  int      `arg:"--test_size" default:"0" help:"test images, 0 for all"`

	Seeds int      `arg:"--seeds" default:"5" help:"trainings of each kind: seeds 1 to this"`
	Only  []string `arg:"--only" help:"ways of training by name, such as plain rat rat_mixup [default: all]"`

	Arch         string  `arg:"--arch" help:"architecture [default: the small net of the data set, wrn16_2_cifar10 for cifar10]"`
	Epochs       int     `arg:"--epochs" default:"3" help:"passes through the training images"`
	BatchSize    int     `arg:"--batch_size" default:"128" help:"images of a step"`
	LearningRate float64 `arg:"--learning_rate" default:"0.1" help:"at its peak; it rises from 0 and falls to 0 along a cosine"`
	WeightDecay  float64 `arg:"--weight_decay" default:"0.0005" help:"of all parameters"`
	WarmupEpochs float64 `arg:"--warmup_epochs" default:"0.5" help:"epochs in which the learning rate rises"`
	Augment      string  `arg:"--augment" default:"auto" help:"none or crop_flip; auto is crop_flip for cifar10 and none otherwise"`
	MixupAlpha   float64 `arg:"--mixup_alpha" default:"1" help:"of the mixing weights' distribution Beta(alpha, alpha)"`

	StepSizes []float64 `arg:"--step_sizes" help:"the sweep of RAT, in pixel units [default: 0.0003 0.001 0.003 0.01 0.03]"`
	StepSize  float64   `arg:"--step_size" default:"0" help:"step size of the ablation; 0 for the one chosen on validation images"`
	ChooseBy  string    `arg:"--choose_by" default:"RR_fast" help:"the score whose AURC on validation images chooses"`

	Figures   []string `arg:"--figure_scores" help:"scores to draw figures of [default: MSR RR_fgsm]"`
	Resamples int      `arg:"--resamples" default:"2000" help:"bootstrap resamples of the test images, 0 for none"`
	Backend   string   `arg:"--backend" help:"xla, xla:cuda, xla:/path/to/plugin.so, go [default: a plugin if one is installed, else go]"`
	Out       string   `arg:"--out" default:"runs/study" help:"folder for the cells"`
	Publish   string   `arg:"--publish" default:"figures/study" help:"folder for tables and figures"`
	List      bool     `arg:"--list" help:"list the cells that are there and those that are missing, and do nothing"`
	Plan      bool     `arg:"--plan" help:"list the cells that would be trained, and do nothing"`
	DryRun    bool     `arg:"--dry_run" help:"the same as --plan"`
}

func (options) Description() string {
	return "Trains a net in several ways from several seeds, and tells which of them help to find mistakes."
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
	p, err := arg.NewParser(arg.Config{Program: "study"}, &o)
	if err != nil {
		panic(err) // the tags of the options are wrong
	}
	switch err := p.Parse(args); {
	case errors.Is(err, arg.ErrHelp):
		p.WriteHelp(stdout)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "study: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	o.fill()
	if err := o.check(); err != nil {
		fmt.Fprintf(stderr, "study: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	if err := run(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "study:", strings.ReplaceAll(err.Error(), "\n", "; "))
		if ctx.Err() != nil {
			return exitInterrupted
		}
		return exitError
	}
	return 0
}

// run trains what is missing and publishes, or tells what is there.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	s, err := newStudy(o, stderr)
	if err != nil {
		return err
	}
	switch {
	case o.List:
		return s.list(stdout)
	case o.Plan || o.DryRun:
		return s.plan(stdout)
	}
	if err := s.train(ctx); err != nil {
		return err
	}
	return s.publish(ctx, stdout)
}

// Command figures is the whole job at a glance: on real images it trains a small net twice, plainly and with RAT,
// scores the test images with every confidence score, prints which score tells mistakes best, and draws the figures.
//
//	go run ./scripts/figures
//
// Nothing has to be there but Go: MNIST comes with the module. The RAT step size is chosen on validation images taken
// from the training set.
package main

import (
	"context"
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
	Dataset   string    `arg:"--dataset" default:"mnist" help:"mnist or fashion_mnist"`
	DataDir   string    `arg:"--data_dir" help:"folder of the data set [default: where it is found by itself]"`
	TrainSize int       `arg:"--train_size" default:"6000" help:"training images, 0 for all"`
	ValSize   int       `arg:"--val_size" default:"3000" help:"validation images, taken from the training set, on which the step size is chosen"`
	TestSize  int       `arg:"--test_size" default:"0" help:"test images, 0 for all"`
	Epochs    int       `arg:"--epochs" default:"5" help:"passes through the training images"`
	StepSizes []float64 `arg:"--step_sizes" help:"RAT step sizes to choose among, in pixel units [default: 0.001 0.01 0.03]"`
	BatchSize int       `arg:"--batch_size" default:"64" help:"images of a training step"`
	Resamples int       `arg:"--resamples" default:"500" help:"bootstrap resamples behind the intervals"`
	Backend   string    `arg:"--backend" help:"xla, xla:cuda, xla:/path/to/plugin.so, go [default: a plugin if one is installed, else go]"`
	Seed      uint64    `arg:"--seed" default:"1" help:"seed of weights, order, split and bootstrap"`
	Out       string    `arg:"--out" default:"figures" help:"folder for figures and their data"`
}

func (options) Description() string {
	return "Trains a small net plainly and with RAT, scores the test images, prints the leaderboard and draws the figures."
}

func main() {
	var o options
	arg.MustParse(&o)
	if len(o.StepSizes) == 0 {
		o.StepSizes = []float64{0.001, 0.01, 0.03}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	start := time.Now()
	s, err := newStudy(o, stderr)
	if err != nil {
		return err
	}
	plain, rat, err := s.run(ctx)
	if err != nil {
		return err
	}
	board, err := s.leaderboard(ctx, plain, rat)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, board)
	files, err := draw(o, board)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s in %s: %s\n", o.Out, time.Since(start).Round(100*time.Millisecond), strings.Join(files, " "))
	return nil
}

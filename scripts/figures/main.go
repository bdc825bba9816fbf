// Command figures is the whole job at a glance: on real images it trains a small net plainly and with RAT, scores the
// test images with every confidence score, prints which score tells mistakes best, and draws the figures.
//
//	go run ./scripts/figures
//
// Nothing has to be there but Go: MNIST comes with the module. The RAT step size is chosen on validation images taken
// from the training set.
//
// Nets, scores and what else figures need are kept in a folder each below --runs, so that the same command again draws
// without training; it trains what other settings need, and everything with --fresh. --list tells which figures there
// are, --only draws some of them. --from draws stored runs instead: folders that scripts/evaluate or scripts/study
// wrote, or this command:
//
//	go run ./scripts/figures --from runs/wrn28_10 runs/wrn28_10_rat --only roc corruption --out out
//
// Beside each figure is its data as CSV, with the command in the first line. The same stored data give the same bytes.
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
	Dataset   string    `arg:"--dataset" default:"mnist" help:"mnist or fashion_mnist"`
	DataDir   string    `arg:"--data_dir" help:"folder of the data set [default: where it is found by itself]"`
	TrainSize int       `arg:"--train_size" default:"6000" help:"training images, 0 for all"`
	ValSize   int       `arg:"--val_size" default:"3000" help:"validation images, taken from the training set, on which the step size is chosen"`
	TestSize  int       `arg:"--test_size" default:"0" help:"test images, 0 for all"`
	Epochs    int       `arg:"--epochs" default:"5" help:"passes through the training images"`
	StepSizes []float64 `arg:"--step_sizes" help:"RAT step sizes to choose among, in pixel units [default: 0.001 0.01 0.03]"`
	BatchSize int       `arg:"--batch_size" default:"64" help:"images of a training step"`
	Resamples int       `arg:"--resamples" default:"500" help:"bootstrap resamples behind the intervals, 0 for none"`
	Backend   string    `arg:"--backend" help:"xla, xla:cuda, xla:/path/to/plugin.so, go [default: a plugin if one is installed, else go]"`
	Seed      uint64    `arg:"--seed" default:"1" help:"seed of weights, order, split, noise and bootstrap"`

	Runs  string   `arg:"--runs" default:"runs/figures" help:"folder in which nets and their scores are kept"`
	Fresh bool     `arg:"--fresh" help:"train and score anew what is kept already"`
	From  []string `arg:"--from" placeholder:"RUN" help:"draw these stored runs, and train nothing"`
	List  bool     `arg:"--list" help:"list the figures, and do nothing"`
	Only  []string `arg:"--only" placeholder:"NAME" help:"draw only these [default: all]"`

	Size    string   `arg:"--size" help:"column, page or slide [default: what suits the figure]"`
	Theme   string   `arg:"--theme" default:"light" help:"light or dark"`
	Formats []string `arg:"--format" placeholder:"FORMAT" help:"png, svg, pdf, or several [default: png]"`
	Out     string   `arg:"--out" default:"figures" help:"folder for figures and their data"`
}

func (options) Description() string {
	return "Trains a small net plainly and with RAT, scores the test images, prints the leaderboard and draws the figures."
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
	p, err := arg.NewParser(arg.Config{Program: "figures"}, &o)
	if err != nil {
		panic(err) // the tags of the options are wrong
	}
	switch err := p.Parse(args); {
	case errors.Is(err, arg.ErrHelp):
		p.WriteHelp(stdout)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "figures: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	o.fill()
	if err := o.check(); err != nil {
		fmt.Fprintf(stderr, "figures: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	if err := run(ctx, o, stdout, stderr); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(stderr, o.interrupted())
			return exitInterrupted
		}
		fmt.Fprintln(stderr, "figures:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitError
	}
	return 0
}

// interrupted says how to go on.
func (o options) interrupted() string {
	if len(o.From) > 0 {
		return "figures: interrupted"
	}
	return fmt.Sprintf("figures: interrupted; the same command goes on with the nets that are kept in %s", o.Runs)
}

// run lists the figures, or draws them of what there is or is made.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if o.List {
		return list(stdout)
	}
	start := time.Now()
	if err := writable(o.Out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	collect := made
	if len(o.From) > 0 {
		collect = stored
	}
	m, err := collect(ctx, o, stderr)
	if err != nil {
		return err
	}
	files, err := draw(ctx, o, m, stdout, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s in %s: %s\n", o.Out, time.Since(start).Round(100*time.Millisecond), strings.Join(files, " "))
	return nil
}

// made trains and scores what is not kept already.
func made(ctx context.Context, o options, stderr io.Writer) (*material, error) {
	s, err := newStudy(o, stderr)
	if err != nil {
		return nil, err
	}
	return s.material(ctx)
}

// writable makes a folder, and checks that files can be written to it before anything is computed for them.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".writable")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

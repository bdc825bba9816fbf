// Command evaluate scores the test images of a data set with a trained classifier and judges every score.
//
//	go run ./scripts/evaluate --dataset mnist --arch smallcnn_mnist --ckpt out/weights.safetensors --robust_radius --out out
//
// It takes the flags of the official code's main.py. Into the folder --out it writes scores.csv, scores.npz and
// metrics.json; the leaderboard goes to standard output.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alexflint/go-arg"
)

type options struct {
	Dataset      string   `arg:"--dataset" default:"mnist" help:"data set: mnist, fashion_mnist, cifar10 or synthetic"`
	DataDir      string   `arg:"--data_dir" help:"folder of the data set [default: $DATASET_ROOT_DIR, or where the set is found by itself]"`
	Arch         string   `arg:"--arch" help:"architecture, such as wrn28_10_cifar10 [default: the small net of the data set]"`
	Checkpoint   string   `arg:"--ckpt,required" help:"weights, a safetensors file"`
	Scores       []string `arg:"--confid_scores" help:"scores, separated by spaces, or all [default: all]"`
	RobustRadius bool     `arg:"--robust_radius" help:"run the boundary search RR-BS too (column RR_fgsm)"`
	ValSplit     *float64 `arg:"--val_split" help:"share of the test images on which temperatures and other parameters are fitted; the rest is judged [default: 0, and 0.2 under --protocol official]"`
	Protocol     string   `arg:"--protocol" default:"sound" help:"sound, or official: the official code's numbers, quirks included"`
	Backend      string   `arg:"--backend" help:"xla, xla:cuda, xla:/path/to/plugin.so, go [default: a plugin if one is installed, else go]"`
	BatchSize    int      `arg:"--batch_size,--test_batch" default:"128" help:"images of one pass"`
	Resamples    int      `arg:"--resamples" default:"1000" help:"bootstrap resamples behind the intervals, 0 for none"`
	Seed         uint64   `arg:"--seed" default:"0" help:"seed of the validation split and the bootstrap"`
	Out          string   `arg:"--out" default:"evaluation" help:"folder for scores.csv, scores.npz and metrics.json"`
}

func (options) Description() string {
	return "Scores the test images of a data set and judges how well each score tells wrong predictions from right ones."
}

func main() {
	var o options
	arg.MustParse(&o)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	e, err := prepare(o, stderr)
	if err != nil {
		return err
	}
	rep, err := e.evaluate(ctx)
	if err != nil {
		return err
	}
	if err := write(o.Out, rep); err != nil {
		return err
	}
	fmt.Fprintln(stdout, rep)
	fmt.Fprintf(stderr, "wrote scores.csv, scores.npz and metrics.json to %s\n", o.Out)
	return nil
}

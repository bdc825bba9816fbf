// Command train trains a classifier and writes its weights.
//
//	go run ./scripts/train --dataset mnist --arch smallcnn_mnist --objective rat --epochs 10 --out out
//
// Into the folder --out it writes weights.safetensors and, while it trains, log.jsonl with a line of JSON an epoch;
// the accuracy on the test images goes to standard output. Interrupted with Ctrl-C it finishes the step it is at,
// saves the weights and exits with an error.
//
// The flags of the official code's models/train.py are understood where there is something like it here: --model is
// --arch, --max_epochs is --epochs, --from_scratch is how it always is without --init.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alexflint/go-arg"
)

type options struct {
	Dataset   string  `arg:"--dataset" default:"mnist" help:"mnist, fashion_mnist, cifar10 or synthetic"`
	DataDir   string  `arg:"--data_dir" help:"folder of the data set [default: where the set is found by itself]"`
	TrainSize int     `arg:"--train_size" help:"train on a random choice of this many images [default: all that are not for validation]"`
	ValSize   int     `arg:"--val_size" help:"training images kept back for validation after each epoch [default: 0]"`
	ValSplit  float64 `arg:"--val_split" help:"the same as a share of the training images, instead of --val_size"`
	Augment   string  `arg:"--augment" default:"auto" help:"none, crop (shift by up to 4 pixels), crop_flip; auto is crop_flip for cifar10 and none otherwise"`

	Arch string `arg:"--arch" help:"architecture, such as wrn28_10_cifar10 [default: the small net of the data set, wrn16_2_cifar10 for cifar10]"`
	Init string `arg:"--init" help:"start from the weights in this safetensors file [default: random weights]"`

	Objective      string  `arg:"--objective" default:"rat" help:"plain, at (adversarial training) or rat"`
	StepSize       float64 `arg:"--step_size" default:"0.001" help:"size of the step that at and rat move images by, in pixel units with images in [0,1]"`
	Lambda         float64 `arg:"--lam" default:"1" help:"weight of the loss of moved images"`
	OriginalLambda float64 `arg:"--ori_lam" default:"1" help:"weight of the loss of the images as they are"`
	FlexDirection  bool    `arg:"--flex_direction" help:"what rat does and at does not, for official command lines"`
	Reverse        bool    `arg:"--reverse_at" help:"move images the other way, an ablation of the paper"`

	Epochs       int     `arg:"--epochs" default:"10" help:"passes through the training images"`
	BatchSize    int     `arg:"--batch_size" default:"64" help:"images of one step"`
	LearningRate float64 `arg:"--learning_rate" default:"0.1" help:"learning rate at its peak"`
	Momentum     float64 `arg:"--momentum" default:"0.9" help:"momentum, as in PyTorch"`
	WeightDecay  float64 `arg:"--weight_decay" default:"0.0001" help:"weight decay of all parameters, as in PyTorch"`
	WarmupEpochs float64 `arg:"--warmup_epochs" default:"0" help:"epochs in which the learning rate rises"`
	Scheduler    string  `arg:"--scheduler" default:"cosine" help:"cosine (to 0), cosine_epoch (changing between epochs only, as in the official code) or constant"`
	Optimizer    string  `arg:"--optimizer" default:"sgd" help:"sgd"`

	Seed    uint64 `arg:"--seed" default:"0" help:"seed of the initial weights, the choice and order of images and their augmentation"`
	Backend string `arg:"--backend" help:"xla, xla:cuda, xla:/path/to/plugin.so, go [default: a plugin if one is installed, else go]"`
	Out     string `arg:"--out,required" help:"folder for weights.safetensors and log.jsonl"`
}

func (options) Description() string {
	return "Trains a classifier with the plain cross-entropy, with adversarial images, or with RAT."
}

func main() {
	var o options
	p, err := arg.NewParser(arg.Config{}, &o)
	if err != nil {
		panic(err) // the tags above are wrong
	}
	p.MustParse(aliases(os.Args[1:]))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "train:", strings.TrimPrefix(err.Error(), "train: "))
		os.Exit(1)
	}
}

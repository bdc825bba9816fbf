package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/scripts/internal/progress"
)

type packingOptions struct {
	Name   string `arg:"positional,required" placeholder:"NAME" help:"data set, as data list names it"`
	Out    string `arg:"--out,required" placeholder:"DIR" help:"folder to write"`
	Root   string `arg:"--root" placeholder:"DIR" help:"folder below which the data set is [default: $DATASET_ROOT_DIR]"`
	Arch   string `arg:"--arch" placeholder:"NAME" help:"preprocess images as this network takes them"`
	Resize int    `arg:"--resize" placeholder:"PIXELS" help:"or resize the shorter side to this"`
	Crop   int    `arg:"--crop" placeholder:"PIXELS" help:"and cut out a square of this side"`
}

func (packingOptions) Description() string {
	return `Writes a data set as arrays of bytes, which are read at the speed of memory, by numpy too: train_images.npy,
train_labels.npy, test_images.npy, test_labels.npy, and packed.json with the rest. Such a folder is the data set packed:DIR.
Photographs are preprocessed on the way, by --arch, by --resize and --crop, or to 224x224 pixels as the official code does.
Training that cuts random parts out of photographs is better off with the photographs: it sees only what was kept.`
}

func runConvert(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var o packingOptions
	return parsed(&o, "data convert", args, stdout, func() error { return pack(ctx, o, stdout) })
}

// pack writes the data set.
func pack(ctx context.Context, o packingOptions, stdout io.Writer) error {
	how, err := o.preprocess()
	if err != nil {
		return err
	}
	data, err := dataset.Open(o.Name, dataset.Config{Dir: o.Root, Preprocess: how})
	if err != nil {
		return err
	}
	bar := progress.New("packing", 0)
	err = dataset.Pack(ctx, data, how, o.Out, func(done, total int) { bar.Func()(done, total, "") })
	bar.Finish()
	if err != nil {
		return err
	}
	for _, s := range []dataset.Set{data.Train, data.Test} {
		if s != nil {
			fmt.Fprintf(stdout, "%d images of %v\n", s.Len(), s.Shape())
		}
	}
	fmt.Fprintf(stdout, "wrote %s, the data set packed:%s\n", o.Out, o.Out)
	return nil
}

// preprocess returns what the flags say images go through.
func (o packingOptions) preprocess() (dataset.Preprocess, error) {
	switch {
	case o.Resize < 0 || o.Crop < 0:
		return dataset.Preprocess{}, usagef("--resize %d, --crop %d: want numbers of pixels", o.Resize, o.Crop)
	case o.Arch != "" && o.Resize+o.Crop > 0:
		return dataset.Preprocess{}, usagef("--arch says how images are preprocessed, and so do --resize and --crop: give one")
	case o.Arch != "":
		a, err := nets.Lookup(o.Arch)
		if err != nil {
			return dataset.Preprocess{}, usageError{err}
		}
		return a.Preparation(), nil
	case o.Resize+o.Crop == 0 && photographic(o.Name):
		return dataset.Preprocess{Resize: 256, Crop: 224}, nil
	}
	return dataset.Preprocess{Resize: o.Resize, Crop: o.Crop}, nil
}

// photographic tells of sets whose images have many sizes.
func photographic(name string) bool {
	switch canonical(name) {
	case "imagenet", "imagenetc", "cub", "places365":
		return true
	}
	return false
}

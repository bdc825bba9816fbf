package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/dataset/corrupt"
	"github.com/ratml/rat/scripts/internal/progress"
)

type corruptOptions struct {
	Name        string             `arg:"positional,required" placeholder:"NAME" help:"data set whose test images are corrupted, as data list names it"`
	Out         string             `arg:"--out,required" placeholder:"DIR" help:"folder to write"`
	Root        string             `arg:"--root" placeholder:"DIR" help:"folder below which the data sets are [default: $DATASET_ROOT_DIR]"`
	Corruptions []string           `arg:"--corruption" placeholder:"NAME" help:"all, common (the 15 of the benchmarks) or names, separated by spaces or commas [default: all]"`
	Severities  []int              `arg:"--severity" placeholder:"N" help:"severities, 1 to 5 [default: all five]"`
	Seed        uint64             `arg:"--seed" default:"0" help:"of the random numbers"`
	Parameters  corrupt.Parameters `arg:"--parameters" default:"auto" help:"imagenet, cifar, or auto, which takes cifar up to 64 pixels"`
	Frost       string             `arg:"--frost_dir" placeholder:"DIR" help:"photographs of frost of the original; without them textures are generated"`
	Format      string             `arg:"--format" default:"auto" help:"npy (as CIFAR-10-C), jpeg or png (folders as ImageNet-C), or auto, which takes npy up to 64 pixels"`
	Limit       int                `arg:"--limit" placeholder:"N" help:"take the first N images only"`
	Workers     int                `arg:"--workers" placeholder:"N" help:"images at a time [default: the number of processors]"`
	Sheet       bool               `arg:"--sheet" help:"write DIR/sheet.png only: the first image, corruptions across, severities down"`
}

func (corruptOptions) Description() string {
	return `Writes corrupted copies of the test images: the corruptions of ImageNet-C and CIFAR-10-C, from package corrupt.

npy writes DIR/<corruption>.npy, bytes of 5 times all images, severity after severity, and DIR/labels.npy. jpeg (quality
85) and png write DIR/<corruption>/<severity>/<class>/<number>.JPEG or .png. What DIR holds already from a run with the
same settings is kept, so a run that was interrupted goes on where it was; other settings are refused.`
}

func runCorrupt(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var o corruptOptions
	return parsed(&o, "data corrupt", args, stdout, func() error { return o.run(ctx, stdout) })
}

// check completes the options, or says what is wrong with them.
func (o *corruptOptions) check() error {
	var names []string
	for _, list := range o.Corruptions {
		for _, name := range strings.Split(list, ",") {
			switch {
			case name == "all":
				names = append(names, corrupt.Names()...)
			case name == "common":
				names = append(names, corrupt.Names()[:15]...)
			case slices.Contains(corrupt.Names(), name):
				names = append(names, name)
			default:
				return usagef("--corruption %q: want all, common, %s", name, strings.Join(corrupt.Names(), ", "))
			}
		}
	}
	if len(names) == 0 {
		names = corrupt.Names()
	}
	o.Corruptions = distinct(names)
	for _, severity := range o.Severities {
		if severity < 1 || severity > corrupt.Severities {
			return usagef("--severity %d: want 1 to %d", severity, corrupt.Severities)
		}
	}
	if len(o.Severities) == 0 {
		o.Severities = []int{1, 2, 3, 4, 5}
	}
	o.Severities = distinct(o.Severities)
	if !slices.Contains([]string{"auto", "npy", "jpeg", "png"}, o.Format) {
		return usagef("--format %q: want auto, npy, jpeg or png", o.Format)
	}
	if o.Limit < 0 || o.Workers < 0 {
		return usagef("--limit and --workers must not be negative")
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return nil
}

// distinct returns the elements of s without repetitions.
func distinct[T comparable](s []T) []T {
	var out []T
	for _, v := range s {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func (o *corruptOptions) run(ctx context.Context, stdout io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	data, err := dataset.Open(o.Name, dataset.Config{Dir: o.Root})
	if err != nil {
		return err
	}
	set := data.Test
	if set == nil {
		return fmt.Errorf("data set %s has no test images in %s", o.Name, data.Source)
	}
	if o.Limit > 0 {
		set = dataset.Take(set, o.Limit)
	}
	if set.Len() == 0 {
		return fmt.Errorf("data set %s has no test images", o.Name)
	}
	if o.Format == "auto" {
		o.Format = "jpeg"
		if s := set.Shape(); max(s.Height, s.Width) <= 64 {
			o.Format = "npy"
		}
	}
	if o.Format == "npy" && len(o.Severities) != corrupt.Severities && !o.Sheet {
		return usagef("--severity: the layout of CIFAR-10-C holds all five severities; take --format png for some of them")
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return err
	}
	if o.Sheet {
		return o.writeSheet(set)
	}
	if err := o.claim(set); err != nil {
		return err
	}
	bar := progress.New("corrupt", len(o.Corruptions)*len(o.Severities)*set.Len())
	defer bar.Finish()
	w := &corruptWriter{o: o, set: set, bar: bar}
	if o.Format == "npy" {
		err = w.arrays(ctx)
	} else {
		err = w.files(ctx)
	}
	if err != nil {
		return err
	}
	bar.Finish()
	fmt.Fprintf(stdout, "%d corruptions of %d images of %s (%v) in %s; %d were there already\n",
		len(o.Corruptions), set.Len(), o.Name, set.Shape(), o.Out, w.kept)
	return nil
}

// corruptSettings are what the written images depend on. They are kept in the folder.
type corruptSettings struct {
	Set        string `json:"set"`
	Images     int    `json:"images"`
	Shape      string `json:"shape"`
	Seed       uint64 `json:"seed"`
	Parameters string `json:"parameters"`
	Frost      string `json:"frost_dir"`
	Format     string `json:"format"`
}

// claim makes sure that the folder holds nothing made with other settings.
func (o *corruptOptions) claim(set dataset.Set) error {
	want, err := json.MarshalIndent(corruptSettings{o.Name, set.Len(), set.Shape().String(), o.Seed, o.Parameters.String(), o.Frost, o.Format}, "", "  ")
	if err != nil {
		return err
	}
	want = append(want, '\n')
	path := filepath.Join(o.Out, "corrupt.json")
	have, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeFile(path, func(w io.Writer) error {
			_, err := w.Write(want)
			return err
		})
	case err != nil:
		return err
	case string(have) != string(want):
		return fmt.Errorf("%s: the images there were made with other settings; choose another --out or remove the folder", path)
	}
	return nil
}

// corruptWriter writes the corrupted images of a set.
type corruptWriter struct {
	o   *corruptOptions
	set dataset.Set
	bar *progress.Bar

	mu         sync.Mutex
	done, kept int // corrupted images; those of them that were there already
}

// advance counts n images.
func (w *corruptWriter) advance(n int, kept bool, note string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done += n
	if kept {
		w.kept += n
	}
	w.bar.Set(w.done, note)
}

// corrupted returns the set under a corruption.
func (w *corruptWriter) corrupted(name string, severity int) (dataset.Set, error) {
	return corrupt.Config{Name: name, Severity: severity, Seed: w.o.Seed, Parameters: w.o.Parameters, FrostDir: w.o.Frost}.Apply(w.set)
}

// readBytes reads image i as bytes.
func readBytes(set dataset.Set, i int, pixels []uint8) (label int, err error) {
	values := make([]float32, len(pixels))
	if label, err = set.Read(i, values); err != nil {
		return 0, err
	}
	for j, v := range values {
		pixels[j] = uint8(min(max(v, 0), 1)*255 + 0.5)
	}
	return label, nil
}

// inParallel calls do for 0 to n-1, some at a time, until one fails or ctx ends.
func inParallel(ctx context.Context, n, workers int, do func(i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(workers, n) {
		wait.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					stop(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}

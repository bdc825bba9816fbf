package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/ratml/rat/ratml/dataset"
)

type showOptions struct {
	Name    string `arg:"positional,required" placeholder:"NAME" help:"data set, as data list names it"`
	Root    string `arg:"--root" placeholder:"DIR" help:"folder below which the data set is [default: $DATASET_ROOT_DIR]"`
	Split   string `arg:"--split" default:"test" help:"test or train"`
	Class   string `arg:"--class" placeholder:"NAME" help:"images of this class only"`
	Count   int    `arg:"--count" default:"64" help:"images on the sheet"`
	Columns int    `arg:"--columns" default:"8" help:"images in a row"`
	Size    int    `arg:"--size" default:"96" help:"height and width of an image on the sheet, in pixels"`
	Seed    uint64 `arg:"--seed" default:"0" help:"of the choice of images"`
	First   bool   `arg:"--first" help:"show the first images, and not a random choice"`
	Out     string `arg:"--out" default:"sheet.png" help:"PNG file to write"`
}

func (showOptions) Description() string {
	return "Writes a sheet of images of a data set, with number and class, as a PNG file."
}

func runShow(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var o showOptions
	return parsed(&o, "data show", args, stdout, func() error { return show(ctx, o, stdout) })
}

// show draws the sheet.
func show(ctx context.Context, o showOptions, stdout io.Writer) error {
	if o.Count < 1 || o.Columns < 1 || o.Size < 16 || o.Size > 1024 || o.Count > 10000 {
		return usagef("--count %d, --columns %d, --size %d: want 1 to 10000 images, 1 or more columns, 16 to 1024 pixels", o.Count, o.Columns, o.Size)
	}
	data, err := dataset.Open(o.Name, dataset.Config{Dir: o.Root, Seed: o.Seed})
	if err != nil {
		return err
	}
	var set dataset.Set
	switch o.Split {
	case "test":
		if set = data.Test; set == nil {
			return fmt.Errorf("data set %s has no test images", o.Name)
		}
	case "train":
		if set, err = data.Training(); err != nil {
			return err
		}
	default:
		return usagef("--split %q: want test or train", o.Split)
	}
	chosen, labels, err := o.choose(set)
	if err != nil {
		return err
	}
	sheet, err := o.sheet(ctx, set, chosen, labels)
	if err != nil {
		return err
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, sheet); err != nil {
		return err
	}
	if err := renameio.WriteFile(o.Out, encoded.Bytes(), 0o644, renameio.WithTempDir(filepath.Dir(o.Out))); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %d of %d images to %s\n", len(chosen), set.Len(), o.Out)
	return nil
}

// choose returns the numbers of the images, in order, and the labels of all.
func (o showOptions) choose(set dataset.Set) (chosen, labels []int, err error) {
	if labels, err = dataset.Labels(set); err != nil {
		return nil, nil, err
	}
	class := -1
	if o.Class != "" {
		if class = slices.Index(set.Classes(), o.Class); class < 0 {
			return nil, nil, usagef("--class %q: no such class in %s", o.Class, o.Name)
		}
	}
	for i, l := range labels {
		if class < 0 || l == class {
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 {
		return nil, nil, fmt.Errorf("no images of class %s", o.Class)
	}
	if !o.First {
		rng := rand.New(rand.NewPCG(o.Seed, 1))
		rng.Shuffle(len(chosen), func(a, b int) { chosen[a], chosen[b] = chosen[b], chosen[a] })
	}
	chosen = chosen[:min(len(chosen), o.Count)]
	slices.Sort(chosen)
	return chosen, labels, nil
}

// caption is the height of the line of text below an image, gap the space around.
const (
	caption = 14
	gap     = 4
)

func (o showOptions) sheet(ctx context.Context, set dataset.Set, chosen, labels []int) (image.Image, error) {
	columns := min(o.Columns, len(chosen))
	lines := (len(chosen) + columns - 1) / columns
	sheet := image.NewRGBA(image.Rect(0, 0, columns*(o.Size+gap)+gap, lines*(o.Size+caption+gap)+gap))
	for i := range sheet.Pix {
		sheet.Pix[i] = 0xff
	}
	for k, i := range chosen {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at := image.Pt(gap+k%columns*(o.Size+gap), gap+k/columns*(o.Size+caption+gap))
		pixels, shape, err := dataset.Stored(set, i)
		if err != nil {
			return nil, err
		}
		if err := o.draw(sheet, at, pixels, shape); err != nil {
			return nil, err
		}
		text := []rune(fmt.Sprintf("%d %s", i, set.Classes()[labels[i]]))
		text = text[:min(len(text), o.Size/basicfont.Face7x13.Advance)]
		d := font.Drawer{Dst: sheet, Src: image.Black, Face: basicfont.Face7x13, Dot: fixed.P(at.X, at.Y+o.Size+caption-3)}
		d.DrawString(string(text))
	}
	return sheet, nil
}

// draw puts an image into its square: small ones enlarged by a whole number, large ones made smaller.
func (o showOptions) draw(sheet *image.RGBA, at image.Point, pixels []uint8, s dataset.Shape) error {
	longer := max(s.Height, s.Width)
	zoom := 1
	if longer > o.Size {
		height, width := max(1, s.Height*o.Size/longer), max(1, s.Width*o.Size/longer)
		small, err := dataset.Resize(pixels, s, height, width, dataset.Bilinear)
		if err != nil {
			return err
		}
		pixels, s = small, dataset.Shape{Height: height, Width: width, Channels: s.Channels}
	} else {
		zoom = o.Size / longer
	}
	left, top := (o.Size-zoom*s.Width)/2, (o.Size-zoom*s.Height)/2
	for y := range zoom * s.Height {
		for x := range zoom * s.Width {
			p := pixels[(y/zoom*s.Width+x/zoom)*s.Channels:][:s.Channels]
			c := color.RGBA{p[0], p[0], p[0], 0xff}
			if s.Channels == 3 {
				c.G, c.B = p[1], p[2]
			}
			sheet.SetRGBA(at.X+left+x, at.Y+top+y, c)
		}
	}
	return nil
}

// Package trace looks at single images: what a classifier says of them on the way to its decision boundary, and where a
// training step moves them.
//
//	rays, err := trace.Rays(clf, set, run, 17, 42)                                  // for figures.Rays
//	frames, err := trace.Along(clf, set, 17, 0, 0.05, 0.1)                          // the images on the way
//	moves, err := trace.Moves(clf, set, train.RAT{StepSize: 0.01}, 17, 42)          // what RAT trains on
//	tiles, err := trace.Tiles(set, run, 17, 42)                                     // for figures.Images
//
// Images are numbered as in their set. Distances are L-infinity distances in pixel units, images in [0,1].
package trace

import (
	"cmp"
	"fmt"
	"image"
	"math"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
)

// Image returns an image of a set as a picture, with its label.
func Image(set dataset.Set, i int) (image.Image, int, error) {
	pixels, label, err := read(set, i)
	if err != nil {
		return nil, 0, err
	}
	img, err := picture(set, pixels)
	return img, label, err
}

// Tiles returns images with what a classifier says of them: the classes, MSR, and the radius by RR-BS or else RR-Fast,
// as far as the run has these scores. It is an error if the run is not of the images of set.
func Tiles(set dataset.Set, run *misd.Run, index ...int) ([]figures.Tile, error) {
	var out []figures.Tile
	for _, i := range index {
		if i < 0 || i >= run.Len() {
			return nil, fmt.Errorf("trace: image %d of a run of %d", i, run.Len())
		}
		img, label, err := Image(set, i)
		if err != nil {
			return nil, err
		}
		if label != run.Label[i] {
			return nil, fmt.Errorf("trace: image %d has label %d in the set and %d in the run", i, label, run.Label[i])
		}
		radius := run.Score("RR_fgsm")
		if radius == nil {
			radius = run.Score("RR_fast")
		}
		out = append(out, figures.Tile{Image: img, Index: i, Label: class(set, label), Pred: class(set, run.Pred[i]),
			Confidence: value(run.Score("MSR"), i), Radius: value(radius, i)})
	}
	return out, nil
}

func value(s *misd.Score, i int) float64 {
	if s == nil {
		return math.NaN()
	}
	return s.Values[i]
}

// class returns the name of a class, or its number.
func class(set dataset.Set, k int) string {
	if names := set.Classes(); k < len(names) {
		return cmp.Or(names[k], fmt.Sprint(k))
	}
	return fmt.Sprint(k)
}

func read(set dataset.Set, i int) (pixels []float32, label int, err error) {
	pixels = make([]float32, set.Shape().Size())
	if label, err = set.Read(i, pixels); err != nil {
		return nil, 0, fmt.Errorf("trace: %w", err)
	}
	return pixels, label, nil
}

func picture(set dataset.Set, pixels []float32) (image.Image, error) {
	shape := set.Shape()
	img, err := figures.Picture(pixels, shape.Height, shape.Width, shape.Channels)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return img, nil
}

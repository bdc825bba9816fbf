package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"math"

	"golang.org/x/image/draw"
)

// Gallery is a titled row of images, such as the worst mistakes.
type Gallery struct {
	Title, Note string
	Pictures    []Picture
}

// Picture is one image with what a classifier says of it.
type Picture struct {
	Image       image.Image
	Index       int     // of the image in its data set
	Label, Pred string  // names of the true and the predicted class
	Confidence  float64 // the largest softmax probability; NaN to leave it out
	Radius      float64 // in pixel units; NaN to leave it out
}

const (
	pictureSide = 96              // CSS pixels of the longer side on the page
	sharpest    = 2 * pictureSide // pixels kept of a larger image
)

type galleryView struct {
	Title, Note string
	Pictures    []pictureView
}

type pictureView struct {
	Source        template.URL
	Width, Height int
	Pixelated     bool // magnified, which browsers would blur
	Right         bool
	Label, Pred   string
	Lines         []string
	Alt           string
}

func (g Gallery) view() (galleryView, error) {
	v := galleryView{Title: g.Title, Note: g.Note}
	for _, p := range g.Pictures {
		d, err := p.view()
		if err != nil {
			return v, fmt.Errorf("image %d of %q: %w", p.Index, g.Title, err)
		}
		v.Pictures = append(v.Pictures, d)
	}
	return v, nil
}

func (p Picture) view() (pictureView, error) {
	if p.Image == nil || p.Image.Bounds().Empty() {
		return pictureView{}, fmt.Errorf("there is nothing in it")
	}
	var b bytes.Buffer
	if err := png.Encode(&b, reduced(p.Image)); err != nil {
		return pictureView{}, err
	}
	w, h := fit(p.Image.Bounds().Size(), pictureSide)
	v := pictureView{
		Source: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())),
		Width:  w, Height: h, Pixelated: w > p.Image.Bounds().Dx(),
		Right: p.Label == p.Pred, Label: p.Label, Pred: p.Pred,
	}
	v.Alt = fmt.Sprintf("Image %d: %s predicted as %s", p.Index, p.Label, p.Pred)
	if !math.IsNaN(p.Confidence) {
		v.Lines = append(v.Lines, "confidence "+percent(p.Confidence))
	}
	if !math.IsNaN(p.Radius) {
		v.Lines = append(v.Lines, fmt.Sprintf("radius %.3g", p.Radius))
	}
	v.Lines = append(v.Lines, fmt.Sprintf("image %d", p.Index))
	return v, nil
}

// percent keeps apart from 100 % what is not.
func percent(share float64) string {
	for digits := 1; digits < 12; digits++ {
		if s := fmt.Sprintf("%.*f", digits, 100*share); s[:3] != "100" || share >= 1 {
			return s + " %"
		}
	}
	return "100 %"
}

// reduced returns an image of at most so many pixels as a sharp screen shows.
func reduced(img image.Image) image.Image {
	size := img.Bounds().Size()
	if max(size.X, size.Y) <= sharpest {
		return img
	}
	w, h := fit(size, sharpest)
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out
}

// fit returns a size whose longer side is as given.
func fit(size image.Point, side int) (w, h int) {
	longer := max(size.X, size.Y)
	return max(size.X*side/longer, 1), max(size.Y*side/longer, 1)
}

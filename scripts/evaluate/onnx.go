package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
	"github.com/ratml/rat/ratml/weights/onnx"
)

// network are flags that say what an ONNX file leaves open.
type network struct {
	Mean   []float32 `arg:"--mean" help:"of an ONNX file: what is subtracted from each channel of images in [0,1] [default: nothing; the normalisation is inside]"`
	Std    []float32 `arg:"--std" help:"of an ONNX file: what each channel is then divided by [default: 1]"`
	Layout string    `arg:"--layout" help:"of an ONNX file: order of its input, NCHW, NHWC or flat [default: by its dimensions]"`
	Output string    `arg:"--output" help:"of an ONNX file: its output that is the logits, where there are several"`
	Input  imageSize `arg:"--input_size" placeholder:"HxWxC" help:"of an ONNX file: height, width and channels of images, such as 224x224x3, where it leaves them open"`
}

// imageSize is the size of images as text.
type imageSize nets.Input

// UnmarshalText reads "224x224x3".
func (s *imageSize) UnmarshalText(text []byte) error {
	var in imageSize
	n, err := fmt.Sscanf(string(text), "%dx%dx%d", &in.Height, &in.Width, &in.Channels)
	if err != nil || n != 3 || in.Height < 1 || in.Width < 1 || in.Channels < 1 || in.String() != string(text) {
		return fmt.Errorf("image size %q: want height, width and channels, such as 224x224x3", text)
	}
	*s = in
	return nil
}

// String returns what UnmarshalText reads.
func (s imageSize) String() string { return fmt.Sprintf("%dx%dx%d", s.Height, s.Width, s.Channels) }

// MarshalText returns what UnmarshalText reads, nothing for no size.
func (s imageSize) MarshalText() ([]byte, error) {
	if s == (imageSize{}) {
		return nil, nil
	}
	return []byte(s.String()), nil
}

// open opens a file of weights or a network.
func (n network) open(be *backend.Backend, path string, o weights.Options) (*nets.Classifier, error) {
	is, err := isONNX(path)
	if err != nil {
		return nil, err
	}
	if !is {
		if said := n.said(); said != "" {
			return nil, usagef("%s: only for ONNX files; %s is none", strings.Fields(said)[0], path)
		}
		return weights.OpenModel(be, path, o)
	}
	switch layout := onnx.Layout(n.Layout); layout {
	case onnx.Auto, onnx.NCHW, onnx.NHWC, onnx.Flat:
		// What was said is part of the name, and with it of what tells one run from another.
		name := strings.TrimSpace(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + " " + n.said())
		return onnx.OpenLog(be, path, onnx.Options{Name: name, Mean: n.Mean, Std: n.Std, Layout: layout, Input: nets.Input(n.Input), Output: n.Output}, o.Log)
	default:
		return nil, usagef("--layout %q: want NCHW, NHWC or flat", n.Layout)
	}
}

// said returns the flags that are set, as they are written.
func (n network) said() string {
	var said []string
	list := func(flag string, v []float32) {
		if v != nil {
			said = append(said, flag+" "+strings.Trim(fmt.Sprint(v), "[]"))
		}
	}
	list("--mean", n.Mean)
	list("--std", n.Std)
	if n.Layout != "" {
		said = append(said, "--layout "+n.Layout)
	}
	if n.Output != "" {
		said = append(said, "--output "+n.Output)
	}
	if n.Input != (imageSize{}) {
		said = append(said, "--input_size "+n.Input.String())
	}
	return strings.Join(said, " ")
}

// isONNX looks at how a file begins.
func isONNX(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	start := make([]byte, 64)
	n, err := io.ReadFull(f, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return onnx.Is(start[:n]), nil
}

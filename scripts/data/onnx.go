package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/ratml/rat/ratml/weights/onnx"
)

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

// inspectONNX shows the classifier and the weights of an ONNX file.
func inspectONNX(path string, stdout io.Writer) error {
	m, err := onnx.Read(path, onnx.Options{})
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	in := m.Arch.Input
	fmt.Fprintf(out, "format\tONNX\n")
	fmt.Fprintf(out, "bytes\t%d\n", info.Size())
	fmt.Fprintf(out, "images\t%dx%dx%d\n", in.Height, in.Width, in.Channels)
	fmt.Fprintf(out, "classes\t%d\n", m.Arch.Classes)
	for _, note := range m.Notes {
		fmt.Fprintf(out, "note\t%s\n", printable(note))
	}
	fmt.Fprintf(out, "tensors\t%d\n", len(m.Weights))
	out.Flush()
	fmt.Fprintln(stdout)
	for _, name := range m.Weights.Names() {
		fmt.Fprintf(out, "%s\t%s\n", printable(name), shape(m.Weights[name].Shape))
	}
	out.Flush()
	return nonFinite(m.Weights, stdout)
}

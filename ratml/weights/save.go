package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute/dtypes/bfloat16"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"github.com/ratml/rat/ratml/internal/safetensors"
	"github.com/ratml/rat/ratml/internal/torchfile"
	"github.com/ratml/rat/ratml/nets"
)

// Save writes w as the safetensors file path, in float32, sorted by name, with the given metadata (which may be nil).
// The same arguments give the same bytes. The file appears under its name only when it is complete; one that was there
// before is replaced.
func Save(path string, w nets.Weights, metadata map[string]string) error {
	return save(path, w, metadata, "F32", writeSafetensors)
}

// SavePyTorch writes w as torch.save writes a state dict (an OrderedDict of contiguous tensors on the CPU, in the zip
// format of PyTorch since 1.6), so that in Python
//
//	net.load_state_dict(torch.load(path, weights_only=True))
//
// loads it. Where there is metadata the file holds {"state_dict": weights, "metadata": metadata}. All else is as in
// [Save].
func SavePyTorch(path string, w nets.Weights, metadata map[string]string) error {
	return save(path, w, metadata, "F32", writePyTorch)
}

// SaveAs writes w as the name says it, .safetensors or one of PyTorch's (.pth, .pt, .ckpt), with numbers of type dtype:
// F32, or F16 or BF16, to which values are rounded, ties to even. It returns an error where a value is too large for
// F16. All else is as in [Save] and [SavePyTorch].
func SaveAs(path string, w nets.Weights, metadata map[string]string, dtype string) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".safetensors":
		return save(path, w, metadata, dtype, writeSafetensors)
	case ".pth", ".pt", ".ckpt":
		return save(path, w, metadata, dtype, writePyTorch)
	default:
		return fmt.Errorf("weights: writing %s: the name ends in %q, want .safetensors, .pth, .pt or .ckpt", path, ext)
	}
}

// save checks all that can be checked before the file is begun.
func save(path string, w nets.Weights, metadata map[string]string, dtype string, write func(io.Writer, nets.Weights, map[string]string, string) error) error {
	err := checkAll(w, dtype)
	if err == nil {
		err = atomicfile.Write(path, func(dst io.Writer) error { return write(dst, w, metadata, dtype) })
		if err != nil {
			return fmt.Errorf("weights: %w", err)
		}
		return nil
	}
	return fmt.Errorf("weights: writing %s: %w", path, err)
}

func checkAll(w nets.Weights, dtype string) error {
	if encoders[dtype] == nil {
		return fmt.Errorf("type %q; want F32, F16 or BF16", dtype)
	}
	for _, name := range w.Names() {
		if err := checkTensor(name, w[name]); err != nil {
			return err
		}
		if dtype != "F16" {
			continue
		}
		for i, v := range w[name].Data {
			if a := math.Abs(float64(v)); a >= 65520 && !math.IsInf(a, 0) { // rounds to more than 65504
				return fmt.Errorf("tensor %q holds %v at element %d, too large for F16", name, v, i)
			}
		}
	}
	return nil
}

func checkTensor(name string, t *nets.Tensor) error {
	if t == nil {
		return fmt.Errorf("tensor %q is nil", name)
	}
	n := 1
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("tensor %q of shape %v has a negative dimension", name, t.Shape)
		}
		n *= d
	}
	if n != len(t.Data) {
		return fmt.Errorf("tensor %q of shape %v has %d values", name, t.Shape, len(t.Data))
	}
	return nil
}

func writeSafetensors(dst io.Writer, w nets.Weights, metadata map[string]string, dtype string) error {
	h := safetensors.Header{Metadata: metadata}
	at := int64(0)
	for _, name := range w.Names() {
		t := w[name]
		end := at + safetensors.Width(dtype)*int64(len(t.Data))
		h.Tensors = append(h.Tensors, safetensors.Entry{Name: name, Dtype: dtype, Shape: t.Shape, Begin: at, End: end})
		at = end
	}
	head, err := h.Encode()
	if err != nil {
		return err
	}
	if _, err := dst.Write(head); err != nil {
		return err
	}
	for _, name := range w.Names() {
		if err := writeValues(dst, w[name].Data, dtype); err != nil {
			return err
		}
	}
	return nil
}

func writePyTorch(dst io.Writer, w nets.Weights, metadata map[string]string, dtype string) error {
	var items []torchfile.Item
	for _, name := range w.Names() {
		t := w[name]
		items = append(items, torchfile.Item{Name: name, Dtype: dtype, Shape: t.Shape,
			Data: func(dst io.Writer) error { return writeValues(dst, t.Data, dtype) }})
	}
	return torchfile.Write(dst, items, metadata)
}

func writeValues(dst io.Writer, values []float32, dtype string) error {
	buf := bufio.NewWriterSize(dst, 1<<16)
	encode := encoders[dtype]
	var word []byte
	for _, v := range values {
		word = encode(word[:0], v)
		buf.Write(word)
	}
	return buf.Flush() // reports an earlier error too
}

// encoders append a value as little-endian bytes.
var encoders = map[string]func([]byte, float32) []byte{
	"F32": func(b []byte, v float32) []byte { return binary.LittleEndian.AppendUint32(b, math.Float32bits(v)) },
	"F16": func(b []byte, v float32) []byte { return binary.LittleEndian.AppendUint16(b, toHalf(v)) },
	"BF16": func(b []byte, v float32) []byte {
		if v != v { // the library cuts its bits off, which can leave an infinity
			return binary.LittleEndian.AppendUint16(b, bfloat16.NaN().Bits())
		}
		return binary.LittleEndian.AppendUint16(b, bfloat16.FromFloat32(v).Bits())
	},
}

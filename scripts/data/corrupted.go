package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/dataset/corrupt"
)

// writeFile writes a file in its own folder under another name and renames it when it is whole.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(path)))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer f.Cleanup()
	if err := write(f); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// npyHeader returns what stands before the elements of an array file, in C order. Source: numpy, lib/format.py, version 1.0.
func npyHeader(dtype string, shape ...int) []byte {
	sizes := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(shape)), ", "), "[]")
	if len(shape) == 1 {
		sizes += ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, sizes)
	const prefix = 10
	dict += strings.Repeat(" ", (64-(prefix+len(dict)+1)%64)%64) + "\n"
	header := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	return append(header, dict...)
}

// arrays writes the layout of CIFAR-10-C.
func (w *corruptWriter) arrays(ctx context.Context) error {
	if err := w.labels(); err != nil {
		return err
	}
	n, shape := w.set.Len(), w.set.Shape()
	header := npyHeader("|u1", corrupt.Severities*n, shape.Height, shape.Width, shape.Channels)
	size := int64(len(header)) + int64(corrupt.Severities*n)*int64(shape.Size())
	for _, name := range w.o.Corruptions {
		path := filepath.Join(w.o.Out, name+".npy")
		if info, err := os.Stat(path); err == nil && info.Size() == size {
			w.advance(corrupt.Severities*n, true, name)
			continue
		}
		err := writeFile(path, func(file io.Writer) error {
			out := bufio.NewWriterSize(file, 1<<20)
			if _, err := out.Write(header); err != nil {
				return err
			}
			for _, severity := range []int{1, 2, 3, 4, 5} {
				if err := w.block(ctx, out, name, severity); err != nil {
					return err
				}
			}
			return out.Flush()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// block writes all images under a corruption, some at a time in parallel.
func (w *corruptWriter) block(ctx context.Context, out io.Writer, name string, severity int) error {
	set, err := w.corrupted(name, severity)
	if err != nil {
		return err
	}
	size, some := set.Shape().Size(), 64*w.o.Workers
	buffer := make([]uint8, min(some, set.Len())*size)
	for from := 0; from < set.Len(); from += some {
		n := min(some, set.Len()-from)
		err := inParallel(ctx, n, w.o.Workers, func(i int) error {
			_, err := readBytes(set, from+i, buffer[i*size:(i+1)*size])
			return err
		})
		if err != nil {
			return err
		}
		if _, err := out.Write(buffer[:n*size]); err != nil {
			return err
		}
		w.advance(n, false, fmt.Sprintf("%s %d", name, severity))
	}
	return nil
}

// labels writes labels.npy: those of all images, once a severity.
func (w *corruptWriter) labels() error {
	labels, err := dataset.Labels(w.set)
	if err != nil {
		return err
	}
	dtype, size := "|u1", 1
	if len(w.set.Classes()) > 256 {
		dtype, size = "<i8", 8
	}
	content := npyHeader(dtype, corrupt.Severities*len(labels))
	for range corrupt.Severities {
		for _, label := range labels {
			content = append(content, binary.LittleEndian.AppendUint64(nil, uint64(label))[:size]...)
		}
	}
	return writeFile(filepath.Join(w.o.Out, "labels.npy"), func(file io.Writer) error {
		_, err := file.Write(content)
		return err
	})
}

// files writes the layout of ImageNet-C.
func (w *corruptWriter) files(ctx context.Context) error {
	labels, err := dataset.Labels(w.set)
	if err != nil {
		return err
	}
	folders, err := classFolders(w.set.Classes())
	if err != nil {
		return err
	}
	for _, name := range w.o.Corruptions {
		for _, severity := range w.o.Severities {
			set, err := w.corrupted(name, severity)
			if err != nil {
				return err
			}
			dir := filepath.Join(w.o.Out, name, fmt.Sprint(severity))
			note := fmt.Sprintf("%s %d", name, severity)
			for _, folder := range folders {
				if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
					return err
				}
			}
			err = inParallel(ctx, set.Len(), w.o.Workers, func(i int) error {
				kept, err := w.file(set, i, filepath.Join(dir, folders[labels[i]], fmt.Sprintf("%08d", i)))
				w.advance(1, kept, note)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// file writes image i, unless it is there.
func (w *corruptWriter) file(set dataset.Set, i int, path string) (kept bool, err error) {
	path += map[string]string{"jpeg": ".JPEG", "png": ".png"}[w.o.Format]
	if _, err := os.Stat(path); err == nil {
		return true, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	pixels := make([]uint8, set.Shape().Size())
	if _, err := readBytes(set, i, pixels); err != nil {
		return false, err
	}
	img := asImage(set.Shape(), pixels)
	return false, writeFile(path, func(file io.Writer) error {
		if w.o.Format == "png" {
			return png.Encode(file, img)
		}
		return jpeg.Encode(file, img, &jpeg.Options{Quality: 85})
	})
}

// classFolders returns names of folders for classes.
func classFolders(classes []string) ([]string, error) {
	folders := make([]string, len(classes))
	seen := map[string]string{}
	for i, class := range classes {
		folder := strings.Map(func(r rune) rune {
			if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
				return '_'
			}
			return r
		}, class)
		if folder == "" || strings.Trim(folder, ".") == "" {
			folder = fmt.Sprintf("class%d", i)
		}
		if other, ok := seen[folder]; ok {
			return nil, fmt.Errorf("classes %q and %q would share the folder %q; take --format npy", other, class, folder)
		}
		seen[folder], folders[i] = class, folder
	}
	return folders, nil
}

// asImage returns bytes in the order height, width, channel as an image.
func asImage(shape dataset.Shape, pixels []uint8) image.Image {
	bounds := image.Rect(0, 0, shape.Width, shape.Height)
	if shape.Channels == 1 {
		return &image.Gray{Pix: pixels, Stride: shape.Width, Rect: bounds}
	}
	img := image.NewNRGBA(bounds)
	for i := range shape.Height * shape.Width {
		img.SetNRGBA(i%shape.Width, i/shape.Width, color.NRGBA{pixels[3*i], pixels[3*i+1], pixels[3*i+2], 255})
	}
	return img
}

// writeSheet writes the first image under all corruptions (columns, after the clean image) and severities (rows).
func (o *corruptOptions) writeSheet(set dataset.Set) error {
	w := &corruptWriter{o: o, set: set}
	shape := set.Shape()
	const gap = 2
	width, height := shape.Width+gap, shape.Height+gap
	sheet := image.NewNRGBA(image.Rect(0, 0, width*(len(o.Corruptions)+1), height*len(o.Severities)))
	pixels := make([]uint8, shape.Size())
	put := func(set dataset.Set, column, row int) error {
		if _, err := readBytes(set, 0, pixels); err != nil {
			return err
		}
		img := asImage(shape, pixels)
		for i := range shape.Height * shape.Width {
			x, y := i%shape.Width, i/shape.Width
			sheet.Set(column*width+x, row*height+y, img.At(x, y))
		}
		return nil
	}
	for row, severity := range o.Severities {
		if err := put(set, 0, row); err != nil {
			return err
		}
		for column, name := range o.Corruptions {
			set, err := w.corrupted(name, severity)
			if err != nil {
				return err
			}
			if err := put(set, column+1, row); err != nil {
				return err
			}
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, sheet); err != nil {
		return err
	}
	return writeFile(filepath.Join(o.Out, "sheet.png"), func(out io.Writer) error {
		_, err := out.Write(file.Bytes())
		return err
	})
}

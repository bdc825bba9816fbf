package dataset

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var (
	cifarShape   = Shape{32, 32, 3}
	cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
	cifarFiles   = []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}
)

// cifarRecord is the size of a record of the binary version: the label, then the red, the green and the blue plane.
const cifarRecord = 1 + 3*32*32

func openCIFAR10(cfg Config) (*Data, error) {
	dir, err := findCIFAR10(cfg.Dir)
	if err != nil {
		return nil, err
	}
	data := &Data{Source: dir, Mean: []float32{0.4914, 0.4822, 0.4465}, Std: []float32{0.2023, 0.1994, 0.2010}}
	files := make([]string, len(cifarFiles))
	for i, name := range cifarFiles {
		files[i] = filepath.Join(dir, name)
	}
	train, test := files[:5], files[5:]
	if !slices.ContainsFunc(train, exists) {
		data.missing = &fs.PathError{Op: "open", Path: train[0], Err: fs.ErrNotExist}
		files, train = test, nil
	}
	parts := make([]*Images, len(files))
	err = concurrently(len(files), func(i int) error {
		return withFile(files[i], func(src *source) (err error) {
			parts[i], err = parseCIFAR10(src)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	data.Test = parts[len(parts)-1]
	if train != nil {
		data.Train = concatenate(parts[:5])
	}
	return data, nil
}

// findCIFAR10 returns the folder with the files: dir, or one below it.
func findCIFAR10(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv(rootVariable)
	}
	if dir == "" {
		return "", fmt.Errorf("no folder given: name the one that holds cifar-10-batches-bin, or set %s to it", rootVariable)
	}
	folders := below(dir, "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin")
	for _, folder := range folders {
		for _, name := range cifarFiles {
			if exists(filepath.Join(folder, name)) {
				return folder, nil
			}
		}
	}
	hint := ""
	for _, folder := range folders {
		if python := filepath.Join(folder, "cifar-10-batches-py"); exists(python) {
			hint = fmt.Sprintf(" (%s is the Python version; unpack cifar-10-binary.tar.gz beside it)", python)
			break
		}
	}
	return "", fmt.Errorf("neither %s nor data_batch_1.bin in %s%s: %w", cifarFiles[5], strings.Join(folders, ", "), hint, fs.ErrNotExist)
}

// parseCIFAR10 reads a file of the binary version of CIFAR-10, however many records it has. Source: Krizhevsky,
// https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
func parseCIFAR10(src *source) (*Images, error) {
	images := &Images{shape: cifarShape, classes: cifarClasses, pixels: make([]uint8, 0, src.size)}
	record := make([]byte, cifarRecord)
	for n := 0; ; n++ {
		start := int64(n) * cifarRecord
		got, err := io.ReadFull(src, record)
		switch {
		case err == io.EOF && n == 0:
			return nil, src.fail(0, "the file is empty, want records of %d bytes", cifarRecord)
		case err == io.EOF:
			return images, nil
		case err == io.ErrUnexpectedEOF && got > 0:
			return nil, src.fail(start, "%d bytes after %d records, want the end of the file or a record of %d bytes (1 label, 3072 pixels)", got, n, cifarRecord)
		case err != nil:
			return nil, &FormatError{src.name, start + int64(got), src.compressed, "cannot be read further, want the rest of the file", err}
		case start+cifarRecord > src.limit:
			return nil, src.fail(src.limit, "more data, want at most %d bytes", src.limit)
		case int(record[0]) >= len(cifarClasses):
			return nil, src.fail(start, "label %d of record %d, want 0 to %d", record[0], n, len(cifarClasses)-1)
		}
		images.labels = append(images.labels, int(record[0]))
		images.pixels = appendInterleaved(images.pixels, record[1:])
	}
}

// appendInterleaved appends three planes (channel, height, width) as pixels (height, width, channel).
func appendInterleaved(pixels, planes []uint8) []uint8 {
	plane := len(planes) / 3
	red, green, blue := planes[:plane], planes[plane:2*plane], planes[2*plane:]
	for i := range plane {
		pixels = append(pixels, red[i], green[i], blue[i])
	}
	return pixels
}

// concatenate joins the parts, and lets go of each.
func concatenate(parts []*Images) *Images {
	all := &Images{shape: parts[0].shape, classes: parts[0].classes}
	size := 0
	for _, p := range parts {
		size += len(p.pixels)
	}
	all.pixels = make([]uint8, 0, size)
	for i, p := range parts {
		all.pixels = append(all.pixels, p.pixels...)
		all.labels = append(all.labels, p.labels...)
		parts[i] = nil
	}
	return all
}

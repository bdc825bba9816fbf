package dataset

import (
	"fmt"
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
	if train != nil {
		data.Train = concatenate(parts[:5])
	}
	data.Test = parts[len(parts)-1]
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
	data, err := src.read(0, src.limit+1)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, src.fail(0, "the file is empty, want records of %d bytes", cifarRecord)
	}
	if int64(len(data)) > src.limit {
		return nil, src.fail(src.limit, "more data, want at most %d bytes", src.limit)
	}
	n, plane := len(data)/cifarRecord, cifarShape.Height*cifarShape.Width
	images := &Images{cifarShape, cifarClasses, make([]uint8, n*cifarShape.Size()), make([]int, n)}
	for i := range n {
		record := data[i*cifarRecord:][:cifarRecord]
		if int(record[0]) >= len(cifarClasses) {
			return nil, src.fail(int64(i*cifarRecord), "label %d of record %d, want 0 to %d", record[0], i, len(cifarClasses)-1)
		}
		images.labels[i] = int(record[0])
		interleave(images.pixels[i*cifarShape.Size():][:cifarShape.Size()], record[1:], plane)
	}
	if rest := len(data) % cifarRecord; rest != 0 {
		return nil, src.fail(int64(n*cifarRecord), "%d bytes after %d records, want the end of the file or a record of %d bytes (1 label, 3072 pixels)", rest, n, cifarRecord)
	}
	return images, nil
}

// interleave turns planes (channel, height, width) into pixels (height, width, channel).
func interleave(dst, planes []uint8, plane int) {
	red, green, blue := planes[:plane], planes[plane:2*plane], planes[2*plane:3*plane]
	for i := range red {
		dst[3*i], dst[3*i+1], dst[3*i+2] = red[i], green[i], blue[i]
	}
}

func concatenate(parts []*Images) *Images {
	all := &Images{shape: parts[0].shape, classes: parts[0].classes}
	for _, p := range parts {
		all.pixels = append(all.pixels, p.pixels...)
		all.labels = append(all.labels, p.labels...)
	}
	return all
}

package dataset

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// debianFashionMNIST is where Debian's package dataset-fashion-mnist installs its files.
const debianFashionMNIST = "/usr/share/datasets/fashion-mnist"

// rootVariable names the environment variable with the folder of all data sets, as in the official RAT code.
const rootVariable = "DATASET_ROOT_DIR"

var (
	mnistShape   = Shape{28, 28, 1}
	mnistClasses = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

	fashionClasses = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
		"Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
)

func openMNIST(cfg Config) (*Data, error) {
	folders, err := mnistFolders(cfg)
	if err != nil {
		return nil, err
	}
	data, err := openIDX(folders, mnistClasses, mnistHint)
	if err != nil {
		return nil, err
	}
	data.Mean, data.Std = []float32{0.1307}, []float32{0.3081}
	return data, nil
}

const mnistHint = "name the folder that holds them"

func findMNIST(cfg Config) (string, error) {
	folders, err := mnistFolders(cfg)
	if err != nil {
		return "", err
	}
	dir, _, err := findIDX(folders)
	return dir, err
}

func mnistFolders(cfg Config) ([]string, error) {
	if cfg.Dir != "" {
		return below(cfg.Dir, "MNIST/raw", "raw", "mnist"), nil
	}
	dir, err := moduleData()
	if err != nil {
		return nil, fmt.Errorf("%w, or name a folder with the files %s", err, strings.Join(idxNames[:], ", "))
	}
	return []string{dir}, nil
}

func openFashionMNIST(cfg Config) (*Data, error) {
	data, err := openIDX(fashionFolders(cfg), fashionClasses,
		"name the folder that holds them, set "+rootVariable+" to it, or install Debian's package dataset-fashion-mnist")
	if err != nil {
		return nil, err
	}
	data.Mean, data.Std = []float32{0.2860}, []float32{0.3530}
	return data, nil
}

func findFashionMNIST(cfg Config) (string, error) {
	dir, _, err := findIDX(fashionFolders(cfg))
	return dir, err
}

func fashionFolders(cfg Config) []string {
	dir := cfg.Dir
	if dir == "" {
		dir = os.Getenv(rootVariable)
	}
	var folders []string
	if dir != "" {
		folders = below(dir, "FashionMNIST/raw", "raw", "fashion-mnist", "fashion_mnist")
	}
	if cfg.Dir == "" {
		folders = append(folders, debianFashionMNIST)
	}
	return folders
}

// idxNames are the four files of an MNIST-like set, training images, training labels, test images, test labels. Each
// may be compressed, then with ".gz" after its name.
var idxNames = [4]string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}

// openIDX reads the four files from the first of the folders that holds any of them. The hint says what to do where none
// does.
func openIDX(folders, classes []string, hint string) (*Data, error) {
	dir, files, err := findIDX(folders)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, hint)
	}
	data := &Data{Source: dir}
	first := 0
	if files[0] == "" && files[1] == "" {
		data.missing = missingIDX(dir, idxNames[0])
		first = 2
	}
	for i := first; i < 4; i++ {
		if files[i] == "" {
			return nil, missingIDX(dir, idxNames[i])
		}
	}
	var halves [2]*Images
	err = concurrently(2, func(half int) (err error) {
		if 2*half >= first {
			halves[half], err = readIDXPair(files[2*half], files[2*half+1], classes)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if first == 0 {
		data.Train = halves[0]
	}
	data.Test = halves[1]
	return data, nil
}

// findIDX returns the paths of the files, "" for those that are not there.
func findIDX(folders []string) (dir string, files [4]string, err error) {
	for _, dir := range folders {
		found := false
		for i, name := range idxNames {
			for _, suffix := range []string{"", ".gz"} {
				if path := filepath.Join(dir, name+suffix); files[i] == "" && exists(path) {
					files[i], found = path, true
				}
			}
		}
		if found {
			return dir, files, nil
		}
	}
	return "", files, fmt.Errorf("no idx files (%s, each plain or .gz) in %s: %w",
		strings.Join(idxNames[:], ", "), strings.Join(folders, ", "), fs.ErrNotExist)
}

func missingIDX(dir, name string) error {
	return &fs.PathError{Op: "open", Path: filepath.Join(dir, name) + "[.gz]", Err: fs.ErrNotExist}
}

// readIDXPair reads a file of images and the file of their labels.
func readIDXPair(imageFile, labelFile string, classes []string) (*Images, error) {
	var n int
	var pixels []byte
	err := withFile(imageFile, func(src *source) (err error) {
		n, pixels, err = parseIDX(src, mnistShape.Height, mnistShape.Width)
		return err
	})
	if err != nil {
		return nil, err
	}
	var labels []int
	err = withFile(labelFile, func(src *source) (err error) {
		labels, err = parseIDXLabels(src, n, len(classes))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Images{mnistShape, classes, pixels, labels}, nil
}

// parseIDXLabels reads exactly n labels in [0, classes).
func parseIDXLabels(src *source, n, classes int) ([]int, error) {
	got, data, err := parseIDX(src)
	if err != nil {
		return nil, err
	}
	if got != n {
		return nil, src.fail(4, "%d labels, want %d, one for each image", got, n)
	}
	labels := make([]int, n)
	for i, label := range data {
		if int(label) >= classes {
			return nil, src.fail(int64(8+i), "label %d of image %d, want 0 to %d", label, i, classes-1)
		}
		labels[i] = int(label)
	}
	return labels, nil
}

package dataset

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// commonCorruptions are the 15 of the benchmark, which a set without further name has, and the 4 extra ones. Source:
// Hendrycks, Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations", ICLR 2019.
var (
	commonCorruptions = []string{"gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur",
		"zoom_blur", "snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression"}
	extraCorruptions = []string{"spatter", "saturate", "speckle_noise", "gaussian_blur"}
)

const severities = 5

// corrupted reads what follows the colon: a corruption or none, and a severity or 0.
func (q query) corrupted(all []string) (corruptions []string, severity int, err error) {
	name, level, hasLevel := strings.Cut(q.more, ":")
	if n, err := strconv.Atoi(name); err == nil && !hasLevel { // a severity alone
		name, level, hasLevel = "", strconv.Itoa(n), true
	}
	known := append(slices.Clone(commonCorruptions), extraCorruptions...)
	switch {
	case name == "":
		corruptions = all
	case slices.Contains(known, name):
		corruptions = []string{name}
	default:
		return nil, 0, fmt.Errorf("corruption %q, want one of %s", name, strings.Join(known, ", "))
	}
	if hasLevel {
		if severity, err = strconv.Atoi(level); err != nil || severity < 1 || severity > severities {
			return nil, 0, fmt.Errorf("severity %q, want 1 to %d", level, severities)
		}
	}
	return corruptions, severity, nil
}

// cifarC is CIFAR-10-C or CIFAR-100-C: for each corruption an array of the test images at severity 1, then 2, ... 5, and
// labels.npy for all of them.
type cifarC struct {
	clean   cifar
	folders []string
}

var (
	cifar10C  = cifarC{cifar10, []string{"corrupt_cifar10/CIFAR-C", "CIFAR-10-C", "cifar10c", "cifar10c/CIFAR-10-C"}}
	cifar100C = cifarC{cifar100, []string{"corrupt_cifar100/CIFAR-C", "CIFAR-100-C", "cifar100c", "cifar100c/CIFAR-100-C"}}
)

func (c cifarC) layout() string {
	return strings.Join(c.folders, "/, ") + "/ or the root itself, with labels.npy and <corruption>.npy"
}

func (c cifarC) find(q query) (string, error) {
	root, err := q.root()
	if err != nil {
		return "", err
	}
	folders := below(root, c.folders...)
	for _, dir := range append(folders[1:], root) {
		if isFile(filepath.Join(dir, "labels.npy")) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no labels.npy in %s: %w", strings.Join(folders, ", "), fs.ErrNotExist)
}

func (c cifarC) open(q query) (*Data, error) {
	corruptions, severity, err := q.corrupted(commonCorruptions)
	if err != nil {
		return nil, err
	}
	dir, err := c.find(q)
	if err != nil {
		return nil, err
	}
	l, err := openNpy(filepath.Join(dir, "labels.npy"))
	if err != nil {
		return nil, err
	}
	labels, err := l.ints()
	if err != nil {
		return nil, err
	}
	first, last := 0, len(labels)
	if len(labels)%severities != 0 {
		return nil, l.fail("%d labels, want as many for each of %d severities", len(labels), severities)
	}
	if severity > 0 {
		each := len(labels) / severities
		first, last = (severity-1)*each, severity*each
	}
	for i, l2 := range labels {
		if l2 >= len(c.clean.fine) {
			return nil, l.fail("label %d of image %d, want 0 to %d", l2, i, len(c.clean.fine)-1)
		}
	}
	var parts []raw
	for _, name := range corruptions {
		a, err := openNpy(filepath.Join(dir, name+".npy"))
		if err != nil {
			return nil, err
		}
		if want := []int{len(labels), 32, 32, 3}; !slices.Equal(a.Shape, want) || a.Type != "u1" {
			return nil, a.fail("an array of shape %v and type %s, want %v and u1", a.Shape, a.Type, want)
		}
		parts = append(parts, &rows{a, cifarShape, false, first, labels[first:last], c.clean.fine})
	}
	test, err := newStored(join(parts...), q.Preprocess)
	if err != nil {
		return nil, err
	}
	return &Data{Source: dir, Test: test, Mean: []float32{0.4914, 0.4822, 0.4465}, Std: []float32{0.2023, 0.1994, 0.2010},
		missing: fmt.Errorf("corrupted images are for testing, train on %s", c.clean.name)}, nil
}

func findImageNetC(q query) (string, error) {
	root, err := q.root()
	if err != nil {
		return "", err
	}
	folders := below(root, "corrupt_imagenet", "imagenetc", "ImageNet-C", "imagenet-c")
	for _, dir := range append(folders[1:], root) {
		for _, name := range append(slices.Clone(commonCorruptions), extraCorruptions...) {
			if isDir(filepath.Join(dir, name, "1")) {
				return dir, nil
			}
		}
	}
	return "", fmt.Errorf("no folders such as gaussian_noise/1 in %s: %w", strings.Join(folders, ", "), fs.ErrNotExist)
}

// openImageNetC opens folders <corruption>/<severity>/<class>.
func openImageNetC(q query) (*Data, error) {
	corruptions, severity, err := q.corrupted(append(slices.Clone(commonCorruptions), extraCorruptions...))
	if err != nil {
		return nil, err
	}
	dir, err := findImageNetC(q)
	if err != nil {
		return nil, err
	}
	levels := []int{severity}
	if severity == 0 {
		levels = []int{1, 2, 3, 4, 5}
	}
	var parts []raw
	for _, name := range corruptions {
		for _, level := range levels {
			folder := filepath.Join(dir, name, strconv.Itoa(level))
			_, p, err := classFolders("", folder)
			if err != nil {
				return nil, err
			}
			if len(p.names) == 0 {
				return nil, fmt.Errorf("%s: no images in folders of classes: %w", folder, fs.ErrNotExist)
			}
			if len(parts) > 0 && !slices.Equal(p.classes, parts[0].Classes()) {
				return nil, fmt.Errorf("%s: its classes are not those of the other corruptions", folder)
			}
			parts = append(parts, p)
		}
	}
	how := q.Preprocess
	if how == (Preprocess{}) {
		how = usual
	}
	test, err := newStored(join(parts...), how)
	if err != nil {
		return nil, err
	}
	return &Data{Source: dir, Test: test, Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225},
		missing: fmt.Errorf("corrupted images are for testing, train on imagenet")}, nil
}

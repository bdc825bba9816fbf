package dataset

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

func findCUB(q query) (string, error) {
	root, err := q.root()
	if err != nil {
		return "", err
	}
	folders := below(root, "CUB", "CUB_200_2011", "CUB/CUB_200_2011", "cub200/CUB_200_2011", "cub/CUB_200_2011")
	for _, dir := range folders[1:] {
		if isCUB(dir) {
			return dir, nil
		}
	}
	if isCUB(root) {
		return root, nil
	}
	for _, dir := range folders {
		if archive := filepath.Join(dir, "CUB_200_2011.tgz"); isFile(archive) {
			return "", fmt.Errorf("%s is compressed, its images cannot be read one by one: unpack it", archive)
		}
	}
	return "", fmt.Errorf("neither folders train and test nor train_test_split.txt in %s: %w", strings.Join(folders, ", "), fs.ErrNotExist)
}

func isCUB(dir string) bool {
	return isFile(filepath.Join(dir, "train_test_split.txt")) || isDir(filepath.Join(dir, "test"))
}

// openCUB opens CUB-200-2011 as it is distributed, or in folders train and test as the official code wants it.
func openCUB(q query) (*Data, error) {
	if err := q.plain(); err != nil {
		return nil, err
	}
	dir, err := findCUB(q)
	if err != nil {
		return nil, err
	}
	if !isFile(filepath.Join(dir, "train_test_split.txt")) {
		train := filepath.Join(dir, "train")
		if !isDir(train) {
			train = ""
		}
		return openClassFolders(dir, train, filepath.Join(dir, "test"), q, usual)
	}
	train, test, err := readCUB(dir)
	if err != nil {
		return nil, err
	}
	return photoData(dir, train, test, q.Config, usual)
}

// readCUB reads the lists: classes.txt and images.txt have numbers and names, image_class_labels.txt and
// train_test_split.txt the numbers of images with those of classes and with 1 for training. Source: the set's README.
func readCUB(dir string) (train, test *photos, err error) {
	lists := map[string][]textLine{}
	for _, name := range []string{"classes", "images", "image_class_labels", "train_test_split"} {
		if lists[name], err = readLines(filepath.Join(dir, name+".txt"), 2); err != nil {
			return nil, nil, err
		}
	}
	var classes []string
	for i, l := range lists["classes"] {
		if n, err := l.number(0, 1, len(lists["classes"])); err != nil || n != i+1 {
			return nil, nil, l.fail("class %q, want %d", l.fields[0], i+1)
		}
		classes = append(classes, l.fields[1])
	}
	images := lists["images"]
	names := make([]string, len(images))
	class, training := make([]int, len(images)), make([]int, len(images))
	for i, l := range images {
		if n, err := l.number(0, 1, len(images)); err != nil || n != i+1 {
			return nil, nil, l.fail("image %q, want %d", l.fields[0], i+1)
		}
		if !filepath.IsLocal(filepath.FromSlash(l.fields[1])) {
			return nil, nil, l.fail("%q is outside the folder", l.fields[1])
		}
		names[i] = l.fields[1]
	}
	for _, c := range []struct {
		list        string
		into        []int
		first, last int
	}{{"image_class_labels", class, 1, len(classes)}, {"train_test_split", training, 0, 1}} {
		lines := lists[c.list]
		if len(lines) != len(images) {
			return nil, nil, lines[len(lines)-1].fail("%d lines, want %d, one for each image", len(lines), len(images))
		}
		for i, l := range lines {
			if n, err := l.number(0, 1, len(images)); err != nil || n != i+1 {
				return nil, nil, l.fail("image %q, want %d", l.fields[0], i+1)
			}
			if c.into[i], err = l.number(1, c.first, c.last); err != nil {
				return nil, nil, err
			}
		}
	}
	train = &photos{files: onDisk(filepath.Join(dir, "images")), classes: classes}
	test = &photos{files: train.files, classes: classes}
	for i, name := range names {
		half := test
		if training[i] == 1 {
			half = train
		}
		half.add(name, class[i]-1)
	}
	return train, test, nil
}

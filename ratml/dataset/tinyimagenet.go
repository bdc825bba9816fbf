package dataset

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

func findTiny(q query) (string, error) {
	root, err := q.root()
	if err != nil {
		return "", err
	}
	folders := below(root, "tiny-imagenet-200", "tiny_imagenet", "tiny_imagenet/tiny-imagenet-200", "tinyimagenet/tiny-imagenet-200")
	for _, dir := range folders {
		if isFile(filepath.Join(dir, "wnids.txt")) || isFile(filepath.Join(dir, "val", "val_annotations.txt")) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no wnids.txt in %s: %w", strings.Join(folders, ", "), fs.ErrNotExist)
}

// openTiny opens Tiny ImageNet: train/<class>/images/, and val/images/ with labels in val_annotations.txt, or val with a
// folder a class. Classes are sorted. The test images have no labels and are left alone.
func openTiny(q query) (*Data, error) {
	if err := q.plain(); err != nil {
		return nil, err
	}
	dir, err := findTiny(q)
	if err != nil {
		return nil, err
	}
	lines, err := readLines(filepath.Join(dir, "wnids.txt"), 1)
	if err != nil {
		return nil, err
	}
	var classes []string
	for _, l := range lines {
		classes = append(classes, l.fields[0])
	}
	slices.Sort(classes)
	test, err := tinyVal(filepath.Join(dir, "val"), classes)
	if err != nil {
		return nil, err
	}
	var train *photos
	if isDir(filepath.Join(dir, "train")) {
		if train, err = byClass(filepath.Join(dir, "train"), classes, "images"); err != nil {
			return nil, err
		}
	}
	data, err := photoData(dir, train, test, q.Config, Preprocess{})
	if err == nil && train == nil {
		data.missing = &fs.PathError{Op: "open", Path: filepath.Join(dir, "train"), Err: fs.ErrNotExist}
	}
	return data, err
}

func tinyVal(dir string, classes []string) (*photos, error) {
	annotations := filepath.Join(dir, "val_annotations.txt")
	if !isFile(annotations) {
		if names, _ := subfolders(dir); len(names) > 1 {
			return byClass(dir, classes, "")
		}
	}
	lines, err := readLines(annotations, 3) // file, class, and a box
	if err != nil {
		return nil, err
	}
	p := &photos{files: onDisk(filepath.Join(dir, "images")), classes: classes}
	for _, l := range lines {
		class, ok := slices.BinarySearch(classes, l.fields[1])
		if !ok {
			return nil, l.fail("class %q is none of wnids.txt", l.fields[1])
		}
		if !filepath.IsLocal(l.fields[0]) {
			return nil, l.fail("%q is outside the folder", l.fields[0])
		}
		p.add(l.fields[0], class)
	}
	return p, nil
}

package dataset

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

func findPlaces(q query) (string, error) {
	root, err := q.root()
	if err != nil {
		return "", err
	}
	folders := below(root, "places365", "Places365")
	for _, dir := range append(folders[1:], root) {
		for _, name := range []string{"val_256", "val_256.tar"} {
			if exists(filepath.Join(dir, name)) {
				return dir, nil
			}
		}
	}
	return "", fmt.Errorf("neither val_256 nor val_256.tar in %s: %w", strings.Join(folders, ", "), fs.ErrNotExist)
}

// openPlaces opens Places365 with images of 256 pixels: folders train and val_256 with a folder a class, or as it is
// distributed, with lists of labels.
func openPlaces(q query) (*Data, error) {
	if err := q.plain(); err != nil {
		return nil, err
	}
	dir, err := findPlaces(q)
	if err != nil {
		return nil, err
	}
	val, train := filepath.Join(dir, "val_256"), filepath.Join(dir, "train")
	if names, _ := subfolders(val); len(names) > 0 {
		if !isDir(train) {
			train = ""
		}
		return openClassFolders(dir, train, val, q, usual)
	}
	lines, err := readLines(filepath.Join(dir, "categories_places365.txt"), 2)
	if err != nil {
		return nil, err
	}
	var classes []string
	for i, l := range lines {
		if n, err := l.number(1, 0, len(lines)-1); err != nil || n != i {
			return nil, l.fail("class %q, want %d", l.fields[1], i)
		}
		name := l.fields[0]
		if len(name) > 3 && name[0] == '/' && name[2] == '/' { // folders by first letter
			name = name[3:]
		}
		classes = append(classes, name)
	}
	var valFiles files = onDisk(val)
	prefix := ""
	if !isDir(val) {
		if valFiles, _, err = indexTarFiles(filepath.Join(dir, "val_256.tar")); err != nil {
			return nil, err
		}
		prefix = "val_256/"
	}
	test, err := listed(filepath.Join(dir, "places365_val.txt"), valFiles, prefix, classes)
	if err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "places365_train_standard.txt")
	if !isFile(list) {
		data, err := photoData(dir, nil, test, q.Config, usual)
		if err == nil {
			data.missing = &fs.PathError{Op: "open", Path: list, Err: fs.ErrNotExist}
		}
		return data, err
	}
	training, err := listed(list, onDisk(filepath.Join(dir, "data_256_standard")), "", classes)
	if err != nil {
		return nil, err
	}
	return photoData(dir, training, test, q.Config, usual)
}

// listed reads a list of images with the numbers of their classes.
func listed(list string, from files, prefix string, classes []string) (*photos, error) {
	lines, err := readLines(list, 2)
	if err != nil {
		return nil, err
	}
	p := &photos{files: from, classes: classes}
	for _, l := range lines {
		class, err := l.number(1, 0, len(classes)-1)
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(l.fields[0], "/")
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, l.fail("%q is outside the folder", name)
		}
		p.add(prefix+name, class)
	}
	return p, nil
}

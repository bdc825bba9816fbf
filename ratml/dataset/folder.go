package dataset

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// pictureEndings are those of torchvision's IMG_EXTENSIONS.
var pictureEndings = []string{".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}

func isPicture(name string) bool {
	return slices.Contains(pictureEndings, strings.ToLower(path.Ext(name)))
}

// unlabelled is the only class of images that are in no folder of a class.
const unlabelled = "unlabelled"

// subfolders returns the names of the folders in dir, sorted; links to folders count.
func subfolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 && isDir(filepath.Join(dir, e.Name())) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// pictures returns the image files in a folder, and those in folders in it after them, as paths from root.
func pictures(root, dir string, depth int) ([]string, error) {
	if depth > 16 {
		return nil, fmt.Errorf("%s: more than 16 folders in one another", filepath.Join(root, dir))
	}
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && isPicture(e.Name()) {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	slices.Sort(names)
	folders, err := subfolders(filepath.Join(root, filepath.FromSlash(dir)))
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		below, err := pictures(root, path.Join(dir, f), depth+1)
		if err != nil {
			return nil, err
		}
		names = append(names, below...)
	}
	return names, nil
}

// byClass lists the images in root/<class>/, of which classes gives names and numbers; sub is a folder within those of the
// classes. A class without a folder has no images, a folder without images is an error.
func byClass(root string, classes []string, sub string) (*photos, error) {
	found := make([][]string, len(classes))
	workers := 2 * runtime.GOMAXPROCS(0)
	err := concurrently(workers, func(w int) error {
		for k := w; k < len(classes); k += workers {
			dir := path.Join(classes[k], sub)
			if !isDir(filepath.Join(root, dir)) {
				continue
			}
			var err error
			if found[k], err = pictures(root, dir, 0); err != nil {
				return err
			}
			if len(found[k]) == 0 {
				return fmt.Errorf("%s: no images in the folder of a class, want files that end in %s", filepath.Join(root, dir), strings.Join(pictureEndings, ", "))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p := &photos{files: onDisk(root), classes: classes}
	for k, names := range found {
		for _, n := range names {
			p.add(n, k)
		}
	}
	return p, nil
}

// classFolders lists the images of folders with a folder a class, "" for none. Both have the classes of either.
func classFolders(trainDir, testDir string) (train, test *photos, err error) {
	var classes []string
	for _, dir := range []string{trainDir, testDir} {
		if dir == "" {
			continue
		}
		names, err := subfolders(dir)
		if err != nil {
			return nil, nil, err
		}
		classes = append(classes, names...)
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	if trainDir != "" {
		if train, err = byClass(trainDir, classes, ""); err != nil {
			return nil, nil, err
		}
	}
	if testDir != "" {
		if test, err = byClass(testDir, classes, ""); err != nil {
			return nil, nil, err
		}
	}
	return train, test, nil
}

// flat lists the images in a folder that has no folders of classes.
func flat(dir string) (*photos, error) {
	names, err := pictures(dir, "", 0)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no images, want files that end in %s: %w", dir, strings.Join(pictureEndings, ", "), fs.ErrNotExist)
	}
	return &photos{files: onDisk(dir), classes: []string{unlabelled}, names: names, labels: make([]int32, len(names))}, nil
}

// named returns the folder or file that a set like "folder" is in: what follows the colon, or Dir.
func (q query) named() (string, error) {
	switch {
	case q.more != "" && q.Dir != "" && !filepath.IsAbs(q.more):
		return filepath.Join(q.Dir, q.more), nil
	case q.more != "":
		return q.more, nil
	case q.Dir != "":
		return q.Dir, nil
	}
	return "", fmt.Errorf("name the files after a colon, as in %s:/data/mine, or as the folder of the data set", q.entry.Name)
}

func findFolder(q query) (string, error) {
	dir, err := q.named()
	if err != nil {
		return "", err
	}
	if !isDir(dir) {
		return "", &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
	}
	return dir, nil
}

// openFolder opens a folder with folders train, and test or val, each with a folder a class, or with those of classes.
func openFolder(q query) (*Data, error) {
	dir, err := findFolder(q)
	if err != nil {
		return nil, err
	}
	trainDir, testDir := filepath.Join(dir, "train"), ""
	for _, name := range []string{"test", "val"} {
		if testDir == "" && isDir(filepath.Join(dir, name)) {
			testDir = filepath.Join(dir, name)
		}
	}
	if !isDir(trainDir) {
		trainDir = ""
	}
	if trainDir == "" && testDir == "" {
		testDir = dir
	}
	return openClassFolders(dir, trainDir, testDir, q, Preprocess{})
}

// openClassFolders opens folders of classes, and a folder without any as images without labels.
func openClassFolders(source, trainDir, testDir string, q query, usual Preprocess) (*Data, error) {
	classes, err := subfolders(testDir)
	if testDir != "" && err != nil {
		return nil, err
	}
	var train, test *photos
	if trainDir == "" && len(classes) == 0 {
		test, err = flat(testDir)
	} else {
		train, test, err = classFolders(trainDir, testDir)
	}
	if err != nil {
		return nil, err
	}
	data, err := photoData(source, train, test, q.Config, usual)
	if err == nil && train == nil {
		data.missing = &fs.PathError{Op: "open", Path: filepath.Join(source, "train"), Err: fs.ErrNotExist}
	}
	return data, err
}

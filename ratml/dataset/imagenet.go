package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/dataset/internal/matfile"
)

// The files of ImageNet as they are distributed for ILSVRC2012.
const (
	imagenetTrain = "ILSVRC2012_img_train.tar"
	imagenetVal   = "ILSVRC2012_img_val.tar"
	devkitFolder  = "ILSVRC2012_devkit_t12"
	devkitTruth   = "ILSVRC2012_validation_ground_truth.txt"
)

func findImageNet(q query) (string, error) {
	root, err := q.root()
	if err != nil {
		return "", err
	}
	folders := below(root, "imagenet", "ImageNet", "ILSVRC2012")
	slices.Reverse(folders[1:])
	for _, dir := range append(folders[1:], root) {
		for _, name := range []string{"val", imagenetVal} {
			if exists(filepath.Join(dir, name)) {
				return dir, nil
			}
		}
	}
	return "", fmt.Errorf("neither a folder val nor %s in %s: %w", imagenetVal, strings.Join(folders, ", "), fs.ErrNotExist)
}

// openImageNet opens folders train and val with a folder a class, or the archives that they come from. Classes are the
// names of synsets, sorted.
func openImageNet(q query) (*Data, error) {
	if err := q.plain(); err != nil {
		return nil, err
	}
	dir, err := findImageNet(q)
	if err != nil {
		return nil, err
	}
	val := filepath.Join(dir, "val")
	classes, err := subfolders(val)
	if err == nil && len(classes) > 0 {
		train := filepath.Join(dir, "train")
		if !isDir(train) {
			train = ""
		}
		if train != "" || !isFile(filepath.Join(dir, imagenetTrain)) {
			return openClassFolders(dir, train, val, q, usual)
		}
	}
	train, test, err := imagenetArchives(dir)
	if err != nil {
		return nil, err
	}
	data, err := photoData(dir, train, test, q.Config, usual)
	if err == nil && train == nil {
		data.missing = &fs.PathError{Op: "open", Path: filepath.Join(dir, "train"), Err: fs.ErrNotExist}
	}
	return data, err
}

// imagenetArchives lists images whose classes the development kit knows; train is nil where there are none.
func imagenetArchives(dir string) (train, test *photos, err error) {
	kit, err := readDevkit(dir)
	if err != nil {
		return nil, nil, err
	}
	val := filepath.Join(dir, "val")
	switch classes, _ := subfolders(val); {
	case len(classes) > 0:
		test, err = byClass(val, kit.classes, "")
	case isDir(val):
		if test, err = flat(val); err == nil {
			err = kit.label(test)
		}
	default:
		test = &photos{}
		test.files, test.names, err = indexTarFiles(filepath.Join(dir, imagenetVal))
		if err == nil {
			err = kit.label(test)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	folder, archive := filepath.Join(dir, "train"), filepath.Join(dir, imagenetTrain)
	switch {
	case isDir(folder):
		train, err = byClass(folder, kit.classes, "")
	case isFile(archive):
		train, err = kit.byFolder(archive)
	}
	return train, test, err
}

func indexTarFiles(name string) (files, []string, error) {
	t, names, err := indexTar(name)
	return t, names, err
}

// devkit is what is needed of the development kit.
type devkit struct {
	classes []string // names of synsets, sorted
	truth   []int    // for each validation image its class
}

// label gives images their classes by the numbers in their names, ILSVRC2012_val_00000001.JPEG being the first.
func (k devkit) label(p *photos) error {
	p.classes = k.classes
	p.labels = make([]int32, len(p.names))
	slices.Sort(p.names)
	if len(p.names) != len(k.truth) {
		return fmt.Errorf("%s: %d validation images, %s has %d labels", p.files.path(""), len(p.names), devkitTruth, len(k.truth))
	}
	for i, name := range p.names {
		var n int
		if _, err := fmt.Sscanf(path.Base(name), "ILSVRC2012_val_%d.JPEG", &n); err != nil || n < 1 || n > len(k.truth) {
			return fmt.Errorf("%s: want a name such as ILSVRC2012_val_00000001.JPEG with a number up to %d", p.files.path(name), len(k.truth))
		}
		p.labels[i] = int32(k.truth[n-1])
	}
	return nil
}

// byFolder lists images of an archive that are in folders, or archives, of their classes.
func (k devkit) byFolder(archive string) (*photos, error) {
	t, names, err := indexTar(archive)
	if err != nil {
		return nil, err
	}
	p := &photos{files: t, classes: k.classes}
	slices.Sort(names)
	for _, name := range names {
		class, ok := slices.BinarySearch(k.classes, strings.SplitN(name, "/", 2)[0])
		if !ok {
			return nil, fmt.Errorf("%s: no class of the development kit", t.path(name))
		}
		p.add(name, class)
	}
	return p, nil
}

// readDevkit reads the development kit, packed or not.
func readDevkit(dir string) (devkit, error) {
	for _, folder := range []string{filepath.Join(dir, devkitFolder, "data"), filepath.Join(dir, "data"), dir} {
		meta, truth := filepath.Join(folder, "meta.mat"), filepath.Join(folder, devkitTruth)
		if !isFile(meta) || !isFile(truth) {
			continue
		}
		a, err := os.ReadFile(meta)
		if err != nil {
			return devkit{}, err
		}
		b, err := os.ReadFile(truth)
		if err != nil {
			return devkit{}, err
		}
		return parseDevkit(meta, a, truth, b)
	}
	archive := filepath.Join(dir, devkitFolder+".tar.gz")
	if !isFile(archive) {
		return devkit{}, fmt.Errorf("the labels of validation images need the development kit, %s or the folder %s: %w", archive, devkitFolder, fs.ErrNotExist)
	}
	found := map[string][]byte{}
	err := readArchive(archive, map[string]bool{"meta.mat": true, devkitTruth: true}, func(member string, src *source) (err error) {
		found[member], err = src.read(0, src.limit)
		return err
	})
	if err != nil {
		return devkit{}, err
	}
	return parseDevkit(archive+":meta.mat", found["meta.mat"], archive+":"+devkitTruth, found[devkitTruth])
}

// parseDevkit reads the table of synsets, of which those without children are the classes, and the labels.
func parseDevkit(metaName string, meta []byte, truthName string, truth []byte) (k devkit, err error) {
	arrays, err := matfile.Read(bytes.NewReader(meta), "synsets")
	if err != nil {
		var at *matfile.Error
		errors.As(err, &at)
		return k, &FormatError{metaName, at.Offset, false, "cannot be read as a MATLAB file", at.Err}
	}
	wnid := map[int]string{}
	if len(arrays) == 1 {
		f := arrays[0].Fields
		for i := range arrays[0].Len() {
			if i >= len(f["ILSVRC2012_ID"]) || i >= len(f["WNID"]) || i >= len(f["num_children"]) {
				break
			}
			id, err := f["ILSVRC2012_ID"][i].Ints()
			children, err2 := f["num_children"][i].Ints()
			if err != nil || err2 != nil || len(id) != 1 || len(children) != 1 {
				return k, &FormatError{File: metaName, Offset: 128, Problem: fmt.Sprintf("synset %d has no number", i)}
			}
			if name := f["WNID"][i].Text(); children[0] == 0 {
				wnid[id[0]] = name
				k.classes = append(k.classes, name)
			}
		}
	}
	if len(k.classes) == 0 {
		return k, &FormatError{File: metaName, Offset: 128, Problem: "no structure synsets with ILSVRC2012_ID, WNID and num_children"}
	}
	slices.Sort(k.classes)
	lines, err := splitLines(truthName, truth, 1)
	if err != nil {
		return k, err
	}
	for _, l := range lines {
		n, err := l.number(0, 1, 1<<20)
		if err != nil {
			return k, err
		}
		name, ok := wnid[n]
		if !ok {
			return k, l.fail("class %d is none of the %d in %s", n, len(wnid), metaName)
		}
		class, _ := slices.BinarySearch(k.classes, name)
		k.truth = append(k.truth, class)
	}
	return k, nil
}

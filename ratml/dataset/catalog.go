package dataset

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Open opens the data set called name. What a folder must hold for it is said by [Catalog]; folders are looked for below
// Dir or, where that is empty, below the folder that the environment variable DATASET_ROOT_DIR names. Nothing is ever
// downloaded, and nothing is unpacked: archives are read where they are.
//
// Some names take more after a colon: "cifar10c:fog:3" is one corruption at one severity, "folder:/data/mine" names the
// folder. The name "" stands for "mnist".
//
// Images in files of their own, and arrays on disk, are read when an image is: such a set may be larger than memory.
//
// A folder that holds none of the training files is good for evaluation: Data.Train is nil then. In every other case a
// missing or faulty file is an error. An unknown name gives an error that lists the names there are.
func Open(name string, cfg Config) (*Data, error) {
	q, err := ask(name, cfg)
	if err != nil {
		return nil, err
	}
	data, err := q.entry.open(q)
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", q.name, err)
	}
	data.Name = q.name
	if err := data.preprocess(cfg.Preprocess); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", q.name, err)
	}
	return data, nil
}

// Find returns the folder or the file from which Open would read the data set, without reading it.
func Find(name string, cfg Config) (string, error) {
	q, err := ask(name, cfg)
	if err != nil {
		return "", err
	}
	place, err := q.entry.find(q)
	if err != nil {
		return "", fmt.Errorf("dataset: %s: %w", q.name, err)
	}
	return place, nil
}

// Info describes a data set that [Open] knows.
type Info struct {
	Name    string
	Aliases []string
	About   string
	// Layout tells the files that are looked for below the root, one possibility a line.
	Layout string
}

// Catalog describes all data sets, the default first.
func Catalog() []Info {
	var list []Info
	for _, e := range registry() {
		list = append(list, e.Info)
	}
	return list
}

// Names returns the names that Open knows, the default first.
func Names() []string {
	var names []string
	for _, e := range registry() {
		names = append(names, e.Name)
	}
	return names
}

// entry is a data set of the catalog.
type entry struct {
	Info
	find func(query) (string, error)
	open func(query) (*Data, error)
}

// query is what a caller of Open wants.
type query struct {
	Config
	entry entry
	name  string // as given
	more  string // after the colon
}

// ask finds the data set that is meant.
func ask(name string, cfg Config) (query, error) {
	all := registry()
	if name == "" {
		name = all[0].Name
	}
	base, more, _ := strings.Cut(name, ":")
	for _, e := range all {
		if e.Name == base || slices.Contains(e.Aliases, base) {
			return query{cfg, e, name, more}, nil
		}
	}
	return query{}, fmt.Errorf("dataset: unknown data set %q, want one of %s", name, strings.Join(Names(), ", "))
}

// root returns the folder below which the set is looked for.
func (q query) root() (string, error) {
	if q.Dir != "" {
		return q.Dir, nil
	}
	if dir := os.Getenv(rootVariable); dir != "" {
		return dir, nil
	}
	layout, _, _ := strings.Cut(q.entry.Layout, "\n")
	return "", fmt.Errorf("no folder given: name the one that holds %s, or set %s to it", layout, rootVariable)
}

// plain refuses what follows a colon where it has no meaning.
func (q query) plain() error {
	if q.more != "" {
		return fmt.Errorf("%q after the name: %s takes nothing there", q.more, q.entry.Name)
	}
	return nil
}

// simple makes the functions of an entry whose name takes nothing after a colon.
func simple(open func(Config) (*Data, error), find func(Config) (string, error)) (func(query) (string, error), func(query) (*Data, error)) {
	return func(q query) (string, error) { return find(q.Config) },
		func(q query) (*Data, error) {
			if err := q.plain(); err != nil {
				return nil, err
			}
			return open(q.Config)
		}
}

func registry() []entry {
	mnistFind, mnistOpen := simple(openMNIST, findMNIST)
	fashionFind, fashionOpen := simple(openFashionMNIST, findFashionMNIST)
	syntheticFind, syntheticOpen := simple(openSynthetic, func(Config) (string, error) { return "generated", nil })
	return []entry{
		{Info{"mnist", nil, "handwritten digits, 28x28x1; part of a Go module",
			"MNIST/raw/, raw/ or mnist/ with " + strings.Join(idxNames[:], ", ") + ", each plain or .gz"}, mnistFind, mnistOpen},
		{Info{"fashion_mnist", nil, "clothes, 28x28x1",
			"FashionMNIST/raw/, raw/, fashion-mnist/ or fashion_mnist/ with the same files; Debian's package dataset-fashion-mnist"},
			fashionFind, fashionOpen},
		{Info{"cifar10", nil, "small photographs of 10 classes, 32x32x3", cifar10.layout()}, cifar10.find, cifar10.open},
		{Info{"cifar100", nil, "small photographs of 100 classes, 32x32x3; cifar100:coarse has the 20 superclasses", cifar100.layout()},
			cifar100.find, cifar100.open},
		{Info{"svhn", nil, "house numbers of 10 digits, 32x32x3; svhn:extra adds the extra images to those for training",
			"train_32x32.mat and test_32x32.mat, alone or below svhn/ or SVHN/"}, findSVHN, openSVHN},
		{Info{"synthetic", nil, "generated shapes with stripes, for tests", "no files"}, syntheticFind, syntheticOpen},
	}
}

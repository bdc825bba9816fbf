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
		{Info{"imagenet", []string{"imagenet1k"}, "photographs of 1000 classes",
			"imagenet/ or the root itself, with train/<class>/ and val/<class>/ of images\n" +
				"the same with " + imagenetVal + ", " + imagenetTrain + " and " + devkitFolder + ".tar.gz, unpacked or not"}, findImageNet, openImageNet},
		{Info{"tiny_imagenet", []string{"tinyimagenet", "tiny-imagenet-200"}, "photographs of 200 classes, 64x64x3",
			"tiny-imagenet-200/, alone or below tiny_imagenet/, with wnids.txt, train/<class>/images/ and val/ with val_annotations.txt"}, findTiny, openTiny},
		{Info{"cub", []string{"cub200", "cub_200_2011"}, "photographs of 200 kinds of birds (CUB-200-2011)",
			"CUB/ with train/<class>/ and test/<class>/ of images\n" +
				"CUB_200_2011/, alone or below CUB/ or cub200/, with images.txt, classes.txt, image_class_labels.txt, train_test_split.txt and images/"}, findCUB, openCUB},
		{Info{"places365", nil, "photographs of 365 kinds of places",
			"places365/ or the root itself, with train/<class>/ and val_256/<class>/ of images\n" +
				"the same with val_256/ or val_256.tar, places365_val.txt, categories_places365.txt, and for training places365_train_standard.txt and data_256_standard/"}, findPlaces, openPlaces},
		{Info{"cifar10c", []string{"cifar10_c"}, "CIFAR-10's test images with 15 corruptions; cifar10c:fog is one, cifar10c:fog:3 at severity 3 of 5, cifar10c:3 all at 3", cifar10C.layout()},
			cifar10C.find, cifar10C.open},
		{Info{"cifar100c", []string{"cifar100_c"}, "the same of CIFAR-100", cifar100C.layout()}, cifar100C.find, cifar100C.open},
		{Info{"imagenetc", []string{"imagenet_c"}, "ImageNet's validation images with 19 corruptions, named as with cifar10c",
			"corrupt_imagenet/, ImageNet-C/ or the root itself, with <corruption>/<severity>/<class>/ of images"}, findImageNetC, openImageNetC},
		{Info{"folder", nil, "images in folders of their classes: folder:DIR",
			"DIR/train/<class>/ and DIR/test/<class>/ or DIR/val/<class>/ of images; or DIR/<class>/; or images without labels in DIR"}, findFolder, openFolder},
		{Info{"csv", nil, "images in a list: csv:FILE",
			"FILE with lines path,label or path,label,split, paths from its folder; or a folder with train.csv and test.csv"}, findCSV, openCSV},
		{Info{"npz", nil, "images in numpy arrays: npz:FILE",
			"FILE with x and y, or x_train, y_train, x_test, y_test; or a folder with train.npz and test.npz"}, findNPZ, openNPZ},
		{Info{"packed", nil, "what scripts/data convert wrote: packed:DIR", "DIR with packed.json"}, findPacked, openPacked},
		{Info{"synthetic", nil, "generated shapes with stripes, for tests", "no files"}, syntheticFind, syntheticOpen},
	}
}

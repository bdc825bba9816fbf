package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/dataset/internal/numpickle"
)

// cifar is CIFAR-10 or CIFAR-100.
type cifar struct {
	name     string // also that of a folder below the root
	versions []cifarVersion
	fine     []string // the classes
	coarse   []string // classes of classes, nil where there are none
}

// cifarVersion is one way in which the images are distributed.
type cifarVersion struct {
	folder, archive string
	train           []string
	test            string
	parse           func(c cifar, coarse bool, src *source) (*Images, error)
}

var (
	cifarShape   = Shape{32, 32, 3}
	cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
	cifarFiles   = []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}
)

var cifar10 = cifar{
	name: "cifar10",
	versions: []cifarVersion{
		{"cifar-10-batches-bin", "cifar-10-binary.tar.gz", cifarFiles[:5], cifarFiles[5], cifar.parseBinary},
		{"cifar-10-batches-py", "cifar-10-python.tar.gz",
			[]string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"}, "test_batch", cifar.parsePython},
	},
	fine: cifarClasses,
}

var cifar100 = cifar{
	name: "cifar100",
	versions: []cifarVersion{
		{"cifar-100-binary", "cifar-100-binary.tar.gz", []string{"train.bin"}, "test.bin", cifar.parseBinary},
		{"cifar-100-python", "cifar-100-python.tar.gz", []string{"train"}, "test", cifar.parsePython},
	},
	fine: strings.Fields(`
	apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
	castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
	elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
	man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
	pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
	skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
	tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm`),
	coarse: strings.Fields(`
	aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
	household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes
	large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees
	vehicles_1 vehicles_2`),
}

// layout describes the files.
func (c cifar) layout() string {
	var lines []string
	for _, v := range c.versions {
		lines = append(lines, fmt.Sprintf("%s/, alone or below %s/, with %s and %s, or the archive %s beside it", v.folder, c.name,
			strings.Join(v.train, ", "), v.test, v.archive))
	}
	return strings.Join(lines, "\n")
}

func (c cifar) find(q query) (string, error) {
	place, _, err := c.locate(q)
	return place, err
}

// locate returns the folder or the archive with the files, and the version it holds: unpacked files come first.
func (c cifar) locate(q query) (string, cifarVersion, error) {
	root, err := q.root()
	if err != nil {
		return "", cifarVersion{}, err
	}
	folders := below(root, c.name)
	for _, folder := range folders {
		for _, v := range c.versions {
			for _, dir := range below(folder, v.folder) {
				if slices.ContainsFunc(append(slices.Clone(v.train), v.test), func(f string) bool { return isFile(filepath.Join(dir, f)) }) {
					return dir, v, nil
				}
			}
		}
	}
	for _, folder := range folders {
		for _, v := range c.versions {
			for _, archive := range []string{v.archive, strings.TrimSuffix(v.archive, ".gz")} {
				if name := filepath.Join(folder, archive); isFile(name) {
					return name, v, nil
				}
			}
		}
	}
	var tried []string
	for _, folder := range folders {
		for _, v := range c.versions {
			tried = append(tried, filepath.Join(folder, v.folder), filepath.Join(folder, v.archive))
		}
	}
	return "", cifarVersion{}, fmt.Errorf("none of %s: %w", strings.Join(tried, ", "), fs.ErrNotExist)
}

func (c cifar) open(q query) (*Data, error) {
	if q.more != "" && (q.more != "coarse" || c.coarse == nil) {
		return nil, q.plain()
	}
	place, v, err := c.locate(q)
	if err != nil {
		return nil, err
	}
	data := &Data{Source: place, Mean: []float32{0.4914, 0.4822, 0.4465}, Std: []float32{0.2023, 0.1994, 0.2010}}
	parse := func(src *source) (*Images, error) { return v.parse(c, q.more == "coarse", src) }
	parts, err := v.read(place, parse)
	if err != nil {
		return nil, err
	}
	if parts[v.test] == nil {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(place, v.test), Err: fs.ErrNotExist}
	}
	data.Test = parts[v.test]
	delete(parts, v.test)
	if len(parts) == 0 {
		data.missing = &fs.PathError{Op: "open", Path: filepath.Join(place, v.train[0]), Err: fs.ErrNotExist}
		return data, nil
	}
	var train []*Images
	for _, name := range v.train {
		if parts[name] == nil {
			return nil, &fs.PathError{Op: "open", Path: filepath.Join(place, name), Err: fs.ErrNotExist}
		}
		train = append(train, parts[name])
	}
	clear(parts)
	data.Train = concatenate(train)
	return data, nil
}

// read reads the files of a folder or an archive that are there, by name.
func (v cifarVersion) read(place string, parse func(*source) (*Images, error)) (map[string]*Images, error) {
	files := append(slices.Clone(v.train), v.test)
	parts := make([]*Images, len(files))
	index := map[string]int{}
	wanted := map[string]bool{}
	for i, f := range files {
		index[f], wanted[f] = i, true
	}
	var err error
	if isFile(place) {
		err = readArchive(place, wanted, func(member string, src *source) (err error) {
			parts[index[member]], err = parse(src)
			return err
		})
	} else {
		err = concurrently(len(files), func(i int) error {
			name := filepath.Join(place, files[i])
			if !exists(name) {
				return nil
			}
			return withFile(name, func(src *source) (err error) {
				parts[i], err = parse(src)
				return err
			})
		})
	}
	if err != nil {
		return nil, err
	}
	found := map[string]*Images{}
	for i, p := range parts {
		if p != nil {
			found[files[i]] = p
		}
	}
	return found, nil
}

// parseBinary reads a file of the binary version, however many records it has: the label, before it that of the
// superclass where there is one, then the red, the green and the blue plane. Source: Krizhevsky,
// https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
func (c cifar) parseBinary(coarse bool, src *source) (*Images, error) {
	images := &Images{shape: cifarShape, classes: c.classes(coarse), pixels: make([]uint8, 0, src.size)}
	labels := 1
	if c.coarse != nil {
		labels = 2
	}
	record := make([]byte, labels+3*32*32)
	size := int64(len(record))
	for n := 0; ; n++ {
		start := int64(n) * size
		got, err := io.ReadFull(src, record)
		switch {
		case err == io.EOF && n == 0:
			return nil, src.fail(0, "the file is empty, want records of %d bytes", size)
		case err == io.EOF:
			return images, nil
		case err == io.ErrUnexpectedEOF && got > 0:
			return nil, src.fail(start, "%d bytes after %d records, want the end of the file or a record of %d bytes (%d label, 3072 pixels)", got, n, size, labels)
		case err != nil:
			return nil, &FormatError{src.name, start + int64(got), src.compressed, "cannot be read further, want the rest of the file", err}
		case start+size > src.limit:
			return nil, src.fail(src.limit, "more data, want at most %d bytes", src.limit)
		}
		at := labels - 1
		if coarse {
			at = 0
		}
		if int(record[at]) >= len(images.classes) {
			return nil, src.fail(start+int64(at), "label %d of record %d, want 0 to %d", record[at], n, len(images.classes)-1)
		}
		images.labels = append(images.labels, int(record[at]))
		images.pixels = appendInterleaved(images.pixels, record[labels:])
	}
}

func (c cifar) classes(coarse bool) []string {
	if coarse {
		return c.coarse
	}
	return c.fine
}

// parsePython reads a file of the Python version: a pickled dictionary with an array of bytes, a row an image in three
// planes, and lists of labels. Source: as above, "Python version".
func (c cifar) parsePython(coarse bool, src *source) (*Images, error) {
	content, err := src.read(0, src.limit+1)
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > src.limit {
		return nil, src.fail(src.limit, "more data, want at most %d bytes", src.limit)
	}
	dict, err := numpickle.LoadDict(content)
	if err != nil {
		var at *numpickle.Error
		errors.As(err, &at)
		return nil, src.fail(at.Offset, "%s", at.Problem)
	}
	array, ok := dict["data"].(*numpickle.Array)
	if !ok || array.Type != "u1" || len(array.Shape) != 2 || array.Shape[1] != cifarShape.Size() {
		return nil, src.fail(0, "no array of bytes %q with rows of %d in the pickle", "data", cifarShape.Size())
	}
	key := "labels"
	switch {
	case coarse:
		key = "coarse_labels"
	case c.coarse != nil:
		key = "fine_labels"
	}
	labels, err := numpickle.Ints(dict[key])
	if err != nil {
		return nil, src.fail(0, "%q in the pickle: %v", key, err)
	}
	images := &Images{shape: cifarShape, classes: c.classes(coarse), labels: labels}
	if len(labels) != array.Shape[0] || len(labels) == 0 {
		return nil, src.fail(0, "%d labels for %d images in the pickle, want one for each", len(labels), array.Shape[0])
	}
	for i, l := range labels {
		if l < 0 || l >= len(images.classes) {
			return nil, src.fail(0, "label %d of image %d in the pickle, want 0 to %d", l, i, len(images.classes)-1)
		}
	}
	images.pixels = make([]uint8, 0, len(array.Data))
	for row := array.Data; len(row) > 0; row = row[cifarShape.Size():] {
		images.pixels = appendInterleaved(images.pixels, row[:cifarShape.Size()])
	}
	return images, nil
}

// appendInterleaved appends three planes (channel, height, width) as pixels (height, width, channel).
func appendInterleaved(pixels, planes []uint8) []uint8 {
	plane := len(planes) / 3
	red, green, blue := planes[:plane], planes[plane:2*plane], planes[2*plane:]
	for i := range plane {
		pixels = append(pixels, red[i], green[i], blue[i])
	}
	return pixels
}

// concatenate joins the parts, and lets go of each.
func concatenate(parts []*Images) *Images {
	all := &Images{shape: parts[0].shape, classes: parts[0].classes}
	size := 0
	for _, p := range parts {
		size += len(p.pixels)
	}
	all.pixels = make([]uint8, 0, size)
	for i, p := range parts {
		all.pixels = append(all.pixels, p.pixels...)
		all.labels = append(all.labels, p.labels...)
		parts[i] = nil
	}
	return all
}

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/weights"
	"github.com/ratml/rat/scripts/internal/progress"
)

// scoring is a classifier with images and the scores to compute.
type scoring struct {
	src        source
	stderr     io.Writer
	protocol   radius.Protocol
	model      string // in titles; empty is the architecture
	requested  []confidence.Function
	images     dataset.Set // of validation and test
	validation int         // images of each split that scores are fitted on
	classifier *nets.Classifier
	statistics *confidence.Statistics // of the training set, where a score needs them
}

// open opens what the options name.
func open(s source, f fitting, splits int, functions []confidence.Function, stderr io.Writer) (*scoring, error) {
	sc := &scoring{src: s, stderr: stderr, requested: functions}
	var err error
	if sc.protocol, err = protocol(f.Protocol); err != nil {
		return nil, err
	}
	share, err := f.share(splits)
	if err != nil {
		return nil, err
	}
	if sc.classifier, err = s.classifier(f.Arch, stderr); err != nil {
		return nil, err
	}
	if sc.images, err = s.test(sc.classifier.Arch); err != nil {
		return nil, err
	}
	sc.validation = int(share * float64(sc.images.Len()))
	switch {
	case sc.validation == 0 && splits > 1:
		return nil, usagef("--n_exps %d: the splits need validation images, but --val_split leaves none", splits)
	case sc.validation == 0 && f.Perturb < 0:
		return nil, usagef("--perturb_level %g: the search needs validation images, but --val_split leaves none", f.Perturb)
	}
	return sc, nil
}

// defaultArch is the small net of a data set, or the official code's for photographs.
func defaultArch(set string) string {
	switch name, _, _ := strings.Cut(set, ":"); name {
	case "imagenet", "imagenetc", "imagenet_c":
		return "resnet18"
	case "cifar10c", "cifar10_c":
		return "smallcnn_cifar10"
	default:
		return "smallcnn_" + name
	}
}

func protocol(name string) (radius.Protocol, error) {
	for _, p := range []radius.Protocol{radius.Sound, radius.Official} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, usagef("--protocol %q: want sound or official", name)
}

// test returns the test images that the options name, as the network takes them.
func (s source) test(a *nets.Arch) (dataset.Set, error) {
	data, err := dataset.Open(s.Dataset, dataset.Config{Dir: s.DataDir, Seed: s.Seed, Preprocess: a.Preparation()})
	if err != nil {
		return nil, err
	}
	if data.Test == nil {
		return nil, fmt.Errorf("data set %s has no test images in %s", s.Dataset, s.DataDir)
	}
	if n := len(data.Test.Classes()); n > a.Classes {
		return nil, fmt.Errorf("data set %s has %d classes, %s tells %d apart", s.Dataset, n, a.Name, a.Classes)
	}
	images, err := s.corrupted(data.Test)
	if err != nil || s.Images == (span{}) {
		return images, err
	}
	if s.Images.last > data.Test.Len() {
		return nil, fmt.Errorf("--images %v: data set %s has %d test images", s.Images, s.Dataset, data.Test.Len())
	}
	return between(images, s.Images.first, s.Images.last)
}

// between returns images from to to-1.
func between(s dataset.Set, from, to int) (dataset.Set, error) {
	index := make([]int, to-from)
	for i := range index {
		index[i] = from + i
	}
	return dataset.Select(s, index)
}

// classifier opens the backend and the weights, whose architecture is found out where arch is empty.
func (s source) classifier(arch string, stderr io.Writer) (*nets.Classifier, error) {
	be, err := backend.OpenConfig(backend.Config{Name: s.Backend, Log: stderr})
	if err != nil {
		return nil, err
	}
	c, err := s.open(be, s.Checkpoint, weights.Options{Arch: arch, Dataset: baseDataset(s.Dataset), Log: stderr})
	if err != nil {
		return nil, err
	}
	c.Devices, err = s.devices(be.Devices())
	return c, err
}

// devices returns how many of those that there are are used.
func (s source) devices(there int) (int, error) {
	n := there
	if s.Devices != "all" {
		var err error
		if n, err = strconv.Atoi(cmp.Or(s.Devices, "1")); err != nil || n < 1 || n > there {
			return 0, fmt.Errorf("--devices %q: want a number from 1 to %d, or all", s.Devices, there)
		}
	}
	if s.BatchSize%n != 0 {
		return 0, fmt.Errorf("--batch_size %d: %d devices need a multiple of %d", s.BatchSize, n, n)
	}
	return n, nil
}

// split returns validation images, or nil, and test images of one split.
func (s *scoring) split(number int) (validation, test dataset.Set, err error) {
	if s.validation == 0 {
		return nil, s.images, nil
	}
	sets, err := dataset.Split(s.images, s.src.Seed+uint64(number), s.validation, s.images.Len()-s.validation)
	if err != nil {
		return nil, nil, err
	}
	return sets[0], sets[1], nil
}

func (s *scoring) scorer(bar func(done, total int, note string)) confidence.Scorer {
	return confidence.Scorer{BatchSize: s.src.BatchSize, Protocol: s.protocol, Dataset: s.src.title(), Model: s.model, Progress: bar}
}

// fit returns the scores with their parameters fitted on validation images, if there are any.
func (s *scoring) fit(ctx context.Context, validation dataset.Set) ([]confidence.Fitted, error) {
	if validation == nil {
		return unfitted(s.requested), nil
	}
	bar := progress.New("fitting", validation.Len())
	fitted, err := s.scorer(bar.Func()).Fits(ctx, s.classifier, validation, s.requested...)
	bar.Finish()
	if err != nil {
		return nil, err
	}
	for i, f := range fitted {
		if _, ok := s.requested[i].(confidence.Fitter); ok || f.Objective != "" {
			fmt.Fprintf(s.stderr, "fitted on %d validation images: %v\n", validation.Len(), f.Function)
		}
	}
	return fitted, nil
}

// sampled is the number of images whose pixels count for a fingerprint.
const sampled = 256

// fingerprint returns a hash of shape, classes and labels of a set, and of the pixels of some images spread over it.
func fingerprint(s dataset.Set) (string, error) {
	labels, err := dataset.Labels(s)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(struct {
		Shape   dataset.Shape
		Classes []string
		Labels  []int
	}{s.Shape(), s.Classes(), labels}); err != nil {
		return "", err
	}
	pixels := make([]float32, s.Shape().Size())
	n := min(sampled, s.Len())
	for k := range n {
		if _, err := s.Read(k*s.Len()/n, pixels); err != nil {
			return "", err
		}
		hashPixels(h, pixels)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hashPixels(h hash.Hash, pixels []float32) {
	b := make([]byte, 4*len(pixels))
	for i, v := range pixels {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	h.Write(b)
}

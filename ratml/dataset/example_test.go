package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
)

func ExampleOpen() {
	data, err := dataset.Open("mnist", dataset.Config{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(data.Train.Len(), "training images,", data.Test.Len(), "test images of", data.Test.Shape())

	image := make([]float32, data.Test.Shape().Size())
	label, err := data.Test.Read(0, image)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("The first one shows a", data.Test.Classes()[label])
	for y := 6; y < 28; y += 3 {
		for x := 4; x < 26; x++ {
			fmt.Printf("%c", " .oO@"[int(4*image[28*y+x])])
		}
		fmt.Println("|")
	}
	// Output:
	// 60000 training images, 10000 test images of 28x28x1
	// The first one shows a 7
	//                       |
	//   ....oOOOOOOOOOOo    |
	//               O@.     |
	//             oOo       |
	//           .OO         |
	//          OO.          |
	//        OOO            |
	//                       |
}

// Images that are not all in memory become a data set by four methods.
func ExampleSet() {
	var set dataset.Set = gradients{}
	loader := dataset.Loader{Set: set, BatchSize: 2}
	for batch, err := range loader.Epoch(context.Background(), 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.Labels, batch.Images)
	}
	// Output:
	// [0 1] [0 0.5 1 0.5]
}

// gradients is a set of two images: one from dark to grey, one from light to grey.
type gradients struct{}

func (gradients) Len() int             { return 2 }
func (gradients) Shape() dataset.Shape { return dataset.Shape{Height: 1, Width: 2, Channels: 1} }
func (gradients) Classes() []string    { return []string{"dark", "light"} }

func (gradients) Read(i int, dst []float32) (int, error) {
	if i < 0 || i > 1 || len(dst) != 2 {
		return 0, errors.New("gradients: no such image, or no room for it")
	}
	dst[0], dst[1] = float32(i), 0.5
	return i, nil
}

func ExampleNewImages() {
	shape := dataset.Shape{Height: 1, Width: 2, Channels: 1}
	images, err := dataset.NewImages(shape, []string{"dark", "light"}, []uint8{0, 51, 204, 255}, []int{0, 1})
	if err != nil {
		log.Fatal(err)
	}
	image := make([]float32, shape.Size())
	label, err := images.Read(1, image)
	fmt.Println(images.Classes()[label], image, err)
	// Output: light [0.8 1] <nil>
}

// The last batch is padded, so that all have one shape and a network is compiled once.
func ExampleLoader() {
	data, err := dataset.Open("synthetic", dataset.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	loader := dataset.Loader{Set: data.Test, BatchSize: 192}
	fmt.Println(loader.Batches(), "batches")
	for batch, err := range loader.Epoch(context.Background(), 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.N, "of", len(batch.Labels), "rows, the first is image", batch.Index[0], "with label", batch.Labels[0])
	}
	// Output:
	// 3 batches
	// 192 of 192 rows, the first is image 0 with label 0
	// 192 of 192 rows, the first is image 192 with label 2
	// 116 of 192 rows, the first is image 384 with label 4
}

// Training usually sees every image moved and mirrored a little differently in each epoch.
func ExampleLoader_augmentation() {
	data, err := dataset.Open("synthetic", dataset.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	loader := dataset.Loader{
		Set:       data.Train,
		Shuffle:   true,
		Seed:      1,
		DropLast:  true,
		Transform: dataset.Chain(dataset.RandomCrop(2), dataset.RandomFlip()),
	}
	images := 0
	for epoch := range 2 {
		for batch, err := range loader.Epoch(context.Background(), epoch) {
			if err != nil {
				log.Fatal(err)
			}
			images += batch.N
		}
	}
	fmt.Println(images, "images in two epochs of", loader.Batches(), "batches")
	// Output: 3840 images in two epochs of 15 batches
}

// A run that was interrupted goes on with the batch after the last one it used.
func ExampleLoader_EpochFrom() {
	data, err := dataset.Open("synthetic", dataset.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	loader := dataset.Loader{Set: data.Train, Shuffle: true, Seed: 1, Transform: dataset.RandomFlip()}
	images := 0
	for batch, err := range loader.EpochFrom(context.Background(), 4, 10) {
		if err != nil {
			log.Fatal(err)
		}
		images += batch.N
	}
	fmt.Println(images, "of", data.Train.Len(), "images are left after 10 batches")
	// Output: 720 of 2000 images are left after 10 batches
}

// A square of a quarter of the image is enlarged; here it is the one in the lower right corner.
func ExampleRandomResizedCrop() {
	crop, err := dataset.RandomResizedCrop(dataset.Range{Min: 0.25, Max: 0.25}, dataset.Range{Min: 1, Max: 1})
	if err != nil {
		log.Fatal(err)
	}
	image := []float32{
		0, 0, 0, 0,
		0, 1, 1, 0,
		0, 1, 1, 0,
		0, 0, 0, 0,
	}
	shape := dataset.Shape{Height: 4, Width: 4, Channels: 1}
	crop(rand.New(rand.NewPCG(1, 1)), shape, image)
	for y := range 4 {
		fmt.Println(image[4*y : 4*y+4])
	}
	// Output:
	// [1 0.75 0.25 0]
	// [0.75 0.5625 0.1875 0]
	// [0.25 0.1875 0.0625 0]
	// [0 0 0 0]
}

// A square of 4 by 4 pixels turns grey; what hangs over the edge is lost.
func ExampleCutout() {
	image := make([]float32, 36)
	shape := dataset.Shape{Height: 6, Width: 6, Channels: 1}
	dataset.Cutout(4, 0.5)(rand.New(rand.NewPCG(1, 4)), shape, image)
	for y := range 6 {
		fmt.Println(image[6*y : 6*y+6])
	}
	// Output:
	// [0.5 0.5 0.5 0 0 0]
	// [0.5 0.5 0.5 0 0 0]
	// [0 0 0 0 0 0]
	// [0 0 0 0 0 0]
	// [0 0 0 0 0 0]
	// [0 0 0 0 0 0]
}

// Half of the images lose a rectangle, in the way of torchvision.
func ExampleRandomErasing() {
	erase, err := dataset.RandomErasing(0.5, dataset.Range{}, dataset.Range{})
	if err != nil {
		log.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	shape := dataset.Shape{Height: 32, Width: 32, Channels: 3}
	changed := 0
	for range 1000 {
		image := slices.Repeat([]float32{1}, shape.Size())
		erase(rng, shape, image)
		if slices.Contains(image, 0) {
			changed++
		}
	}
	fmt.Println(changed, "of 1000 images")
	// Output: 492 of 1000 images
}

// Validation images come out of the training images, by seed.
func ExampleSplit() {
	data, err := dataset.Open("synthetic", dataset.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	sets, err := dataset.Split(data.Train, 1, 200, 1800)
	if err != nil {
		log.Fatal(err)
	}
	validation, train := sets[0], sets[1]
	fmt.Println(train.Len(), validation.Len())
	// Output: 1800 200
}

func ExampleSelect() {
	data, err := dataset.Open("synthetic", dataset.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	labels, err := dataset.Labels(data.Test)
	if err != nil {
		log.Fatal(err)
	}
	var discs []int
	for i, label := range labels {
		if strings.HasPrefix(data.Test.Classes()[label], "disc") {
			discs = append(discs, i)
		}
	}
	set, err := dataset.Select(data.Test, discs)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Len(), "discs; the second one is image", dataset.Origin(set, 1))
	// Output: 100 discs; the second one is image 5
}

func ExampleTake() {
	data, err := dataset.Open("synthetic", dataset.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(dataset.Take(data.Test, 100).Len())
	// Output: 100
}

func ExampleWithLabelNoise() {
	data, err := dataset.Open("synthetic", dataset.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	noisy, err := dataset.WithLabelNoise(data.Test, 0.05, 1)
	if err != nil {
		log.Fatal(err)
	}
	clean, _ := dataset.Labels(data.Test)
	labels, _ := dataset.Labels(noisy)
	wrong := 0
	for i := range labels {
		if labels[i] != clean[i] {
			wrong++
		}
	}
	fmt.Println(wrong, "of", len(labels), "labels are wrong")
	// Output: 25 of 500 labels are wrong
}

// A folder with test images only is good for evaluation.
func ExampleData_Training() {
	data := dataset.Data{Name: "cifar10"} // as Open returns it for such a folder
	if _, err := data.Training(); err != nil {
		fmt.Println(err)
	}
	// Output: dataset: cifar10: no training images
}

// Errors in files tell the place.
func ExampleFormatError() {
	err := error(&dataset.FormatError{File: "train-labels-idx1-ubyte", Offset: 0, Problem: "magic number 0x3c68746d, want 0x00000801"})
	if format, ok := errors.AsType[*dataset.FormatError](err); ok {
		fmt.Println(format.File, format.Offset)
	}
	fmt.Println(err)
	// Output:
	// train-labels-idx1-ubyte 0
	// train-labels-idx1-ubyte: byte 0: magic number 0x3c68746d, want 0x00000801
}

func ExampleCatalog() {
	for _, d := range dataset.Catalog() {
		if d.Name == "tiny_imagenet" {
			fmt.Println(d.About)
			fmt.Println(d.Layout)
		}
	}
	// Output:
	// photographs of 200 classes, 64x64x3
	// tiny-imagenet-200/, alone or below tiny_imagenet/, with wnids.txt, train/<class>/images/ and val/ with val_annotations.txt
}

// A folder with a folder for each class is a data set; photographs of many sizes are made one size.
func ExampleOpen_folder() {
	dir, err := os.MkdirTemp("", "photos")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for i, class := range []string{"cat", "dog", "dog"} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o777); err != nil {
			log.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, class, fmt.Sprintf("%d.png", i)))
		if err != nil {
			log.Fatal(err)
		}
		if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 40+i, 30))); err != nil {
			log.Fatal(err)
		}
		if err := f.Close(); err != nil {
			log.Fatal(err)
		}
	}
	data, err := dataset.Open("folder:"+dir, dataset.Config{Preprocess: dataset.Preprocess{Resize: 20, Crop: 16}})
	if err != nil {
		log.Fatal(err)
	}
	labels, err := dataset.Labels(data.Test)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(data.Test.Len(), "images of", data.Test.Shape(), data.Test.Classes(), labels)

	packed := filepath.Join(dir, "packed")
	if err := dataset.Pack(context.Background(), data, dataset.Preprocess{Resize: 20, Crop: 16}, packed, nil); err != nil {
		log.Fatal(err)
	}
	again, err := dataset.Open("packed:"+packed, dataset.Config{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Test.Len(), "images of", again.Test.Shape(), "packed")
	// Output:
	// 3 images of 16x16x3 [cat dog] [0 1 1]
	// 3 images of 16x16x3 packed
}

func ExampleNames() {
	fmt.Println(dataset.Names()[:3])
	// Output: [mnist fashion_mnist cifar10]
}

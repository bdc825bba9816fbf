package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"log"
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

func ExampleNames() {
	fmt.Println(dataset.Names())
	// Output: [mnist fashion_mnist cifar10 synthetic]
}

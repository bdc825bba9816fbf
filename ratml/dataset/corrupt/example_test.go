package corrupt_test

import (
	"fmt"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/dataset/corrupt"
)

func ExampleApply() {
	clean, err := dataset.NewImages(dataset.Shape{Height: 1, Width: 4, Channels: 1}, []string{"stripes"}, []uint8{0, 50, 200, 255}, []int{0})
	if err != nil {
		fmt.Println(err)
		return
	}
	for severity := 1; severity <= corrupt.Severities; severity++ {
		set, err := corrupt.Apply(clean, "contrast", severity, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		pixels := make([]float32, set.Shape().Size())
		if _, err := set.Read(0, pixels); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.2f\n", pixels)
	}
	// Output:
	// [0.12 0.27 0.71 0.87]
	// [0.25 0.35 0.64 0.75]
	// [0.29 0.37 0.61 0.69]
	// [0.35 0.40 0.58 0.64]
	// [0.42 0.45 0.54 0.57]
}

func ExampleConfig_New() {
	c, err := corrupt.Config{Name: "saturate", Severity: 2, Parameters: corrupt.ImageNet}.New(dataset.Shape{Height: 1, Width: 1, Channels: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	pixels := []uint8{200, 100, 0}
	if err := c.Pixels(0, pixels); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pixels)
	// Output: [200 190 180]
}

package checkpoint_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/ratml/rat/ratml/checkpoint"
)

// A loop that goes on where it was killed.
func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	dir, err := checkpoint.Open(folder)
	if err != nil {
		log.Fatal(err)
	}
	defer dir.Close()

	weights, step := []float32{0, 0}, 0
	switch s, warnings, err := dir.Latest(); {
	case err == nil:
		for _, w := range warnings {
			log.Print(w)
		}
		weights, step = s.Tensors["weights"].Data.([]float32), s.Step
	case !errors.Is(err, checkpoint.ErrNone):
		log.Fatal(err)
	}

	writer := checkpoint.Writer{Dir: dir, Failed: func(err error) { log.Print(err) }}
	for step < 30 {
		step++
		weights[0] += 0.5
		if step%10 == 0 {
			copied := append([]float32{}, weights...) // weights go on changing while they are written
			writer.Save(&checkpoint.State{
				Step:    step,
				Tensors: map[string]checkpoint.Tensor{"weights": {Shape: []int{2}, Data: copied}},
			}, step == 10)
		}
	}
	if err := writer.Close(); err != nil {
		log.Fatal(err)
	}
	steps, err := dir.Steps()
	fmt.Println(steps, err)
	best, err := checkpoint.Read(dir.Best())
	fmt.Println(best.Step, best.Tensors["weights"].Data, err)
	// Output:
	// [20 30] <nil>
	// 10 [5 0] <nil>
}

package tensorboard_test

import (
	"fmt"
	"log"
	"os"

	"github.com/ratml/rat/ratml/tensorboard"
)

func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	// Then: tensorboard --logdir FOLDER
	w, err := tensorboard.Create(folder)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	for step, loss := range []float64{2.3, 1.7, 1.2} {
		if err := w.Scalar("loss", int64(step), loss); err != nil {
			log.Fatal(err)
		}
	}
	info, err := os.Stat(w.Path())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Size(), "bytes")
	// Output: 164 bytes
}

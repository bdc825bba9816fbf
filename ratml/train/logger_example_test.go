package train_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/train"
)

func ExampleOpenLog() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "log.jsonl")

	const resume = true // also where nothing is there yet
	l, err := train.OpenLog(path, train.RunInfo{Settings: map[string]any{"epochs": 2}}, resume)
	if err != nil {
		log.Fatal(err)
	}
	cfg := train.Config{Epochs: 2, OnEpoch: l.Epoch} // for train.Fit, which calls it; OnStep: l.Step for every step
	for epoch := range cfg.Epochs {
		if err := cfg.OnEpoch(train.Epoch{Epoch: epoch + 1, Steps: 10 * (epoch + 1), Loss: 1 / float64(epoch+1)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		log.Fatal(err)
	}

	run, err := train.ReadLog(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range run.Epochs {
		fmt.Println(e.Epoch, e.Loss)
	}
	// Output:
	// 1 1
	// 2 0.5
}

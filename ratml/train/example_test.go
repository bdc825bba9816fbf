package train_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
)

// open returns a small data set and a new classifier for it.
func open() (*nets.Classifier, *dataset.Data) {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	data, err := dataset.Open("synthetic", dataset.Config{Synthetic: dataset.SyntheticConfig{
		Shape: dataset.Shape{Height: 28, Width: 28, Channels: 1}, TrainSize: 96, TestSize: 32,
	}})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.New(be, "smallcnn_mnist", 1)
	if err != nil {
		log.Fatal(err)
	}
	return clf, data
}

func ExampleFit() {
	clf, data := open()
	hist, err := train.Fit(context.Background(), clf, data.Train, train.Config{
		Objective: train.RAT{StepSize: 1e-3},
		Epochs:    2,
		BatchSize: 32,
		Augment:   dataset.RandomCrop(2),
	})
	if err != nil {
		log.Fatal(err)
	}
	first, last := hist.Epochs[0], hist.Epochs[1]
	fmt.Println("steps:", hist.Steps)
	fmt.Println("loss falls:", last.Loss < first.Loss)
	// Output:
	// steps: 6
	// loss falls: true
}

func ExampleEvaluate() {
	clf, data := open()
	loss, accuracy, err := train.Evaluate(context.Background(), clf, data.Test, 32)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("untrained, ten classes: loss about ln 10: %t, accuracy below one half: %t\n",
		math.Abs(loss-math.Log(10)) < 0.3, accuracy < 0.5)
	// Output: untrained, ten classes: loss about ln 10: true, accuracy below one half: true
}

func ExampleJSONLines() {
	write := train.JSONLines(os.Stdout) // for Config.OnEpoch
	err := write(train.Epoch{
		Epoch: 1, Steps: 390, LearningRate: 0.2, Loss: 1.5, AdversarialLoss: 1.625, TrainAccuracy: 0.5,
		ValLoss: math.NaN(), ValAccuracy: math.NaN(), Seconds: 12.5, ImagesPerSecond: 4000,
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"epoch":1,"steps":390,"lr":0.2,"loss":1.5,"adv_loss":1.625,"train_accuracy":0.5,"seconds":12.5,"images_per_second":4000}
}

// The official recipe for CIFAR-10: 500 epochs, of which 5 warm up.
func ExampleCosine() {
	rate := train.Cosine(5)
	for _, epoch := range []float64{0, 2.5, 5, 252.5, 499} {
		fmt.Printf("epoch %5.1f: %.6f\n", epoch, rate(0.2, epoch, 500))
	}
	// Output:
	// epoch   0.0: 0.000000
	// epoch   2.5: 0.100000
	// epoch   5.0: 0.200000
	// epoch 252.5: 0.100000
	// epoch 499.0: 0.000002
}

func ExampleConstant() {
	rate := train.Constant(1)
	fmt.Printf("%.2f %.2f %.2f\n", rate(0.1, 0.5, 10), rate(0.1, 1, 10), rate(0.1, 9, 10))
	// Output: 0.05 0.10 0.10
}

func ExamplePerEpoch() {
	rate := train.PerEpoch(train.Cosine(0))
	fmt.Printf("%.3f %.3f\n", rate(1, 1, 3), rate(1, 1.9, 3))
	// Output: 0.750 0.750
}

// darkened is an objective of one's own: the cross-entropy of images that are darkened by a tenth.
type darkened struct{}

func (darkened) Loss(b train.Batch) train.Losses {
	logits := b.Net(b.Images)
	clean := train.CrossEntropy(logits, b.Labels)
	dark := train.CrossEntropy(b.Net(MulScalar(b.Images, 0.9)), b.Labels)
	return train.Losses{Total: Add(clean, dark), Clean: clean, Adversarial: dark, Logits: logits}
}

func ExampleObjective() {
	clf, data := open()
	hist, err := train.Fit(context.Background(), clf, data.Train, train.Config{Objective: darkened{}, Epochs: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("steps:", hist.Steps)
	// Output: steps: 2
}

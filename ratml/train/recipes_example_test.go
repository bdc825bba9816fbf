package train_test

import (
	"fmt"
	"log"

	"github.com/ratml/rat/ratml/train"
)

// A variant of a published training: other settings, the rest as it was.
func ExampleFindRecipe() {
	r, err := train.FindRecipe("rat_cifar10_wrn28_10")
	if err != nil {
		log.Fatal(err)
	}
	r.Config.Epochs, r.Config.LearningRate = 200, 0.1
	fmt.Println(r.Arch, "on", r.Dataset)
	fmt.Println(train.Describe(r.Config.Objective), "and at last", train.Describe(r.Config.FinalObjective))
	fmt.Println(r.Source)
	// Output:
	// wrn28_10_cifar10 on cifar10
	// RAT{StepSize 0.001, Mixup Mixup{Alpha 1}} and at last RAT{StepSize 0.001}
	// README.md of Trustworthy-ML-Lab/RAT_MisD (arXiv:2503.14783)
}

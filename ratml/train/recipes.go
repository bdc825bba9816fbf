package train

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
)

// Recipe is a training that can be named: what a published result was trained with, or a short training to start with.
type Recipe struct {
	Name   string
	Source string // where the settings come from
	Note   string // in what the training differs from its source; empty for nothing

	Arch    string // see nets.Lookup
	Dataset string // see dataset.Open

	// KeptBack is the number of training images that the source leaves out for validation.
	KeptBack int

	// Config has all settings but those that depend on images in memory. BatchSize is that over all devices. The
	// Outliers of [OpenMix] are nil: its official ones are not published with a data set.
	Config Config
}

// Recipes returns all recipes. They are the caller's to change.
func Recipes() []Recipe {
	const wide = "wrn28_10_cifar10"
	list := []Recipe{
		{
			Name: "rat_cifar10_wrn28_10", Arch: wide, Dataset: "cifar10",
			Source: "README.md of Trustworthy-ML-Lab/RAT_MisD (arXiv:2503.14783)",
			Note: "there two devices normalise with the statistics of 64 images each: --devices 2 --local_bn; " +
				"how validation images were chosen is not published",
			Config: Config{
				Objective: RAT{StepSize: 1e-3, Mixup: Mixup{Alpha: 1}}, FinalObjective: RAT{StepSize: 1e-3}, FinalEpochs: 10,
				Epochs: 500, BatchSize: 128, Optimizer: SGD{}, LearningRate: 0.2, WeightDecay: 1e-4,
				Schedule: PerEpoch(Cosine(5)), WarmupEpochs: 5, Augment: cropAndFlip(),
			},
		},
		{
			Name: "plain_cifar10_wrn28_10", Arch: wide, Dataset: "cifar10", KeptBack: 5000,
			Source: "main_base.py, method Baseline, of Impression2805/FMFP (arXiv:2303.02970)",
			Note:   "its scheduler steps before an epoch, so that milestones come one epoch early, as here; 200 of its 201 epochs",
			Config: baseline(Plain{}, 200, 79, 129, 169),
		},
		{
			Name: "crl_cifar10_wrn28_10", Arch: wide, Dataset: "cifar10",
			Source: "main.py of daintlab/confidence-aware-learning (arXiv:2007.01458)",
			Note:   "published with PreActResNet-110, DenseNet-BC and VGG-16; milestones one epoch early, as there",
			Config: with(baseline(CRL{Weight: 1}, 300, 149, 249), func(c *Config) { c.WeightDecay = 1e-4 }),
		},
		{
			Name: "fmfp_cifar10_wrn28_10", Arch: wide, Dataset: "cifar10", KeptBack: 5000,
			Source: "main_fmfp.py, method fmfp, of Impression2805/FMFP (arXiv:2303.02970)",
			Note:   "200 of its 201 epochs",
			Config: with(FMFP(200), func(c *Config) { c.Augment = cropAndFlip() }),
		},
		{
			Name: "openmix_cifar10_wrn28_10", Arch: wide, Dataset: "cifar10",
			Source: "main_cvpr.py, method OpenMix, of Impression2805/OpenMix (arXiv:2303.17093)",
			Note:   "outliers are the caller's, there 300,000 images from the web; milestones one epoch early, as there",
			Config: baseline(OpenMix{Augment: cropAndFlip(), Alpha: 10, Weight: 1}, 200, 99, 149),
		},
		{
			Name: "logitnorm_cifar10_wrn40_2", Arch: "wrn40_2_cifar10", Dataset: "cifar10",
			Source: "train.py of hongxin001/logitnorm_ood (arXiv:2205.09310)",
			Note:   "the temperature of OpenOOD's configuration, the README has 0.01; without the dropout of 0.3",
			Config: with(baseline(LogitNorm{Temperature: 0.04}, 200, 80, 140), func(c *Config) { c.DropLast = true }),
		},
		{
			Name: "regmixup_cifar10_wrn28_10", Arch: wide, Dataset: "cifar10",
			Source: "commands.sh of FrancescoPinto/RegMixup (arXiv:2206.14502)",
			Config: with(baseline(RegMixup{Alpha: 20, Mean: true}, 350, 150, 250), func(c *Config) { c.Optimizer = SGD{Nesterov: true} }),
		},
		small("plain_mnist_smallcnn", "mnist", Plain{}),
		small("rat_mnist_smallcnn", "mnist", RAT{StepSize: 0.01, Lambda: 0.5, OriginalLambda: 0.5}),
		small("plain_fashion_mnist_smallcnn", "fashion_mnist", Plain{}),
		small("rat_fashion_mnist_smallcnn", "fashion_mnist", RAT{StepSize: 0.001, Lambda: 0.5, OriginalLambda: 0.5}),
	}
	return slices.Concat(list, others(list))
}

// others returns recipes with other networks of the official code, which start and normalise images as there.
func others(list []Recipe) []Recipe {
	var out []Recipe
	for _, r := range []struct{ of, name, arch, note string }{
		{"crl_cifar10_wrn28_10", "crl_cifar10_resnet110", "openmix_resnet110_cifar10", "milestones one epoch early, as there"},
		{"crl_cifar10_wrn28_10", "crl_cifar10_densenet_bc", "openmix_densenet_bc_100_12_cifar10", "milestones one epoch early, as there"},
		{"fmfp_cifar10_wrn28_10", "fmfp_cifar10_resnet18", "openmix_resnet18_cifar10", ""},
		{"openmix_cifar10_wrn28_10", "openmix_cifar10_resnet110", "openmix_resnet110_cifar10", ""},
	} {
		i := slices.IndexFunc(list, func(l Recipe) bool { return l.Name == r.of })
		other := list[i]
		other.Name, other.Arch, other.Note = r.name, r.arch, cmp.Or(r.note, other.Note)
		out = append(out, other)
	}
	return out
}

// FindRecipe returns the recipe called name, or an error that lists the names there are.
func FindRecipe(name string) (Recipe, error) {
	var names []string
	for _, r := range Recipes() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Recipe{}, fmt.Errorf("train: unknown recipe %q; known are %s", name, strings.Join(names, ", "))
}

// Describe describes an objective, or any other part of a [Config]: its type and the settings that are not zero,
// as in "RAT{StepSize 0.001, Mixup Mixup{Alpha 1}}".
func Describe(part any) string { return describe(reflect.ValueOf(part)) }

// baseline returns what the studies of failure prediction train on CIFAR-10 with: SGD at 0.1, which is divided by 10 at
// each milestone.
func baseline(o Objective, epochs int, milestones ...float64) Config {
	return Config{
		Objective: o, Epochs: epochs, BatchSize: 128, Optimizer: SGD{}, LearningRate: 0.1, WeightDecay: 5e-4,
		Schedule: MultiStep(0, 0.1, milestones...), Augment: cropAndFlip(),
	}
}

// small returns a training of a minute or two.
func small(name, data string, o Objective) Recipe {
	return Recipe{
		Name: name, Arch: "smallcnn_" + data, Dataset: data, Source: "a training of a minute or two to start with, not published",
		Config: Config{Objective: o, Epochs: 5, BatchSize: 64, Optimizer: SGD{}, LearningRate: 0.1, WeightDecay: 1e-4, Schedule: Cosine(0)},
	}
}

func with(c Config, change func(*Config)) Config {
	change(&c)
	return c
}

// cropAndFlip is the usual augmentation of CIFAR-10.
func cropAndFlip() dataset.Transform {
	return dataset.Chain(dataset.RandomCrop(4), dataset.RandomFlip())
}

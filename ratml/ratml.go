package ratml

import (
	"context"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/ratml/weights"
)

// Version is the version of the library.
const Version = "0.1.0"

// Backend opens the engine that config names, as [backend.Open]: "" takes an installed XLA plugin or else the Go
// backend.
func Backend(config string) (*backend.Backend, error) { return backend.Open(config) }

// Data opens a data set where it is found by itself, as [dataset.Open].
func Data(name string) (*dataset.Data, error) { return dataset.Open(name, dataset.Config{}) }

// Train trains a new classifier of the architecture called arch on the images of set. The seed of cfg is also that of
// the initial weights. Where [train.Fit] returns an error after it has started, the classifier is returned with it.
func Train(ctx context.Context, be *backend.Backend, arch string, set dataset.Set, cfg train.Config) (*nets.Classifier, *train.History, error) {
	clf, err := nets.New(be, arch, cfg.Seed)
	if err != nil {
		return nil, nil, err
	}
	history, err := train.Fit(ctx, clf, set, cfg)
	return clf, history, err
}

// Load returns a classifier of the architecture called arch with the weights of a file, as [weights.Open]:
// safetensors or PyTorch's.
func Load(be *backend.Backend, arch, path string) (*nets.Classifier, error) {
	return weights.Open(be, arch, path)
}

// Save writes the weights of a classifier to a safetensors file that PyTorch can read too, as [weights.Save].
func Save(path string, clf *nets.Classifier) error {
	return weights.Save(path, clf.Weights(), map[string]string{"arch": clf.Arch.Name})
}

// Evaluate scores the images of set and judges the scores by every metric, with bootstrap intervals. Without scores it
// computes all of them, searches included, in the sound protocol.
func Evaluate(ctx context.Context, clf *nets.Classifier, set dataset.Set, scores ...confidence.Function) (*report.Report, error) {
	if len(scores) == 0 {
		scores = confidence.All(radius.Sound)
	}
	run, err := confidence.Score(ctx, clf, set, scores...)
	if err != nil {
		return nil, err
	}
	return report.EvaluateContext(ctx, run, report.Options{})
}

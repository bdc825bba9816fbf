// Package ratml is the front door of a library for misclassification detection: given an image classifier, tell which
// of its predictions are mistakes. It brings the robust radius and Radius Aware Training of "RAT: Boosting
// Misclassification Detection Ability without Extra Data" (Yan & Weng, arXiv 2503.14783) to Go.
//
// # The tour
//
// An image travels one way, and each stop is a package of its own:
//
//	dataset -> nets -> train -> radius, confidence -> misd -> report -> figures
//
// Choose an engine (package backend): XLA where a plugin is installed, the built-in Go backend elsewhere.
//
//	be, err := ratml.Backend("")
//
// Open a data set (package dataset) and train a classifier on it (packages nets, train). RAT moves right examples away
// from the decision boundary's far side and wrong ones towards their class, by a step in pixel units:
//
//	data, err := ratml.Data("mnist")
//	clf, _, err := ratml.Train(ctx, be, "smallcnn_mnist", data.Train, train.Config{Objective: train.RAT{StepSize: 1e-3}})
//
// or load one whose weights came from PyTorch (package weights):
//
//	clf, err := ratml.Load(be, "wrn28_10_cifar10", "model.safetensors")
//
// Score test images and judge the scores. Without names, all scores are computed; radius.BoundarySearch and
// radius.Fast are the paper's RR-BS and RR-Fast, the others its baselines:
//
//	rep, err := ratml.Evaluate(ctx, clf, data.Test, confidence.MSR{}, radius.Fast{}, radius.BoundarySearch{})
//	fmt.Println(rep)
//
// Draw what the report holds (package figures):
//
//	fig, err := figures.RiskCoverage([]*report.Report{rep}, figures.Options{})
//	err = fig.Save("rc.png")
//
// Package misd, the metrics, can be used alone by anyone who has two columns: a confidence, and whether the prediction
// was right. Packages misd, report, figures and nb do not link GoMLX.
//
// # Units and conventions
//
// Images are in [0,1], and so are steps and radii, whatever the normalisation of the network, which is its first
// layer. Larger scores always mean more confident. Every random choice flows from a seed.
//
// # Protocols
//
// Radii and fits come in a sound protocol, the default, and in the official one, which reproduces the numbers of the
// authors' code, quirks included. The file OFFICIAL.md lists every quirk with what is done instead.
package ratml

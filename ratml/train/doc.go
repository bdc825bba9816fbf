// Package train trains classifiers: with the plain cross-entropy, with adversarial images, and with RAT, which makes
// the distance to the decision boundary a better sign of being right (Yan & Weng, "RAT: Boosting Misclassification
// Detection Ability without Extra Data", arXiv:2503.14783).
//
//	hist, err := train.Fit(ctx, clf, data.Train, train.Config{Objective: train.RAT{StepSize: 1e-3}, Epochs: 500})
//
// [Fit] is the loop. What it minimises is an [Objective]: a graph function that calls the network as often as it
// likes and returns a loss. The optimiser is stochastic gradient descent with momentum and weight decay as PyTorch
// defines them, its learning rate follows a [Schedule]. Forward passes, gradients and the update of all weights are
// one compiled program, whose weights stay on the device for a whole epoch.
//
// The same seed, initial weights, data and backend give the same weights, bit for bit.
package train

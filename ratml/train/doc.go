// Package train trains classifiers: with the plain cross-entropy, with adversarial images, with RAT, which makes the
// distance to the decision boundary a better sign of being right (Yan & Weng, "RAT: Boosting Misclassification
// Detection Ability without Extra Data", arXiv:2503.14783), and with the methods that it is compared with.
//
//	hist, err := train.Fit(ctx, clf, data.Train, train.Config{Objective: train.RAT{StepSize: 1e-3}, Epochs: 500})
//
// [Fit] is the loop. What it minimises is an [Objective]: a graph function that calls the network as often as it
// likes and returns a loss. There are [Plain], [RAT] (adversarial and reversed training, mixup and PGD are settings of
// it), [CRL], [SAM], [OpenMix], [LogitNorm] and [RegMixup]; [FMFP] is a [Config]. An [Optimizer] ([SGD], [AdamW])
// makes the step, at the rate that a [Schedule] gives. Forward passes, gradients and the update of all weights are one
// compiled program, and the weights stay on the device.
//
// On several devices (Config.Devices) XLA divides each batch among them; all have the same weights, and batch
// normalisation uses the statistics of the whole batch. With [Checkpoints] a training that was interrupted, or killed,
// goes on where it was. [Logger] writes what happens as JSON lines, [Board] for TensorBoard, and History.Profile tells
// where the time went.
//
// The same seed, initial weights, data and backend give the same weights, bit for bit, interrupted or not.
package train

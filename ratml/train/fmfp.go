package train

// FMFP returns the configuration of training for failure prediction by flat minima, which combines [SAM] with [SWA]
// (Zhu et al., "Rethinking Confidence Calibration for Failure Prediction", arXiv:2303.02970; main_fmfp.py, method
// fmfp, of Impression2805/FMFP): SGD on the loss of SAM from the first epoch on. For the first half of the epochs the
// learning rate falls from 0.1 to 0 along half a cosine, from where it rises again; after three fifths it goes to 0.05
// within a twentieth of the epochs and stays there, and the weights at the ends of these last two fifths of the epochs
// are averaged.
//
// The official code has 200 epochs, which 0 means (its default, 201, averages once more), with ResNet-18 on CIFAR-10
// and CIFAR-100, random crops and flips. Data and augmentation are the caller's. A field that is set otherwise later
// gives a variant: another inner Objective of SAM, or Averaging nil for the official method sam, whose schedule is
// MultiStep(0, 0.1, 80, 130, 170).
func FMFP(epochs int) Config {
	epochs = orDefault(epochs, 200)
	n := float64(epochs)
	from := epochs * 3 / 5
	rate := SWARate{Base: Over(n/2, Cosine(0)), LearningRate: 0.05, From: float64(from), Anneal: n / 20}
	return Config{
		Objective: SAM{}, Epochs: epochs, BatchSize: 128, Optimizer: SGD{}, LearningRate: 0.1, WeightDecay: 5e-4,
		Schedule: PerEpoch(rate.Rate), Averaging: SWA{From: from},
	}
}

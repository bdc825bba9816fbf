package train

import "github.com/ratml/rat/ratml/tensorboard"

// Board draws a run's curves in TensorBoard: "step/loss" and so on over the steps, "epoch/loss" and so on after each
// epoch, over the steps too. Values that are not finite are left out.
type Board struct {
	Writer *tensorboard.Writer
	Every  int // Step draws every such step, and those with a validation; 0 means all
}

// Step draws a step; it is a function for Config.OnStep.
func (b Board) Step(s Step) error {
	if skipped(b.Every, s) {
		return nil
	}
	return b.draw("step/", s.Step, []point{
		{"lr", s.LearningRate},
		{"loss", s.Loss},
		{"adv_loss", s.AdversarialLoss},
		{"accuracy", s.Accuracy},
		{"grad_norm", s.GradientNorm},
		{"images_per_second", s.ImagesPerSecond},
		{"val_loss", s.ValLoss},
		{"val_accuracy", s.ValAccuracy},
	})
}

// Epoch draws an epoch; it is a function for Config.OnEpoch.
func (b Board) Epoch(e Epoch) error {
	return b.draw("epoch/", e.Steps, []point{
		{"lr", e.LearningRate},
		{"loss", e.Loss},
		{"adv_loss", e.AdversarialLoss},
		{"train_accuracy", e.TrainAccuracy},
		{"val_loss", e.ValLoss},
		{"val_accuracy", e.ValAccuracy},
		{"images_per_second", e.ImagesPerSecond},
	})
}

type point struct {
	tag   string
	value float64
}

func (b Board) draw(group string, step int, points []point) error {
	for _, p := range points {
		if !finite(p.value) {
			continue
		}
		if err := b.Writer.Scalar(group+p.tag, int64(step), p.value); err != nil {
			return err
		}
	}
	return nil
}

// skipped tells whether a step is not among every so many that are logged.
func skipped(every int, s Step) bool {
	return every > 1 && s.Step%every != 0 && !finite(s.ValLoss)
}

package train

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// History tells how a training run went.
type History struct {
	Epochs  []Epoch // those that were finished
	Steps   int     // steps taken, those of an unfinished epoch included
	Profile Profile // where the time went
}

// Epoch tells how one epoch went. Losses are means over its training images as they came by, in nats; accuracies are
// in [0,1].
type Epoch struct {
	Epoch           int     // from 1
	Steps           int     // taken since the start of the training
	LearningRate    float64 // of the last step
	Loss            float64 // cross-entropy of the images as they are, in training mode
	AdversarialLoss float64 // cross-entropy of the changed images; NaN if the objective has none
	TrainAccuracy   float64 // on the images as they are, in training mode
	ValLoss         float64 // NaN without validation images
	ValAccuracy     float64 // NaN without validation images
	Seconds         float64 // of training and validation, without compiling the training step
	ImagesPerSecond float64 // of training
}

// Step tells how one step went. Losses are means over the step's images, in nats; accuracies are in [0,1].
type Step struct {
	Step            int     // from 1, since the start of the training
	Epoch           int     // from 1
	LearningRate    float64 // of this step
	Loss            float64 // cross-entropy of the images as they are, in training mode
	AdversarialLoss float64 // cross-entropy of the changed images; NaN if the objective has none
	Accuracy        float64 // on the images as they are, in training mode, before the update
	GradientNorm    float64 // L2 norm of the gradient of all weights, before clipping
	ImagesPerSecond float64 // of this step
	ValLoss         float64 // NaN unless the validation images were evaluated after this step
	ValAccuracy     float64 // NaN unless the validation images were evaluated after this step
}

// MarshalJSON writes the epoch as an object with the keys epoch, steps, lr, loss, adv_loss, train_accuracy, val_loss,
// val_accuracy, seconds and images_per_second. Values that are not finite are left out.
func (e Epoch) MarshalJSON() ([]byte, error) {
	return json.Marshal(epochJSON{
		e.Epoch, e.Steps, number(e.LearningRate), number(e.Loss), number(e.AdversarialLoss), number(e.TrainAccuracy),
		number(e.ValLoss), number(e.ValAccuracy), number(e.Seconds), number(e.ImagesPerSecond),
	})
}

// UnmarshalJSON reads what MarshalJSON writes. What was left out is NaN.
func (e *Epoch) UnmarshalJSON(b []byte) error {
	var j epochJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*e = Epoch{
		j.Epoch, j.Steps, value(j.LearningRate), value(j.Loss), value(j.AdversarialLoss), value(j.TrainAccuracy),
		value(j.ValLoss), value(j.ValAccuracy), value(j.Seconds), value(j.ImagesPerSecond),
	}
	return nil
}

type epochJSON struct {
	Epoch           int      `json:"epoch"`
	Steps           int      `json:"steps"`
	LearningRate    *float64 `json:"lr,omitempty"`
	Loss            *float64 `json:"loss,omitempty"`
	AdversarialLoss *float64 `json:"adv_loss,omitempty"`
	TrainAccuracy   *float64 `json:"train_accuracy,omitempty"`
	ValLoss         *float64 `json:"val_loss,omitempty"`
	ValAccuracy     *float64 `json:"val_accuracy,omitempty"`
	Seconds         *float64 `json:"seconds,omitempty"`
	ImagesPerSecond *float64 `json:"images_per_second,omitempty"`
}

// MarshalJSON writes the step as an object with the keys step, epoch, lr, loss, adv_loss, accuracy, grad_norm,
// images_per_second, val_loss and val_accuracy. Values that are not finite are left out.
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(stepJSON{
		s.Step, s.Epoch, number(s.LearningRate), number(s.Loss), number(s.AdversarialLoss), number(s.Accuracy),
		number(s.GradientNorm), number(s.ImagesPerSecond), number(s.ValLoss), number(s.ValAccuracy),
	})
}

// UnmarshalJSON reads what MarshalJSON writes. What was left out is NaN.
func (s *Step) UnmarshalJSON(b []byte) error {
	var j stepJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*s = Step{
		j.Step, j.Epoch, value(j.LearningRate), value(j.Loss), value(j.AdversarialLoss), value(j.Accuracy),
		value(j.GradientNorm), value(j.ImagesPerSecond), value(j.ValLoss), value(j.ValAccuracy),
	}
	return nil
}

type stepJSON struct {
	Step            int      `json:"step"`
	Epoch           int      `json:"epoch"`
	LearningRate    *float64 `json:"lr,omitempty"`
	Loss            *float64 `json:"loss,omitempty"`
	AdversarialLoss *float64 `json:"adv_loss,omitempty"`
	Accuracy        *float64 `json:"accuracy,omitempty"`
	GradientNorm    *float64 `json:"grad_norm,omitempty"`
	ImagesPerSecond *float64 `json:"images_per_second,omitempty"`
	ValLoss         *float64 `json:"val_loss,omitempty"`
	ValAccuracy     *float64 `json:"val_accuracy,omitempty"`
}

// number returns nil for what JSON cannot hold.
func number(v float64) *float64 {
	if !finite(v) {
		return nil
	}
	return &v
}

// value returns NaN for what number left out.
func value(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// String returns the epoch in one short line.
func (e Epoch) String() string {
	s := fmt.Sprintf("epoch %d: loss %.4f", e.Epoch, e.Loss)
	if !math.IsNaN(e.AdversarialLoss) {
		s += fmt.Sprintf(", adversarial %.4f", e.AdversarialLoss)
	}
	s += fmt.Sprintf(", accuracy %.2f %%", 100*e.TrainAccuracy)
	if !math.IsNaN(e.ValAccuracy) {
		s += fmt.Sprintf(", validation %.2f %%", 100*e.ValAccuracy)
	}
	return s
}

// JSONLines returns a function for Config.OnEpoch that writes each epoch to w as a line of JSON.
func JSONLines(w io.Writer) func(Epoch) error {
	encoder := json.NewEncoder(w)
	return func(e Epoch) error { return encoder.Encode(e) }
}

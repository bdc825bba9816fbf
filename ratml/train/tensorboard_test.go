package train

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/tensorboard"
)

func TestBoard(t *testing.T) {
	w, err := tensorboard.Create(t.TempDir())
	require.NoError(t, err)
	defer w.Close()
	b := Board{Writer: w, Every: 2}
	require.NoError(t, b.Step(Step{Step: 1, Loss: 5, ValLoss: math.NaN()}))
	require.NoError(t, b.Step(Step{Step: 2, Loss: 1, AdversarialLoss: math.NaN(), ValLoss: math.NaN(), ValAccuracy: math.NaN(), GradientNorm: math.Inf(1)}))
	require.NoError(t, b.Step(Step{Step: 3, ValAccuracy: 1}))
	require.NoError(t, b.Epoch(Epoch{Epoch: 1, Steps: 3, AdversarialLoss: math.NaN()}))
	file, err := os.ReadFile(w.Path())
	require.NoError(t, err)
	for tag, n := range map[string]int{
		"step/loss": 2, "step/accuracy": 2, "step/adv_loss": 1, "step/grad_norm": 1, "step/val_loss": 1,
		"step/val_accuracy": 1, "step/lr": 2, "step/images_per_second": 2, "epoch/loss": 1, "epoch/adv_loss": 0,
		"epoch/train_accuracy": 1, "epoch/val_accuracy": 1, "epoch/val_loss": 1, "epoch/lr": 1, "epoch/images_per_second": 1,
	} {
		require.Equal(t, n, countTag(file, tag), tag)
	}
}

// countTag counts the values of a tag: the tag with its length before it, and a number after it.
func countTag(file []byte, tag string) int {
	n := 0
	field := string([]byte{10, byte(len(tag))}) + tag + "\x15"
	for i := 0; i+len(field) <= len(file); i++ {
		if string(file[i:i+len(field)]) == field {
			n++
		}
	}
	return n
}

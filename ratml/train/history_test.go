package train

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJSONLines(t *testing.T) {
	var b bytes.Buffer
	log := JSONLines(&b)
	nan := math.NaN()
	require.NoError(t, log(Epoch{1, 5, 0.1, 2, nan, 0.5, nan, nan, 1, 10}))
	require.NoError(t, log(Epoch{2, 10, 0, 1, 1.5, 0.75, math.Inf(1), 0, 1, 10}))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Equal(t, `{"epoch":1,"steps":5,"lr":0.1,"loss":2,"train_accuracy":0.5,"seconds":1,"images_per_second":10}`, lines[0])
	require.Equal(t, `{"epoch":2,"steps":10,"lr":0,"loss":1,"adv_loss":1.5,"train_accuracy":0.75,"val_accuracy":0,"seconds":1,"images_per_second":10}`, lines[1])
	require.True(t, json.Valid([]byte(lines[0])))
}

func TestEpochString(t *testing.T) {
	e := Epoch{Epoch: 3, Loss: 0.25, AdversarialLoss: 0.5, TrainAccuracy: 0.875, ValAccuracy: 0.75}
	require.Equal(t, "epoch 3: loss 0.2500, adversarial 0.5000, accuracy 87.50 %, validation 75.00 %", e.String())
	e.AdversarialLoss, e.ValAccuracy = math.NaN(), math.NaN()
	require.Equal(t, "epoch 3: loss 0.2500, accuracy 87.50 %", e.String())
}

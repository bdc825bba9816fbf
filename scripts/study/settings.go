package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// settings are what the result of a cell depends on.
type settings struct {
	Format       int             `json:"format"` // of the files of a cell
	Dataset      string          `json:"dataset"`
	Data         string          `json:"data_sha256"`
	Arch         string          `json:"arch"`
	Treatment    string          `json:"treatment"`
	Objective    json.RawMessage `json:"objective"`
	Seed         uint64          `json:"seed"` // of weights, order and split
	Training     int             `json:"training_images"`
	Validation   int             `json:"validation_images"`
	Test         int             `json:"test_images"`
	Epochs       int             `json:"epochs"`
	BatchSize    int             `json:"batch_size"`
	LearningRate float64         `json:"learning_rate"`
	WeightDecay  float64         `json:"weight_decay"`
	WarmupEpochs float64         `json:"warmup_epochs"`
	Augment      string          `json:"augment"`
	Scores       []string        `json:"scores"`
	Backend      string          `json:"backend"`
}

// formatVersion changes whenever results of before no longer belong with those of after.
const formatVersion = 1

// settings returns those of a cell.
func (s *study) settings(c cell) (settings, error) {
	objective, err := describe(c.objective(c.step))
	_, augment := s.augment(c.source)
	return settings{
		Format: formatVersion, Dataset: c.source.name, Data: c.sum, Arch: c.arch.Name, Treatment: c.treatment.name, Objective: objective, Seed: c.seed,
		Training: s.images(c.source), Validation: s.ValSize, Test: c.test.Len(), Epochs: s.Epochs, BatchSize: s.BatchSize,
		LearningRate: s.LearningRate, WeightDecay: s.WeightDecay, WarmupEpochs: s.WarmupEpochs, Augment: augment,
		Scores: scores, Backend: s.be.Kind(),
	}, err
}

// fingerprint is a hash of the settings.
func (s settings) fingerprint() (string, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// describe returns the settings of an objective without those that are zero, so that settings which objectives get
// later change nothing.
func describe(objective any) (json.RawMessage, error) {
	data, err := json.Marshal(objective)
	if err != nil {
		return nil, fmt.Errorf("the settings of %T: %w", objective, err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"type": fmt.Sprintf("%T", objective), "settings": withoutZeros(v)})
}

// withoutZeros returns decoded JSON without the members of objects that are zero, or nil if nothing is left.
func withoutZeros(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			if kept := withoutZeros(member); kept != nil {
				out[name] = kept
			}
		}
		if len(out) > 0 {
			return out
		}
		return nil
	case bool:
		if !v {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}

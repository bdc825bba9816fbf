package main

import (
	"fmt"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/dataset/corrupt"
)

// corruption says how the test images are corrupted, those of validation splits too.
type corruption struct {
	Corruption string `arg:"--corruption" placeholder:"NAME" help:"corrupt the test images as ImageNet-C and CIFAR-10-C do, by --seed: gaussian_noise, fog, jpeg_compression ...; needs --severity"`
	Severity   int    `arg:"--severity" placeholder:"N" help:"strength of --corruption, 1 to 5"`
	Frost      string `arg:"--frost_dir" placeholder:"DIR" help:"photographs of frost of the original for --corruption frost; without them textures are generated"`
}

// title returns the name of the data set with its corruption, as in cifar10+fog:3.
func (s source) title() string {
	if s.Corruption == "" {
		return s.Dataset
	}
	return fmt.Sprintf("%s+%s:%d", s.Dataset, s.Corruption, s.Severity)
}

// corrupted returns set, the whole of the test images, under --corruption.
func (s source) corrupted(set dataset.Set) (dataset.Set, error) {
	if s.Corruption == "" {
		if s.Severity != 0 || s.Frost != "" {
			return nil, usagef("--severity and --frost_dir are for --corruption")
		}
		return set, nil
	}
	if s.Severity < 1 || s.Severity > corrupt.Severities {
		return nil, usagef("--corruption %s needs --severity, 1 to %d", s.Corruption, corrupt.Severities)
	}
	return corrupt.Config{Name: s.Corruption, Severity: s.Severity, Seed: s.Seed, FrostDir: s.Frost}.Apply(set)
}

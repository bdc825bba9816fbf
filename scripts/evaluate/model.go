package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// openMixFolder is where the official code looks for the networks that OpenMix trained.
const openMixFolder = "third_party/openmix/checkpoints"

// settle makes --ckpt the file that --model names, or the one that is meant in a folder of OpenMix's networks as the
// official code wants it, DIR/<data set>/wrn28.pth and resnet110.pth. It sets the architecture, unless that is given,
// where one must be: it stays empty where the file tells.
func (s *source) settle(arch *string) error {
	if s.Model != "" && s.Checkpoint != "" {
		return usagef("--model and --ckpt both name weights")
	}
	if s.Model != "" {
		s.Checkpoint = s.Model
	}
	if info, err := os.Stat(s.Checkpoint); err == nil && info.IsDir() {
		return s.settleFolder(arch)
	}
	if *arch == "" && s.Model == "" {
		*arch = defaultArch(s.Dataset)
	}
	return nil
}

// settleFolder chooses from a folder of OpenMix's networks; like the official code, the wide one if nothing else is said.
func (s *source) settleFolder(arch *string) error {
	set := baseDataset(s.Dataset)
	if *arch == "" {
		*arch = openMixWide(set)
	}
	file := ""
	switch strings.TrimSuffix(*arch, "_outlier") {
	case "openmix_wrn28_10_" + set:
		file = "wrn28.pth"
	case "openmix_resnet110_" + set:
		file = "resnet110.pth"
	default:
		return usagef("--ckpt %s is a folder; of those only OpenMix's networks are taken, --arch %s or openmix_resnet110_%s_outlier",
			s.Checkpoint, openMixWide(set), set)
	}
	path := filepath.Join(s.Checkpoint, set, file)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("--ckpt %s: the folder should hold %s: %w", s.Checkpoint, filepath.Join(set, file), err)
	}
	s.Checkpoint = path
	return nil
}

// openMixWide is the wide network that OpenMix trained for a data set.
func openMixWide(set string) string { return "openmix_wrn28_10_" + set + "_outlier" }

// custom makes the official --custom_model openmix what it stands for.
func (o *options) custom() error {
	switch {
	case o.CustomModel == "":
		return nil
	case o.CustomModel != "openmix":
		return usagef("--custom_model %q: want openmix; name other networks by --arch", o.CustomModel)
	}
	if o.Arch == "" {
		o.Arch = openMixWide(baseDataset(o.Dataset))
	}
	if o.Checkpoint == "" && o.Model == "" {
		o.Checkpoint = openMixFolder
	}
	return nil
}

// baseDataset is the data set whose classes a set has: that without corruptions, or without a place.
func baseDataset(set string) string {
	name, _, _ := strings.Cut(set, ":")
	for _, base := range []string{"cifar10", "cifar100", "imagenet"} {
		if name == base+"c" || name == base+"_c" {
			return base
		}
	}
	return name
}

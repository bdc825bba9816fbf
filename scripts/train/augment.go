package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
)

// augmentation finds out how training images are changed.
func (o options) augmentation(s *settings) error {
	list := s.augment
	switch {
	case o.Augment != nil:
		list = strings.Split(*o.Augment, ",")
	case list == nil:
		list = usualChanges(s.dataset)
	}
	erase := 0.5
	if o.RandErase != nil {
		if erase = *o.RandErase; !(erase >= 0 && erase <= 1) {
			return fmt.Errorf("--rand_erase %v: want a probability, from 0 to 1", erase)
		}
		switch there := slices.Contains(list, "erasing"); {
		case o.Protocol == "official" && (s.dataset == "cifar10" || s.dataset == "cifar100") && !there:
			s.notes = append(s.notes, "--rand_erase is ignored for "+s.dataset+", as officially")
		case erase > 0 && !there:
			list = append(slices.Clone(list), "erasing")
		}
	}
	side := 16
	if set(&side, o.CutoutSize); o.CutoutSize != nil && (side < 2 || !slices.Contains(list, "cutout")) {
		return fmt.Errorf("--cutout_size %d: want 2 or more pixels, and cutout in --augment", side)
	}
	list = slices.DeleteFunc(slices.Clone(list), func(name string) bool { return name == "none" })
	transforms, err := changes(list, erase, side, mean(s.arch))
	if err != nil {
		return err
	}
	s.augment, s.Augment, s.changes = list, nil, transforms
	if slices.Contains(list, "erasing") {
		s.augment = append(s.augment, fmt.Sprintf("p=%v", erase))
	}
	if slices.Contains(list, "cutout") {
		s.augment = append(s.augment, fmt.Sprintf("size=%v", side))
	}
	if len(transforms) > 0 {
		s.Augment = dataset.Chain(transforms...)
	}
	return nil
}

// usualChanges are those of the official trainer: of small images, and of photographs.
func usualChanges(set string) []string {
	switch name, _, _ := strings.Cut(set, ":"); name {
	case "cifar10", "cifar100":
		return []string{"crop_flip"}
	case "imagenet", "cub", "places365", "tiny_imagenet":
		return []string{"resized_crop", "flip"}
	}
	return nil
}

// cropFiles has random parts cut out of images as they are in their files, where resized_crop comes first and the set has
// such images: of what preprocessing leaves, much would be lost.
func (s *settings) cropFiles(images dataset.Set) (dataset.Set, error) {
	if len(s.augment) == 0 || s.augment[0] != "resized_crop" {
		return images, nil
	}
	cropped, ok, err := dataset.CropStored(images, dataset.Range{}, dataset.Range{})
	if err != nil || !ok {
		return images, err
	}
	s.Augment = nil
	if rest := s.changes[1:]; len(rest) > 0 {
		s.Augment = dataset.Chain(rest...)
	}
	return cropped, nil
}

// changes returns the changes that are listed.
func changes(list []string, erase float64, side int, mean []float32) ([]dataset.Transform, error) {
	var all []dataset.Transform
	for _, name := range list {
		var t dataset.Transform
		var err error
		switch name {
		case "crop":
			t = dataset.RandomCrop(4)
		case "crop_reflect":
			t = dataset.RandomCropReflect(4)
		case "flip":
			t = dataset.RandomFlip()
		case "crop_flip":
			t = dataset.Chain(dataset.RandomCrop(4), dataset.RandomFlip())
		case "resized_crop":
			t, err = dataset.RandomResizedCrop(dataset.Range{}, dataset.Range{})
		case "erasing":
			t, err = dataset.RandomErasing(erase, dataset.Range{}, dataset.Range{})
		case "cutout":
			t = dataset.Cutout(side, mean...)
		case "":
			err = errors.New("--augment: an empty name in the list")
		default:
			err = fmt.Errorf("--augment %q: want none, or of crop, crop_reflect, flip, crop_flip, resized_crop, erasing, cutout", name)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

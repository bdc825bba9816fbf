package nets

import (
	"fmt"
	"regexp"

	"github.com/ratml/rat/ratml/dataset"
)

// imageNet is the domain of torchvision's classifiers, normalised as their weights are.
var imageNet = domain{1000, Input{224, 224, 3}, []float32{0.485, 0.456, 0.406}, []float32{0.229, 0.224, 0.225}}

// resized is torchvision's evaluation transform for a weights entry of the given resize_size and crop_size 224.
func resized(size int, how dataset.Interpolation) dataset.Preprocess {
	return dataset.Preprocess{Resize: size, Crop: 224, Interpolation: how}
}

// A variant is a member of a family of ImageNet classifiers.
type variant struct {
	name string
	// preprocess is that of torchvision's newest weights of the network.
	preprocess dataset.Preprocess
	forward    func(classes int) Forward
}

// classifiers is the family of the variants, which have torchvision's names.
func classifiers(variants ...variant) family {
	f := family{build: func(name string, m []string) (*Arch, error) {
		for _, v := range variants {
			if v.name == m[1] {
				d := imageNet
				if m[2] != "" {
					d.classes = number(m[2])
				}
				a, err := d.arch(name, v.forward(d.classes))
				if err == nil {
					a.Preprocess = v.preprocess
				}
				return a, err
			}
		}
		return nil, fmt.Errorf("nets: unknown architecture %q", name)
	}}
	form := ""
	for i, v := range variants {
		if i > 0 {
			form += "|"
		}
		form += v.name
		f.common = append(f.common, v.name)
	}
	f.form = form + "[_<classes>classes]"
	f.pattern = regexp.MustCompile(`^(` + form + `)(?:_(\d{1,6})classes)?$`)
	return f
}

package nets

import "fmt"

// SmallClassifiers are small networks of the families with torchvision's names, with 10 classes: those of
// testdata/classifiers.py, where the size of their images stands.
func SmallClassifiers(size map[string]int) (map[string]*Arch, error) {
	list := map[string]*Arch{}
	for name, forward := range map[string]Forward{
		"mobilenet_v2": mobileNetV2([]mobileStage{{1, 16, 1, 1}, {6, 24, 2, 2}}, 10),
		"mobilenet_v3": mobileNetV3([]mobileBlock{
			{3, 16, 16, true, ReLU, 2}, {3, 72, 24, false, ReLU, 1}, {5, 96, 24, true, HardSwish, 1},
		}, 64, 10),
		"efficientnet": efficientNet([]efficientStage{{1, 3, 1, 16, 1}, {6, 5, 2, 24, 2}}, 24, 10),
		"convnext":     convNeXt([]convStage{{8, 1}, {16, 2}}, 0.1, 10),
		"vit":          visionTransformer(transformer{8, 2, 3, 24, 32}, 10),
		"swin":         swin(swinNet{width: 12, depths: []int{2, 1}, heads: []int{2, 3}, window: 3, drop: 0.2}, 10),
	} {
		a, err := NewArch(name, Input{size[name], size[name], 3}, 10, imageNet.mean, imageNet.std, forward)
		if err != nil {
			return nil, err
		}
		list[name] = a
	}
	return list, nil
}

// RelativePositions is the buffer relative_position_index of torchvision's Swin transformers.
func RelativePositions(window int) (index []int) {
	for _, row := range relativePositions(window) {
		index = append(index, int(row[0]))
	}
	return index
}

// Start returns the initial value of one parameter, as Init makes it.
func (a *Arch) Start(seed uint64, name string) (*Tensor, error) {
	for _, p := range a.Params {
		if p.Name == name {
			return a.initial(p, seed), nil
		}
	}
	return nil, fmt.Errorf("%s has no parameter %s", a.Name, name)
}

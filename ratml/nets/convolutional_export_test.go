package nets

// SmallConvolutional are the small networks of testdata/convolutional.py that no name builds, with 10 classes.
func SmallConvolutional(size map[string]int) (map[string]*Arch, error) {
	vggNet := vgg{
		convs: []int{1, 2}, channels: []int{8, 16}, parts: 7, head: "LRDLRDL", hidden: 12, start: func(*Pass) {},
	}
	normed := vggNet
	normed.norm = true
	list := map[string]*Arch{}
	for name, forward := range map[string]func(int) Forward{
		"vgg":      vggNet.forward,
		"vgg_bn":   normed.forward,
		"resnet":   resNet("", 0, []int{2, 1, 1, 1}, false, 0, 0).forward,
		"resnext":  resNet("", 0, []int{1, 1, 1, 1}, true, 4, 8).forward,
		"densenet": imageDenseNet("", 8, 4, 2, 1).forward,
	} {
		a, err := NewArch(name, Input{size[name], size[name], 3}, 10, imageNet.mean, imageNet.std, forward(10))
		if err != nil {
			return nil, err
		}
		list[name] = a
	}
	return list, nil
}

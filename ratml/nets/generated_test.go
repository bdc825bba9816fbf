package nets_test

import (
	"hash/fnv"
	"math"
	"strings"

	"github.com/ratml/rat/ratml/nets"
)

// This is testdata/generated.py: weights and images that are a function of names and shapes.

func finalise(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// generated returns n numbers that are uniform in [-1,1).
func generated(name string, n int) []float64 {
	f := fnv.New32a()
	f.Write([]byte(name))
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(finalise(finalise(uint32(i))^f.Sum32())>>8)/(1<<23) - 1
	}
	return v
}

func generatedTensor(name string, shape []int) *nets.Tensor {
	t := nets.NewTensor(shape...)
	last := name[strings.LastIndex(name, ".")+1:]
	fanIn := 1
	for _, d := range shape[1:] {
		fanIn *= d
	}
	for i, u := range generated(name, len(t.Data)) {
		switch {
		case last == "running_var" || last == "weight" && len(shape) == 1:
			u = 1 + 0.5*u
		case len(shape) == 1, last == "layer_scale", last == "relative_position_bias_table", last == "class_token", last == "pos_embedding":
			u *= 0.25
		default:
			u *= math.Sqrt(6 / float64(fanIn))
		}
		t.Data[i] = float32(u)
	}
	return t
}

func generatedWeights(a *nets.Arch) nets.Weights {
	w := nets.Weights{}
	for _, p := range a.Params {
		w[p.Name] = generatedTensor(p.Name, p.Shape)
	}
	return w
}

// generatedImages returns n images for a.
func generatedImages(a *nets.Arch, n int) array {
	x := array{[]int{n, a.Input.Height, a.Input.Width, a.Input.Channels}, nil}
	for _, u := range generated("images", n*a.Input.Height*a.Input.Width*a.Input.Channels) {
		x.data = append(x.data, float64(float32((u+1)/2)))
	}
	return x
}

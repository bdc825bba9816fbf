package nets_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// A program on several devices computes what it computes on one: logits and gradients, with inputs that are split,
// scalars, and outputs that go in again.
func TestDevices(t *testing.T) {
	be := backendtest.XLA(t)
	const n = 8
	c := classifier(t, be, "smallcnn_mnist")
	images := make([]float32, n*28*28)
	for i := range images {
		images[i] = float32((i*7919)%256) / 255
	}
	program := func(net nets.Network, in []*graph.Node) []*graph.Node {
		x := graph.Mul(in[0], in[1])
		z := net(x)
		return []*graph.Node{z, graph.Gradient(graph.ReduceAllSum(graph.Square(z)), x)[0]}
	}
	run := func(devices int) (logits, gradients, again []float32) {
		c.Devices = devices
		p, err := c.Compile("test", program)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Free()
		out, err := p.Run(c.Arch.Images(images), float32(0.5))
		if err != nil {
			t.Fatal(err)
		}
		defer out[0].FinalizeAll()
		defer out[1].FinalizeAll()
		second, err := p.RunFloats(out[1], float32(1))
		if err != nil {
			t.Fatal(err)
		}
		first, err := p.RunFloats(c.Arch.Images(images), float32(0.5))
		if err != nil {
			t.Fatal(err)
		}
		return first[0], first[1], second[0]
	}
	z, g, a := run(1)
	for _, devices := range []int{2, 4} {
		z2, g2, a2 := run(devices)
		for name, pair := range map[string][2][]float32{"logits": {z2, z}, "gradients": {g2, g}, "logits again": {a2, a}} {
			got, want := pair[0], pair[1]
			if len(got) != len(want) {
				t.Fatalf("%d devices: %d %s, want %d", devices, len(got), name, len(want))
			}
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > 1e-4*(1+math.Abs(float64(want[i]))) {
					t.Fatalf("%d devices: %s[%d] = %g, want %g", devices, name, i, got[i], want[i])
				}
			}
		}
	}
}

func TestDevicesErrors(t *testing.T) {
	c := classifier(t, backendtest.XLA(t), "smallcnn_mnist")
	program := func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} }
	for _, n := range []int{-1, 1000} {
		c.Devices = n
		if _, err := c.Compile("test", program); err == nil || !strings.Contains(err.Error(), "devices") {
			t.Errorf("%d devices: error %v", n, err)
		}
	}
	c.Devices = 2
	p, err := c.Compile("test", program)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Free()
	if _, err := p.RunFloats(c.Arch.Images(make([]float32, 3*28*28))); err == nil || !strings.Contains(err.Error(), "multiple of 2") {
		t.Errorf("3 images on 2 devices: error %v", err)
	}
}

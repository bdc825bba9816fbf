package confidence

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// TestTime is test-time augmentation: the softmax is averaged over the image, shifted and mirrored copies of it (Wang
// et al. 2019; Ayhan & Berens 2018).
type TestTime struct {
	repeatedPasses
	// Shift moves the image by so many pixels along each diagonal, four copies with black borders, as the crops of
	// a padded image are; 0 is 1, a negative one none.
	Shift int
	// Flip adds a mirrored copy of each.
	Flip    bool
	Measure Measure
}

// Name returns "TTA", "TTA_MI" or "TTA_VR".
func (s TestTime) Name() string { return "TTA" + s.Measure.suffix() }

// String returns the name with the views.
func (s TestTime) String() string {
	return fmt.Sprintf("%s of %d views", s.Name(), 1+s.Repeat().Passes())
}

// Cost returns the number of views.
func (s TestTime) Cost() float64 { return float64(1 + s.Repeat().Passes()) }

// Repeat returns the views beyond the image itself.
func (s TestTime) Repeat() Repetition {
	if s.Shift == 0 {
		s.Shift = 1
	}
	return views{max(s.Shift, 0), s.Flip}
}

// Values returns the measure of each image.
func (s TestTime) Values(logits []float32, classes int, passes [][]float32) []float64 {
	return s.Measure.values(logits, classes, append([][]float32{logits}, passes...))
}

// views are shifted and mirrored copies.
type views struct {
	shift int
	flip  bool
}

// view is one copy: pixel (x, y) shows what was at (x-dx, y-dy).
type view struct {
	dx, dy int
	flip   bool
}

// list returns the views, the image itself left out.
func (v views) list() []view {
	list := []view{{}}
	if s := v.shift; s > 0 {
		list = append(list, view{dx: s, dy: s}, view{dx: s, dy: -s}, view{dx: -s, dy: s}, view{dx: -s, dy: -s})
	}
	if v.flip {
		for _, w := range list {
			w.flip = true
			list = append(list, w)
		}
	}
	return list[1:]
}

func (v views) Passes() int { return len(v.list()) }

func (v views) Open(c *nets.Classifier) (Repeater, error) {
	p, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} })
	if err != nil {
		return nil, err
	}
	return &viewer{c.Arch, p, v.list()}, nil
}

// viewer runs the network on views.
type viewer struct {
	arch    *nets.Arch
	program *nets.Program
	views   []view
}

func (v *viewer) Run(images, _ []float32) ([][]float32, error) {
	var out [][]float32
	seen := make([]float32, len(images))
	for _, w := range v.views {
		w.apply(seen, images, v.arch.Input)
		z, err := v.program.RunFloats(v.arch.Images(seen))
		if err != nil {
			return nil, err
		}
		out = append(out, z[0])
	}
	return out, nil
}

func (v *viewer) Free() { v.program.Free() }

// apply stores the view of images [n, height, width, channels] in dst.
func (w view) apply(dst, images []float32, in nets.Input) {
	clear(dst)
	size := in.Height * in.Width * in.Channels
	for base := 0; base < len(images); base += size {
		for y := range in.Height {
			for x := range in.Width {
				fromY, fromX := y-w.dy, x-w.dx
				if w.flip {
					fromX = in.Width - 1 - fromX
				}
				if fromY < 0 || fromY >= in.Height || fromX < 0 || fromX >= in.Width {
					continue
				}
				to, from := base+(y*in.Width+x)*in.Channels, base+(fromY*in.Width+fromX)*in.Channels
				copy(dst[to:to+in.Channels], images[from:from+in.Channels])
			}
		}
	}
}

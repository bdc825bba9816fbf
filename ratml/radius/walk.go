package radius

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/nets"
)

// A walker moves one image about by what it is shown at each place.
type walker interface {
	// begin returns the first place, which the walker changes as it moves on, with the predicted class and the target.
	begin() (point []float32, class, target int)
	// observe is told what is seen at the place, and moves to the next one unless it is done.
	observe(v view) (done bool)
	// end returns the result, or a search along a ray that is to give it.
	end() (Result, *Start)
}

// view is what is seen at a place.
type view struct {
	logits   []float32
	gradient []float32 // of the loss, or of the margin to the nearest class
	margin   float64   // to the nearest class
}

// look says what a walker wants to see: the gradient of a loss, or, where classes is set, the margin z_c - z_k and its
// gradient for that class k whose linearised boundary is nearest.
type look struct {
	loss        loss
	temperature float64
	classes     bool
	norm        Norm // in which it is nearest
	box         bool // within the images in [0,1]
}

// walks moves many images about through one compiled program, as [Search] follows rays.
type walks struct {
	c       *nets.Classifier
	look    look
	seer    seer
	size    int
	waiting []Start
	slots   []walkSlot
	points  []float32
	classes []int32
	targets []int32
	busy    int
	onward  func(Start) // takes the searches that walkers end with
}

type walkSlot struct {
	start *Start // nil where free
	point []float32
	spent int
}

// seer computes what walkers want to see at points [slots, size], and tells what that costs an image.
type seer interface {
	see(points []float32, classes, targets []int32) (logits, gradients, margins []float32, err error)
	cost() int
	free()
}

func newWalks(c *nets.Classifier, l look, slots int, onward func(Start)) (*walks, error) {
	in := c.Arch.Input
	w := &walks{
		c: c, look: l, size: in.Height * in.Width * in.Channels, slots: make([]walkSlot, slots),
		classes: make([]int32, slots), targets: make([]int32, slots), onward: onward,
	}
	w.points = make([]float32, slots*w.size)
	var err error
	if l.classes {
		w.seer, err = newJacobian(c, l)
	} else {
		w.seer, err = newLossGradient(c, l)
	}
	return w, err
}

// run is [Search.Run].
func (w *walks) run(ctx context.Context, drain bool) error {
	for {
		w.fill()
		if w.busy == 0 || w.busy < len(w.slots) && !drain {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.step(); err != nil {
			return err
		}
	}
}

func (w *walks) fill() {
	for i := range w.slots {
		if len(w.waiting) == 0 {
			return
		}
		if w.slots[i].start != nil {
			continue
		}
		start := w.waiting[0]
		w.waiting[0] = Start{}
		w.waiting = w.waiting[1:]
		point, class, target := start.walk.begin()
		w.slots[i] = walkSlot{start: &start, point: point}
		w.classes[i], w.targets[i] = int32(class), int32(target)
		w.busy++
	}
}

// step looks at all slots once.
func (w *walks) step() error {
	for i, sl := range w.slots {
		if sl.start != nil {
			copy(w.points[i*w.size:(i+1)*w.size], sl.point)
		}
	}
	logits, gradients, margins, err := w.seer.see(w.points, w.classes, w.targets)
	if err != nil {
		return err
	}
	classes := w.c.Arch.Classes
	for i := range w.slots {
		sl := &w.slots[i]
		if sl.start == nil {
			continue
		}
		v := view{logits: logits[i*classes : (i+1)*classes], gradient: gradients[i*w.size : (i+1)*w.size]}
		if margins != nil {
			v.margin = float64(margins[i])
		}
		if !finite(v.logits) || !finite(v.gradient) {
			return fmt.Errorf("image %d: the logits or their gradient are not finite at a place that an attack came to", sl.start.Index)
		}
		sl.spent += w.seer.cost()
		if sl.start.walk.observe(v) {
			w.end(sl)
		}
	}
	return nil
}

// end frees a slot whose walk has ended.
func (w *walks) end(sl *walkSlot) {
	start, spent := sl.start, sl.spent
	*sl = walkSlot{}
	w.busy--
	r, ray := start.walk.end()
	if ray != nil {
		ray.Index, ray.Image, ray.Logits, ray.Done, ray.group = start.Index, start.Image, start.Logits, start.Done, start.group
		ray.spent = spent
		w.onward(*ray)
		return
	}
	r.Evaluations = spent
	start.finish(r)
}

// lossGradient is the seer of one loss.
type lossGradient struct {
	program *nets.Program
	arch    *nets.Arch
}

func newLossGradient(c *nets.Classifier, l look) (*lossGradient, error) {
	p, err := c.Compile("gradient of an attack's loss", func(net nets.Network, in []*Node) []*Node {
		x := in[0]
		z := net(x)
		mark := func(class *Node) *Node { return OneHot(class, c.Arch.Classes, z.DType()) }
		t := z
		if l.temperature != 0 && l.temperature != 1 {
			t = DivScalar(z, l.temperature)
		}
		g := Gradient(ReduceAllSum(l.loss.of(t, mark(in[1]), mark(in[2]))), x)[0]
		return []*Node{z, g}
	})
	return &lossGradient{p, c.Arch}, err
}

func (s *lossGradient) see(points []float32, classes, targets []int32) (logits, gradients, margins []float32, err error) {
	out, err := s.program.RunFloats(s.arch.Images(points), vector(classes), vector(targets))
	if err != nil {
		return nil, nil, nil, err
	}
	return out[0], out[1], nil, nil
}

func (s *lossGradient) cost() int { return forwardCost + gradientCost }
func (s *lossGradient) free()     { s.program.Free() }

func vector[T float32 | int32](v []T) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(v, len(v))
}

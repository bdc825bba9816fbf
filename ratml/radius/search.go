package radius

import (
	"context"
	"fmt"
	"math"

	"github.com/ratml/rat/ratml/nets"
)

// Start is where the search for one image begins.
type Start struct {
	Index     int       // handed back with the result
	Image     []float32 // [height*width*channels] in [0,1]
	Direction []float32 // the same size; a unit of distance moves the image by this much
	Class     int       // the predicted class
	Margin    float64   // its logit minus the largest other one, at the image
	Slope     float64   // of the margin along the direction, at the image; 0 where unknown
}

// Search runs the searches of many images through one compiled forward pass of fixed batch size. An image whose search
// is finished leaves its slot to the next one waiting, so that the batch stays full.
type Search struct {
	emit    func(index int, r Result)
	newStep func(s Start) stepper
	ray     *ray
	size    int // values of an image

	waiting   []Start
	steps     []stepper // per slot, nil where free
	index     []int
	images    []float32
	direction []float32
	distance  []float32
	class     []int32
	busy      int
}

// newSearch prepares a search over slots images at a time; each result goes to emit.
func newSearch(c *nets.Classifier, slots int, newStep func(Start) stepper, emit func(int, Result)) (*Search, error) {
	if slots < 1 {
		return nil, fmt.Errorf("radius: batch size %d, want at least 1", slots)
	}
	r, err := newRay(c)
	if err != nil {
		return nil, err
	}
	size := c.Arch.Input.Height * c.Arch.Input.Width * c.Arch.Input.Channels
	return &Search{
		emit: emit, newStep: newStep, ray: r, size: size,
		steps: make([]stepper, slots), index: make([]int, slots),
		images: make([]float32, slots*size), direction: make([]float32, slots*size),
		distance: make([]float32, slots), class: make([]int32, slots),
	}, nil
}

// Add queues a search. The slices of s must stay unchanged until its result is emitted.
func (s *Search) Add(start Start) { s.waiting = append(s.waiting, start) }

// Run goes on as long as every slot is taken, or, where drain is set, until all searches are finished. It returns
// early with the context's error.
func (s *Search) Run(ctx context.Context, drain bool) error {
	for {
		s.fill()
		if s.busy == 0 || s.busy < len(s.steps) && !drain {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.step(); err != nil {
			return err
		}
	}
}

// Free releases the compiled code.
func (s *Search) Free() { s.ray.program.Free() }

// fill hands free slots to waiting images.
func (s *Search) fill() {
	for slot := range s.steps {
		if len(s.waiting) == 0 {
			return
		}
		if s.steps[slot] != nil {
			continue
		}
		start := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.steps[slot], s.index[slot] = s.newStep(start), start.Index
		copy(s.images[slot*s.size:], start.Image)
		copy(s.direction[slot*s.size:], start.Direction)
		s.class[slot] = int32(start.Class)
		s.busy++
	}
}

// step evaluates all slots once.
func (s *Search) step() error {
	for slot, st := range s.steps {
		if st != nil {
			s.distance[slot] = float32(st.next())
		}
	}
	margin, flipped, err := s.ray.margins(s.images, s.direction, s.distance, s.class)
	if err != nil {
		return err
	}
	for slot, st := range s.steps {
		if st == nil {
			continue
		}
		if m := float64(margin[slot]); math.IsNaN(m) || math.IsInf(m, 0) {
			return fmt.Errorf("radius: image %d: the logits at distance %g are not finite", s.index[slot], s.distance[slot])
		}
		if st.observe(float64(margin[slot]), flipped[slot] != 0) {
			s.emit(s.index[slot], st.result())
			s.steps[slot] = nil
			s.busy--
		}
	}
	return nil
}

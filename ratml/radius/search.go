package radius

import (
	"context"
	"fmt"
	"math"

	"github.com/ratml/rat/ratml/nets"
)

// Start is where the search for one image begins; [BoundarySearch.Starts] makes them.
type Start struct {
	Index     int       // names the image in errors
	Image     []float32 // [height*width*channels] in [0,1]
	Direction []float32 // the same size; a unit of distance moves the image by this much
	Logits    []float32 // [classes] at the image; the largest is the predicted class
	Slope     float64   // of the margin between the two largest logits along the direction; 0 where unknown

	// Done is given the result; nil ignores it.
	Done func(Result)

	steps     stepper // nil is the sound protocol with its defaults
	unclipped bool    // the ray may leave [0,1]
	group     *group  // of searches that give one result
	spent     int     // forward equivalents before

	walk walker // where set, it moves the image, by what look says; Direction and Slope are not used
	look look
}

// finish hands on a result, unless it is not yet the last of a group.
func (s *Start) finish(r Result) {
	last := true
	r.Evaluations += s.spent
	if s.group != nil {
		r, last = s.group.add(r)
	}
	if last && s.Done != nil {
		s.Done(r)
	}
}

// Search runs the searches of many images through one compiled forward pass of fixed batch size. An image whose search
// is finished leaves its slot to the next one waiting, so that the batch stays full. Attacks that need gradients on
// their way have a compiled pass and a batch for each loss. It is not safe for concurrent use.
type Search struct {
	c       *nets.Classifier
	ray     *ray
	size    int // values of an image
	classes int

	waiting   []Start
	slots     []slot
	images    []float32
	direction []float32
	distance  []float32
	beyond    []float32 // how far images may leave [0,1]
	busy      int
	walks     []*walks
}

// slot is one place in the batch.
type slot struct {
	steps stepper // nil where free
	class int
	start Start
}

// NewSearch prepares searches with the given number of slots, the images of one forward pass.
func NewSearch(c *nets.Classifier, slots int) (*Search, error) {
	if slots < 1 {
		return nil, fmt.Errorf("radius: batch size %d, want at least 1", slots)
	}
	r, err := newRay(c)
	if err != nil {
		return nil, fmt.Errorf("radius: %w", err)
	}
	size := c.Arch.Input.Height * c.Arch.Input.Width * c.Arch.Input.Channels
	return &Search{
		c: c, ray: r, size: size, beyond: make([]float32, slots), classes: c.Arch.Classes, slots: make([]slot, slots),
		images: make([]float32, slots*size), direction: make([]float32, slots*size), distance: make([]float32, slots),
	}, nil
}

// Add queues a search. The slices of start must stay unchanged until it is done. It returns an error where their
// sizes do not fit the classifier.
func (s *Search) Add(start Start) error {
	for _, v := range []struct {
		what      string
		got, want int
	}{
		{"image", len(start.Image), s.size}, {"direction", len(start.Direction), s.size}, {"logits", len(start.Logits), s.classes},
	} {
		if v.what == "direction" && start.walk != nil {
			continue
		}
		if v.got != v.want {
			return fmt.Errorf("radius: image %d: %d values of %s, the classifier has %d", start.Index, v.got, v.what, v.want)
		}
	}
	if start.walk == nil {
		s.waiting = append(s.waiting, start)
		return nil
	}
	if s.classes < 2 {
		return fmt.Errorf("radius: image %d: an attack needs at least two classes, the classifier has %d", start.Index, s.classes)
	}
	w, err := s.walksOf(start.look)
	if err != nil {
		return fmt.Errorf("radius: %w", err)
	}
	w.waiting = append(w.waiting, start)
	return nil
}

// walksOf returns the walks that look in a given way.
func (s *Search) walksOf(l look) (*walks, error) {
	for _, w := range s.walks {
		if w.look == l {
			return w, nil
		}
	}
	w, err := newWalks(s.c, l, len(s.slots), func(start Start) { s.waiting = append(s.waiting, start) })
	if err == nil {
		s.walks = append(s.walks, w)
	}
	return w, err
}

// Run goes on as long as every slot is taken, or, where drain is set, until all searches are finished. It returns
// early with the context's error; it may be called again then.
func (s *Search) Run(ctx context.Context, drain bool) error {
	for _, w := range s.walks {
		if err := w.run(ctx, drain); err != nil {
			return fmt.Errorf("radius: %w", err)
		}
	}
	for {
		s.fill()
		if s.busy == 0 || s.busy < len(s.slots) && !drain {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.step(); err != nil {
			return fmt.Errorf("radius: %w", err)
		}
	}
}

// Free releases the compiled code.
func (s *Search) Free() {
	s.ray.program.Free()
	for _, w := range s.walks {
		w.seer.free()
	}
}

// fill hands free slots to waiting images.
func (s *Search) fill() {
	for i := range s.slots {
		if len(s.waiting) == 0 {
			return
		}
		if s.slots[i].steps != nil {
			continue
		}
		start := s.waiting[0]
		s.waiting[0] = Start{}
		s.waiting = s.waiting[1:]
		class := argmax(start.Logits)
		if start.steps == nil {
			start.steps = newBracket(margins(start.Logits, class), start.Slope, defaultTolerance, Cap)
		}
		s.slots[i] = slot{start.steps, class, start}
		s.beyond[i] = 0
		if start.unclipped {
			s.beyond[i] = anywhere
		}
		copy(s.images[i*s.size:], start.Image)
		copy(s.direction[i*s.size:], start.Direction)
		s.busy++
	}
}

// step evaluates all slots once.
func (s *Search) step() error {
	for i, sl := range s.slots {
		if sl.steps != nil {
			s.distance[i] = float32(sl.steps.next())
		}
	}
	logits, err := s.ray.logits(s.images, s.direction, s.distance, s.beyond)
	if err != nil {
		return err
	}
	for i, sl := range s.slots {
		if sl.steps == nil {
			continue
		}
		z := logits[i*s.classes : (i+1)*s.classes]
		if !finite(z) {
			return fmt.Errorf("image %d: the logits at distance %g are not finite", sl.start.Index, s.distance[i])
		}
		if sl.steps.observe(margins(z, sl.class), argmax(z) != sl.class) {
			s.slots[i] = slot{}
			s.busy--
			sl.start.finish(sl.steps.result())
		}
	}
	return nil
}

func finite(z []float32) bool {
	for _, v := range z {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}

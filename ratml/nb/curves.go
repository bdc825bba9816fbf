package nb

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Curves is a chart below the cell that is drawn anew while values come in: losses, accuracies, whatever a training
// reports. The functions that package train calls are one line each:
//
//	curves := nb.NewCurves("plain training")
//	defer curves.Close()
//	cfg.OnStep = func(s train.Step) error { return curves.Add("loss/batch", float64(s.Step), s.Loss) }
//	cfg.OnEpoch = func(e train.Epoch) error { return curves.Add("loss/validation", float64(e.Steps), e.ValLoss) }
//
// A curve is named as in TensorBoard: those that have the same text before the first slash share a panel. Of a curve
// of many points, which is mostly noise, the running mean over a twentieth of them is drawn in front. Curves is safe
// for concurrent use, and silent outside a notebook.
type Curves struct {
	// X is the name of the horizontal axis; "step" if empty. It must not be changed after the first Add.
	X string

	mu     sync.Mutex
	title  string
	place  place
	panels []*panel
	next   time.Time // before which nothing is drawn
	stale  bool      // there are points that are not drawn
}

// NewCurves returns a chart without curves, which shows nothing yet.
func NewCurves(title string) *Curves { return &Curves{title: title} }

// Between two drawings there is a pause: so much at least, and several times what the drawing took, so that curves
// never slow the work down by much.
const (
	leastPause = 500 * time.Millisecond
	pauseShare = 5
)

// Add adds the point (x, y) to the curve called name, and draws the chart if the last time is long enough ago. Points
// that are not finite are left out. It returns an error if the notebook cannot be reached.
func (c *Curves) Add(name string, x, y float64) error {
	if !Active() || !finite(x) || !finite(y) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.curve(name).add(x, y)
	c.stale = true
	if time.Now().Before(c.next) {
		return nil
	}
	return c.draw()
}

// Close draws the points that are not drawn yet and waits for the kernel. The chart as it is then stays in the
// notebook. More points may follow.
func (c *Curves) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stale {
		return nil
	}
	return c.draw()
}

func (c *Curves) draw() error {
	start := time.Now()
	w, h := chartInches(len(c.panels))
	var b bytes.Buffer
	if err := c.encodePNG(&b, w, h); err != nil {
		return err
	}
	err := c.place.show(&protocol.DisplayData{
		Data: map[protocol.MIMEType]any{
			protocol.MIMEImagePNG:  b.Bytes(),
			protocol.MIMETextPlain: c.text(),
		},
		Metadata: pixels(w, h),
	})
	c.stale = false
	now := time.Now()
	c.next = now.Add(max(leastPause, pauseShare*now.Sub(start)))
	return err
}

// curve returns the curve called name, which is made if there is none.
func (c *Curves) curve(name string) *curve {
	group, rest, found := strings.Cut(name, "/")
	if !found {
		rest = name
	}
	var in *panel
	for _, p := range c.panels {
		if p.name == group {
			in = p
		}
	}
	if in == nil {
		in = &panel{name: group}
		c.panels = append(c.panels, in)
	}
	for _, s := range in.curves {
		if s.name == rest {
			return s
		}
	}
	s := &curve{name: rest, each: 1}
	in.curves = append(in.curves, s)
	return s
}

type panel struct {
	name   string
	curves []*curve
}

// maxPoints bounds the memory of a curve and the time to draw it.
const maxPoints = 2000

// curve holds points, or, of more than maxPoints, the means of each so many neighbours.
type curve struct {
	name   string
	points []point // the last one may be of fewer
	each   int
	count  int // in the last point
}

type point struct{ x, y float64 }

func (s *curve) add(x, y float64) {
	if len(s.points) == 0 || s.count == s.each {
		if len(s.points) == maxPoints {
			s.halve()
		}
		s.points, s.count = append(s.points, point{x, y}), 1
		return
	}
	last := &s.points[len(s.points)-1]
	s.count++
	last.x += (x - last.x) / float64(s.count)
	last.y += (y - last.y) / float64(s.count)
}

// halve joins neighbours.
func (s *curve) halve() {
	for i := range len(s.points) / 2 {
		a, b := s.points[2*i], s.points[2*i+1]
		s.points[i] = point{(a.x + b.x) / 2, (a.y + b.y) / 2}
	}
	s.points = s.points[:len(s.points)/2]
	s.each *= 2
}

// smooth returns the running mean of the points over up to half a window to either side of each.
func (s *curve) smooth(window int) []point {
	sums := make([]float64, len(s.points)+1) // of the points before
	for i, p := range s.points {
		sums[i+1] = sums[i] + p.y
	}
	out := make([]point, len(s.points))
	for i, p := range s.points {
		half := min(window/2, i, len(s.points)-1-i)
		out[i] = point{p.x, (sums[i+half+1] - sums[i-half]) / float64(2*half+1)}
	}
	return out
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

package trace

import (
	"fmt"
	"image"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// rayPoints is the number of distances at which margins are computed.
const rayPoints = 161

// Rays follows images along the direction of RR-BS (radius.BoundarySearch), each to twice the radius that the run has
// of it, or to the end of the search. It returns an error if the run has not the score RR_fgsm or is not of the images
// of set; RR_fast is shown where it is there.
func Rays(clf *nets.Classifier, set dataset.Set, run *misd.Run, index ...int) ([]figures.Ray, error) {
	search := run.Score("RR_fgsm")
	if search == nil || search.Lower == nil {
		return nil, fmt.Errorf("trace: the run of %s has no search RR_fgsm", run.Model)
	}
	w, err := newWay(clf)
	if err != nil {
		return nil, err
	}
	defer w.free()
	var out []figures.Ray
	for _, i := range index {
		if i < 0 || i >= run.Len() {
			return nil, fmt.Errorf("trace: image %d of a run of %d", i, run.Len())
		}
		r := figures.Ray{
			Name: fmt.Sprintf("image %d", i), Right: run.Label[i] == run.Pred[i],
			Radius: search.Values[i], Lower: search.Lower[i], Upper: search.Upper[i], Unflipped: search.Unflipped[i],
			Fast: value(run.Score("RR_fast"), i),
		}
		reach := min(2*max(r.Radius, 1e-6), radius.Cap)
		for k := range rayPoints {
			r.Distance = append(r.Distance, reach*float64(k)/(rayPoints-1))
		}
		_, logits, err := w.follow(set, i, r.Distance)
		if err != nil {
			return nil, err
		}
		for _, z := range logits {
			r.Margin = append(r.Margin, margin(z, run.Pred[i]))
		}
		out = append(out, r)
	}
	return out, nil
}

// Frame is an image that was moved along its ray.
type Frame struct {
	Distance    float64
	Image       image.Image
	Pred        int
	Class       string  // the name of Pred
	Probability float64 // softmax of Pred
}

// Along returns the image i of set at some distances along the direction of RR-BS, values clipped to [0,1].
func Along(clf *nets.Classifier, set dataset.Set, i int, distances ...float64) ([]Frame, error) {
	if len(distances) == 0 {
		return nil, nil
	}
	w, err := newWay(clf)
	if err != nil {
		return nil, err
	}
	defer w.free()
	images, logits, err := w.follow(set, i, distances)
	if err != nil {
		return nil, err
	}
	out := make([]Frame, len(distances))
	for k, d := range distances {
		img, err := picture(set, images[k])
		if err != nil {
			return nil, err
		}
		pred := largest(logits[k])
		out[k] = Frame{d, img, pred, class(set, pred), softmax(logits[k], pred)}
	}
	return out, nil
}

// way holds what is compiled to follow rays.
type way struct {
	clf          *nets.Classifier
	direct, look *nets.Program
}

func newWay(clf *nets.Classifier) (*way, error) {
	direct, err := clf.Compile("directions", func(net nets.Network, in []*Node) []*Node {
		return radius.BoundarySearch{}.Build(radius.NewProbe(net, in[0]))[:1]
	})
	if err != nil {
		return nil, err
	}
	look, err := clf.Compile("logits", func(net nets.Network, in []*Node) []*Node { return []*Node{net(in[0])} })
	if err != nil {
		direct.Free()
		return nil, err
	}
	return &way{clf, direct, look}, nil
}

func (w *way) free() {
	w.direct.Free()
	w.look.Free()
}

// follow returns an image at some distances along its ray, and its logits there.
func (w *way) follow(set dataset.Set, i int, distances []float64) (images, logits [][]float32, err error) {
	pixels, _, err := read(set, i)
	if err != nil {
		return nil, nil, err
	}
	direction, err := w.direct.RunFloats(w.clf.Arch.Images(pixels))
	if err != nil {
		return nil, nil, err
	}
	var all []float32
	for _, at := range distances {
		moved := make([]float32, len(pixels))
		for j, v := range pixels {
			moved[j] = min(max(v+float32(at)*direction[0][j], 0), 1)
		}
		images, all = append(images, moved), append(all, moved...)
	}
	out, err := w.look.RunFloats(w.clf.Arch.Images(all))
	if err != nil {
		return nil, nil, err
	}
	return images, split(out[0], len(distances)), nil
}

// split returns n parts of equal length.
func split(values []float32, n int) [][]float32 {
	out := make([][]float32, n)
	size := len(values) / n
	for i := range out {
		out[i] = values[i*size : (i+1)*size]
	}
	return out
}

// margin returns by how much the logit of a class exceeds the largest other one.
func margin(logits []float32, class int) float64 {
	most := math.Inf(-1)
	for k, v := range logits {
		if k != class {
			most = max(most, float64(v))
		}
	}
	return float64(logits[class]) - most
}

func largest(logits []float32) int {
	best := 0
	for k, v := range logits {
		if v > logits[best] {
			best = k
		}
	}
	return best
}

// softmax returns the probability of a class.
func softmax(logits []float32, class int) float64 {
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - float64(logits[class]))
	}
	return 1 / sum
}

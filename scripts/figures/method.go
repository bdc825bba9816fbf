package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/train"
)

// methodPlanes makes the data of the picture of the method: two half moons that overlap, a small net trained on them
// plainly and with RAT from the same weights, and what each says of other points and of the plane. They train for so long
// that the plain net learns the noise, which is where the two differ. Radii are the smallest that several searches find;
// balls are drawn of the first few right and the first few wrong predictions.
func methodPlanes(ctx context.Context, be *backend.Backend, seed uint64) ([]figures.Plane, error) {
	learned, shown := moons(moonPoints, seed, 0), moons(moonPoints, seed, 1)
	var planes []figures.Plane
	for _, m := range []struct {
		name      string
		objective train.Objective
	}{{"plain", train.Plain{}}, {"RAT", objective(methodStep)}} {
		clf, err := newMoonNet(be, seed)
		if err != nil {
			return nil, err
		}
		_, err = train.Fit(ctx, clf, learned, train.Config{
			Objective: m.objective, Epochs: moonEpochs, BatchSize: 50, LearningRate: .05, WeightDecay: train.Off, WarmupEpochs: 5, Seed: seed,
		})
		if err != nil {
			return nil, fmt.Errorf("training the picture's net %s: %w", m.name, err)
		}
		plane, err := newPlane(ctx, clf, m.name, shown)
		if err != nil {
			return nil, fmt.Errorf("the picture's net %s: %w", m.name, err)
		}
		planes = append(planes, plane)
	}
	return planes, nil
}

const (
	moonPoints = 300 // to learn from, and as many others to show
	moonEpochs = 600
	methodStep = .03 // of RAT; the points lie in the unit square
	shownBalls = 10  // of right and of wrong predictions
)

// points is a data set of points in the unit square.
type points struct {
	xy    [][2]float32
	label []int
}

func (p points) Len() int             { return len(p.xy) }
func (p points) Shape() dataset.Shape { return dataset.Shape{Height: 1, Width: 1, Channels: 2} }
func (p points) Classes() []string    { return []string{"upper", "lower"} }
func (p points) Read(i int, dst []float32) (int, error) {
	if i < 0 || i >= len(p.xy) || len(dst) != 2 {
		return 0, fmt.Errorf("point %d of %d into %d values", i, len(p.xy), len(dst))
	}
	copy(dst, p.xy[i][:])
	return p.label[i], nil
}

// moons draws points of two interleaved half circles with so much noise that they overlap.
func moons(n int, seed, stream uint64) points {
	const noise, scale = .35, .22
	rng := rand.New(rand.NewPCG(seed, stream))
	var p points
	for i := range n {
		k, t := i%2, math.Pi*rng.Float64()
		x, y := math.Cos(t), math.Sin(t)
		if k == 1 {
			x, y = 1-x, .5-y
		}
		x, y = x+noise*rng.NormFloat64(), y+noise*rng.NormFloat64()
		at := [2]float32{float32(.5 + scale*(x-.5)), float32(.5 + scale*(y-.25))}
		at[0], at[1] = min(max(at[0], 0), 1), min(max(at[1], 0), 1)
		p.xy, p.label = append(p.xy, at), append(p.label, k)
	}
	return p
}

// newMoonNet returns a network of three hidden layers with its first weights.
func newMoonNet(be *backend.Backend, seed uint64) (*nets.Classifier, error) {
	forward := func(p *nets.Pass, x *graph.Node) *graph.Node {
		x = graph.Reshape(x, -1, 2)
		for i := range 3 {
			x = nets.ReLU(p.Linear(fmt.Sprintf("hidden%d", i+1), x, 48))
		}
		return p.Linear("output", x, 2)
	}
	arch, err := nets.NewArch("moons", nets.Input{Height: 1, Width: 1, Channels: 2}, 2, []float32{.5, .5}, []float32{.25, .25}, forward)
	if err != nil {
		return nil, err
	}
	return nets.NewClassifier(be, arch, arch.Init(seed))
}

// newPlane asks a network for its opinion of points and of the unit square.
func newPlane(ctx context.Context, clf *nets.Classifier, name string, shown points) (figures.Plane, error) {
	const side = 101
	plane := figures.Plane{Name: name, XMax: 1, YMax: 1, Columns: side, Rows: side}
	var grid []float32
	for i := range side * side {
		grid = append(grid, float32(i%side)/(side-1), float32(i/side)/(side-1))
	}
	program, err := clf.Compile("plane", func(net nets.Network, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net(in[0])}
	})
	if err != nil {
		return plane, err
	}
	defer program.Free()
	out, err := program.RunFloats(clf.Arch.Images(grid))
	if err != nil {
		return plane, err
	}
	for z := out[0]; len(z) > 0; z = z[2:] {
		class := 0
		if z[1] > z[0] {
			class = 1
		}
		plane.Class = append(plane.Class, class)
		plane.Margin = append(plane.Margin, math.Abs(float64(z[0])-float64(z[1])))
	}
	smallest, run, err := smallestRadii(ctx, clf, shown)
	if err != nil {
		return plane, err
	}
	balls := map[bool]int{}
	for i, r := range smallest {
		p := figures.PlanePoint{X: float64(shown.xy[i][0]), Y: float64(shown.xy[i][1]), Label: run.Label[i], Pred: run.Pred[i], Radius: r}
		right := p.Label == p.Pred
		p.Ball = balls[right] < shownBalls
		balls[right]++
		plane.Points = append(plane.Points, p)
	}
	return plane, nil
}

// smallestRadii returns the smallest radius of each point that any of several searches finds: each misses the nearest
// boundary of some. The predictions are in the run.
func smallestRadii(ctx context.Context, clf *nets.Classifier, shown points) ([]float64, *misd.Run, error) {
	searches := []confidence.Function{radius.BoundarySearch{}, radius.FAB{}, radius.FMN{Step: .2}, radius.DeepFool{}}
	smallest := slices.Repeat([]float64{radius.Cap}, shown.Len())
	add := func(searches ...confidence.Function) (*misd.Run, error) {
		run, err := confidence.Score(ctx, clf, shown, searches...)
		if err != nil {
			return nil, err
		}
		for _, s := range run.Scores {
			for i, r := range s.Values {
				smallest[i] = min(smallest[i], r)
			}
		}
		return run, nil
	}
	for seed := range uint64(4) { // one at a time: they have the same name
		attack := radius.Attack{Steps: 20, Step: .5, Random: true, Seed: seed}
		if _, err := add(radius.AttackSearch{Attack: attack}); err != nil {
			return nil, nil, err
		}
	}
	run, err := add(searches...)
	return smallest, run, err
}

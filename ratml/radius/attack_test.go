package radius

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// every returns a search of each kind.
func every() []searcher {
	random := PGD()
	random.Random, random.Seed = true, 5
	free := FGSM()
	free.Unclipped = true
	return []searcher{
		AttackSearch{}, AttackSearch{Attack: FGSML2()}, AttackSearch{Attack: PGD()}, AttackSearch{Attack: PGDL2()},
		AttackSearch{Targets: 1}, AttackSearch{Targets: 3}, AttackSearch{Attack: FGSML2(), Targets: 3},
		AttackSearch{Attack: PGD(), Targets: 2}, AttackSearch{Attack: random}, AttackSearch{Attack: free},
		DeepFool{}, DeepFool{Norm: L2}, FAB{}, FAB{Norm: L2}, FMN{}, FMN{Norm: L2},
		Exact{}, Exact{Norm: L2}, Full{}, Full{Norm: L2},
	}
}

// gentle returns a linear classifier of images [1, 1, 12] into five classes, and images near its boundaries, so that the
// nearest ones lie far within [0,1].
func gentle(tb testing.TB, be *backend.Backend) (c *nets.Classifier, W [][]float64, images []float32) {
	w, b := uniform(8, 60), make([]float64, 5)
	for k := range 5 {
		row := make([]float64, 12)
		for i := range row {
			row[i] = float64(w[k*12+i]) - 0.5
			b[k] -= row[i] / 2
		}
		W = append(W, row)
	}
	for _, v := range uniform(9, 24*12) {
		images = append(images, 0.5+0.2*(v-0.5))
	}
	return linear(tb, be, W, b), W, images
}

// linearRadius returns in float64 the distance from an image to the nearest boundary of a linear classifier.
func linearRadius(W [][]float64, image []float32, n Norm) (radius float64, pred int) {
	z := make([]float64, len(W))
	for k, row := range W {
		for i, v := range row {
			z[k] += v * (float64(image[i]) - 0.5)
		}
		if z[k] > z[pred] {
			pred = k
		}
	}
	radius = math.Inf(1)
	for k, row := range W {
		if k == pred {
			continue
		}
		l1, l2 := 0.0, 0.0
		for i, v := range row {
			d := W[pred][i] - v
			l1 += math.Abs(d)
			l2 += d * d
		}
		if n == L2 {
			l1 = math.Sqrt(l2)
		}
		radius = math.Min(radius, (z[pred]-z[k])/l1)
	}
	return radius, pred
}

// On a linear network every attack that aims at all boundaries finds the closed form, and none finds less.
func TestLinearAttacks(t *testing.T) {
	tests := []struct {
		s    searcher
		norm Norm
		rel  float64 // by how much a radius may exceed the closed form; +Inf where the attack need not find it
	}{
		{Exact{}, LInf, 5e-5}, {Exact{Norm: L2}, L2, 5e-5}, {Full{}, LInf, 5e-5}, {Full{Norm: L2}, L2, 5e-5},
		{DeepFool{}, LInf, 1e-3}, {DeepFool{Norm: L2}, L2, 1e-3}, {FAB{}, LInf, 1e-3}, {FAB{Norm: L2}, L2, 1e-3},
		{AttackSearch{Targets: 4}, LInf, 1e-3}, {AttackSearch{Attack: FGSML2(), Targets: 4}, L2, 1e-3},
		{AttackSearch{Attack: PGD(), Targets: 4}, LInf, 1e-3}, {AttackSearch{Attack: PGDL2(), Targets: 4}, L2, 1e-3},
		{FMN{}, LInf, math.Inf(1)}, {FMN{Norm: L2}, L2, math.Inf(1)}, // go for the runner-up
		{AttackSearch{}, LInf, math.Inf(1)}, {AttackSearch{Attack: FGSML2()}, L2, math.Inf(1)},
		{AttackSearch{Attack: PGD()}, LInf, math.Inf(1)}, {AttackSearch{Attack: PGDL2()}, L2, math.Inf(1)},
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, W, images := gentle(t, be)
		var ss []searcher
		for _, test := range tests {
			ss = append(ss, test.s)
		}
		for k, results := range attack(t, c, images, 10, ss...) {
			for i, r := range results {
				want, _ := linearRadius(W, images[i*12:(i+1)*12], tests[k].norm)
				if r.Unflipped || r.Radius < want*(1-1e-3) || r.Radius > want*(1+tests[k].rel) {
					t.Errorf("%s of image %d: %+v, want %.6g", tests[k].s.Name(), i, r, want)
				}
			}
		}
	})
}

// Whatever the attack, an image is found or said not to be, never at distance 0, and a bracket is as narrow as asked.
func TestAttacksOnCurvedNet(t *testing.T) {
	const n = 30
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := curved(t, be)
		ss := every()
		for k, results := range attack(t, c, uniform(4, n*4), 8, ss...) {
			found := 0
			for i, r := range results {
				far := LInf.cap(4)
				if strings.Contains(ss[k].Name(), "l2") {
					far = L2.cap(4)
				}
				if !(r.Radius > 0) || r.Radius > far || r.Lower > r.Upper || r.Evaluations == 0 || r.Unflipped != (r.Lower == far) {
					t.Errorf("%s of image %d: %+v", ss[k].Name(), i, r)
				}
				if !r.Unflipped {
					found++
				}
				if !r.Unflipped && r.Upper-r.Lower > 1.001e-3*r.Radius+2*smallestStep {
					t.Errorf("%s of image %d: bracket %+v is wide", ss[k].Name(), i, r)
				}
			}
			if found < n/3 {
				t.Errorf("%s finds %d of %d", ss[k].Name(), found, n)
			}
		}
	})
}

// Where a search has found a flip, the network says so: a walker's last word is a ray, whose ends are looked at here by
// a pass of its own.
func TestMinimumEnds(t *testing.T) {
	const n = 20
	c := curved(t, backendtest.Go(t))
	images := uniform(4, n*4)
	logits, _ := probe(t, c, images, BoundarySearch{})
	forward, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} })
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Free()
	for _, s := range []searcher{DeepFool{}, DeepFool{Norm: L2}, FAB{}, FAB{Norm: L2}, FMN{}, FMN{Norm: L2}} {
		search := newSearch(t, c, 8)
		results := make([]Result, n)
		starts := s.Starts(0, images, logits, 5, nil)
		walkers := make([]walker, n)
		for i := range starts {
			walkers[i] = starts[i].walk
			starts[i].Done = func(r Result) { results[i] = r }
		}
		add(t, search, starts)
		if err := search.Run(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		checked := 0
		for i, r := range results {
			if r.Unflipped {
				continue
			}
			checked++
			_, ray := walkers[i].end()
			var ends []float32
			for _, d := range []float64{r.Lower, r.Upper} {
				for j := range 4 {
					ends = append(ends, min(1, max(0, images[i*4+j]+float32(d)*ray.Direction[j])))
				}
			}
			out, err := forward.RunFloats(c.Arch.Images(ends))
			if err != nil {
				t.Fatal(err)
			}
			at, lo, hi := argmax(logits[i*5:i*5+5]), argmax(out[0][:5]), argmax(out[0][5:])
			if lo != at || hi == at {
				t.Errorf("%s of image %d: predictions %d, %d, %d at the image and the ends of %+v", s.Name(), i, at, lo, hi, r)
			}
		}
		if checked < n/2 {
			t.Errorf("%s: only %d of %d images found", s.Name(), checked, n)
		}
	}
}

// A classifier that always says the same has no other prediction to find.
func TestNotFound(t *testing.T) {
	c := linear(t, backendtest.Go(t), [][]float64{{0, 0, 0}, {0.1, 0, -0.1}, {0, 0, 0}}, []float64{5, 0, 0})
	images := []float32{0.2, 0.5, 0.7}
	ss := append(every(), FAB{Protocol: Official}, DeepFool{Protocol: Official, Steps: 3})
	for k := range ss {
		r := attack(t, c, images, 2, ss[k])[0][0]
		official := ss[k] == searcher(FAB{Protocol: Official}) // has radius 0, as the official code
		if !r.Unflipped || (r.Radius == 0) != official {
			t.Errorf("%s: %+v, want no flip", ss[k].Name(), r)
		}
	}
}

// Results depend neither on slots nor on other images.
func TestAttackSlots(t *testing.T) {
	const n = 12
	images := uniform(4, n*4)
	c := curved(t, backendtest.Go(t))
	want := attack(t, c, images, n, every()...)
	for k, got := range attack(t, c, images, 5, every()...) {
		if i, ok := different(got, want[k], false); ok {
			t.Errorf("%s of image %d: %+v with 5 slots, %+v with %d", every()[k].Name(), i, got[i], want[k][i], n)
		}
	}
}

// The attack of AttackSearch's zero value is that of BoundarySearch.
func TestAttackSearchIsBoundarySearch(t *testing.T) {
	const n = 20
	images := uniform(4, n*4)
	c := curved(t, backendtest.Go(t))
	for _, p := range []Protocol{Sound, Official} {
		got := attack(t, c, images, n, AttackSearch{Protocol: p})[0]
		if i, ok := different(got, search(t, c, images, n, BoundarySearch{Protocol: p})[0], false); ok {
			t.Errorf("%v, image %d: %+v", p, i, got[i])
		}
	}
}

// Unclipped images may leave [0,1]: along a ray into a wall the clipped prediction never flips.
func TestUnclipped(t *testing.T) {
	c := linear(t, backendtest.Go(t), [][]float64{{1, 0}, {0, 0}}, []float64{0.2, 0})
	images := []float32{0.3, 0.5}
	free := FGSM()
	free.Unclipped = true
	walk := PGD()
	walk.Unclipped = true
	results := attack(t, c, images, 2, AttackSearch{}, AttackSearch{Attack: free}, AttackSearch{Attack: PGD()}, AttackSearch{Attack: walk})
	for k, want := range []bool{true, false, true, false} {
		r := results[k][0]
		if r.Unflipped != want || !want && math.Abs(r.Radius-0.5) > 1e-3 {
			t.Errorf("search %d: %+v", k, r)
		}
	}
}

func TestAttackNames(t *testing.T) {
	var names []string
	for _, s := range every() {
		names = append(names, s.Name())
	}
	want := []string{
		"RR_fgsm", "RR_fgsml2", "RR_pgd", "RR_pgdl2", "RR_fgsm_targeted", "RR_fgsm_targeted3", "RR_fgsml2_targeted3",
		"RR_pgd_targeted2", "RR_pgd_random", "RR_fgsm_unclipped", "RR_deepfool", "RR_deepfooll2", "RR_fab", "RR_fabl2",
		"RR_fmn", "RR_fmnl2", "RR_exact", "RR_exactl2", "RR_full", "RR_fulll2",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}

// With one class there is nothing to find: an error for attacks that would look for it.
func TestOneClass(t *testing.T) {
	c := linear(t, backendtest.Go(t), [][]float64{{1, 2}}, []float64{0})
	images := []float32{0.5, 0.5}
	logits, built := probe(t, c, images, AttackSearch{Targets: 2})
	if r := attack(t, c, images, 1, AttackSearch{Targets: 2})[0][0]; !r.Unflipped {
		t.Errorf("%+v with one class", r)
	}
	search := newSearch(t, c, 1)
	for _, s := range []searcher{DeepFool{}, AttackSearch{Attack: PGD()}} {
		err := search.Add(s.Starts(3, images, logits, 1, built[0])[0])
		if err == nil || !strings.Contains(err.Error(), "image 3") || !strings.Contains(err.Error(), "two classes") {
			t.Errorf("%s: error %v", s.Name(), err)
		}
	}
}

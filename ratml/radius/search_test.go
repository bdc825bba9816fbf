package radius

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// curved returns a classifier of images [1, 1, 4] into five classes with two hidden layers, so that margins along rays
// have kinks and may have several roots.
func curved(tb testing.TB, be *backend.Backend) *nets.Classifier {
	tb.Helper()
	mean, std := []float32{0.5, 0.5, 0.5, 0.5}, []float32{0.1, 0.1, 0.1, 0.1}
	arch, err := nets.NewArch("curved", nets.Input{Height: 1, Width: 1, Channels: 4}, 5, mean, std,
		func(p *nets.Pass, x *graph.Node) *graph.Node {
			x = nets.ReLU(p.Linear("one", graph.Reshape(x, -1, 4), 16))
			x = nets.ReLU(p.Linear("two", x, 16))
			return p.Linear("three", x, 5)
		})
	if err != nil {
		tb.Fatal(err)
	}
	c, err := nets.NewClassifier(be, arch, arch.Init(3))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Neither the number of slots nor how images are dealt out to batches changes a result. (XLA may sum in another order
// for another batch size, so there, and only there, the last bits may differ.)
func TestSearchSlots(t *testing.T) {
	const n = 70
	images := uniform(4, n*4)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := curved(t, be)
		all, results := starts(t, c, images, BoundarySearch{}, BoundarySearch{Protocol: Official})
		var want [][]Result
		for _, slots := range []int{1, 3, 64} {
			for _, batch := range []int{2 * n, 1, 17} {
				for k := range results {
					clear(results[k])
				}
				s := newSearch(t, c, slots)
				for part := range slices.Chunk(fresh(all), batch) {
					add(t, s, part)
					if err := s.Run(context.Background(), false); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Run(context.Background(), true); err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = [][]Result{slices.Clone(results[0]), slices.Clone(results[1])}
				}
				for k := range results {
					if i, ok := different(results[k], want[k], be.Kind() != backend.KindGo); ok {
						t.Fatalf("%d slots, batches of %d, search %d, image %d: %+v, want %+v", slots, batch, k, i, results[k][i], want[k][i])
					}
				}
			}
		}
		checkBrackets(t, c, images, want[0], 1e-3)
		unflipped := 0
		for _, r := range want[0] {
			if r.Unflipped {
				unflipped++
			}
		}
		if unflipped > n/2 {
			t.Errorf("%d of %d images never flipped: the net tests too little", unflipped, n)
		}
	})
}

// fresh returns starts with their steppers as new.
func fresh(starts []Start) []Start {
	out := slices.Clone(starts)
	for i := range out {
		switch out[i].steps.(type) {
		case *doubling:
			out[i].steps = &doubling{}
		default:
			out[i].steps = nil
		}
	}
	return out
}

func different(got, want []Result, nearly bool) (int, bool) {
	for i, w := range want {
		g := got[i]
		if g != w && !(nearly && g.Unflipped == w.Unflipped && (g.Radius-w.Radius) <= 1e-3*w.Radius && (w.Radius-g.Radius) <= 1e-3*w.Radius) {
			return i, true
		}
	}
	return 0, false
}

// counted notes how many steppers take part in each run of the program.
type counted struct {
	stepper
	runs *[]int
	open *bool // distances are being asked for
}

func (c counted) next() float64 {
	if !*c.open {
		*c.runs, *c.open = append(*c.runs, 0), true
	}
	(*c.runs)[len(*c.runs)-1]++
	return c.stepper.next()
}

func (c counted) observe(margins []float64, flipped bool) bool {
	*c.open = false
	return c.stepper.observe(margins, flipped)
}

// The batch is full as long as images are waiting, and a run that may not drain stops before the batch is not.
func TestSearchKeepsBatchFull(t *testing.T) {
	const n, slots = 50, 8
	c := curved(t, backendtest.Go(t))
	all, results := starts(t, c, uniform(5, n*4), BoundarySearch{})
	var runs []int
	open := false
	for i := range all {
		all[i].steps = counted{all[i].steps, &runs, &open}
	}
	s := newSearch(t, c, slots)
	for part := range slices.Chunk(all, 20) {
		add(t, s, part)
		if err := s.Run(context.Background(), false); err != nil {
			t.Fatal(err)
		}
		if s.busy >= slots || len(s.waiting) > 0 {
			t.Fatalf("a run ended with %d of %d slots busy and %d images waiting", s.busy, slots, len(s.waiting))
		}
	}
	for i, busy := range runs {
		if busy != slots {
			t.Fatalf("run %d of %d before draining used %d slots of %d", i, len(runs), busy, slots)
		}
	}
	full := len(runs)
	if err := s.Run(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	evaluations, ran := 0, 0
	for _, r := range results[0] {
		evaluations += r.Evaluations
	}
	for _, busy := range runs {
		ran += busy
	}
	if ran != evaluations || s.busy != 0 {
		t.Errorf("%d evaluations ran, %d are reported; %d slots still busy", ran, evaluations, s.busy)
	}
	t.Logf("%d evaluations in %d runs, %d of them full", evaluations, len(runs), full)
	if full < evaluations/slots-slots {
		t.Errorf("only %d full runs for %d evaluations", full, evaluations)
	}
}

// A context that ends in the middle ends the run with its error; going on later finds the same.
func TestSearchCancel(t *testing.T) {
	const n = 12
	c := curved(t, backendtest.Go(t))
	images := uniform(6, n*4)
	want := search(t, c, images, 4, BoundarySearch{})[0]
	all, results := starts(t, c, images, BoundarySearch{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := 0
	for i := range all {
		keep := all[i].Done
		all[i].Done = func(r Result) {
			keep(r)
			if done++; done == 2 {
				cancel()
			}
		}
	}
	s := newSearch(t, c, 4)
	add(t, s, all)
	if err := s.Run(ctx, true); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	if done < 2 || done > 6 {
		t.Errorf("%d searches finished before the run ended, want about 2", done)
	}
	if err := s.Run(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	if i, ok := different(results[0], want, false); ok {
		t.Errorf("image %d: %+v after going on, want %+v", i, results[0][i], want[i])
	}
}

func TestSearchErrors(t *testing.T) {
	c := curved(t, backendtest.Go(t))
	if _, err := NewSearch(c, 0); err == nil || !strings.Contains(err.Error(), "batch size 0") {
		t.Errorf("no slots: error %v", err)
	}
	s := newSearch(t, c, 2)
	good := Start{Index: 7, Image: make([]float32, 4), Direction: make([]float32, 4), Logits: make([]float32, 5)}
	for name, spoil := range map[string]func(s *Start){
		"image":     func(s *Start) { s.Image = make([]float32, 5) },
		"direction": func(s *Start) { s.Direction = nil },
		"logits":    func(s *Start) { s.Logits = make([]float32, 4) },
	} {
		bad := good
		spoil(&bad)
		if err := s.Add(bad); err == nil || !strings.Contains(err.Error(), "image 7") || !strings.Contains(err.Error(), name) {
			t.Errorf("wrong size of %s: error %v", name, err)
		}
	}
	if err := s.Run(context.Background(), true); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
	if err := s.Add(good); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background(), true); err != nil {
		t.Errorf("without Done: %v", err)
	}
}

// Logits that overflow along the ray are an error that names the image.
func TestSearchOverflow(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := linear(t, be, [][]float64{{1, 0, 0}, {3e38, 3e38, 3e38}}, []float64{1, 0})
		s := newSearch(t, c, 2)
		add(t, s, []Start{{Index: 41, Image: []float32{0, 0, 0}, Direction: []float32{1, 1, 1}, Logits: []float32{1, 0}, Slope: -1}})
		err := s.Run(context.Background(), true)
		if err == nil || !strings.Contains(err.Error(), "radius: image 41") || !strings.Contains(err.Error(), "not finite") {
			t.Errorf("error %v, want one that names image 41", err)
		}
	})
}

// Starts made by hand search with the defaults of the sound protocol.
func TestStartDefaults(t *testing.T) {
	o := loadLinear(t)
	c := linear(t, backendtest.Go(t), o.W, o.B)
	images := []float32{0.8, 0.2, 0.6, 0.4}
	all, results := starts(t, c, images, BoundarySearch{}, BoundarySearch{})
	all[1].steps = nil
	s := newSearch(t, c, 2)
	add(t, s, all)
	if err := s.Run(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	if results[0][0] != results[1][0] || results[0][0].Radius == 0 {
		t.Errorf("%+v without a stepper, want %+v", results[1][0], results[0][0])
	}
}

// A tolerance is kept whatever it is.
func TestSearchTolerance(t *testing.T) {
	const n = 30
	c := curved(t, backendtest.Go(t))
	images := uniform(7, n*4)
	last := 0
	for _, tolerance := range []float64{0.1, 0.01, 1e-3, 1e-4} {
		results := search(t, c, images, n, BoundarySearch{Tolerance: tolerance})[0]
		checkBrackets(t, c, images, results, tolerance)
		sum := 0
		for _, r := range results {
			sum += r.Evaluations
		}
		t.Logf("tolerance %g: %.2f evaluations an image", tolerance, float64(sum)/n)
		if sum <= last {
			t.Errorf("tolerance %g takes %d evaluations, a larger one %d", tolerance, sum, last)
		}
		last = sum
	}
}

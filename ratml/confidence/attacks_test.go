package confidence

import (
	"context"
	"reflect"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Every attack is found by its name, survives a file, and gives a run its radii with brackets and costs.
func TestAttacks(t *testing.T) {
	var fs []Function
	for _, p := range []radius.Protocol{radius.Official, radius.Sound} {
		fs = nil
		for _, f := range radius.Attacks(p) {
			got, err := ByName(f.Name(), p)
			if err != nil || !reflect.DeepEqual(got, f) {
				t.Errorf("ByName(%q, %v) = %+v, %v, want %+v", f.Name(), p, got, err, f)
			}
			data, err := Encode(f)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = Decode(data); err != nil || !reflect.DeepEqual(got, f) {
				t.Errorf("%s in a file: %+v, %v", data, got, err)
			}
			fs = append(fs, f)
		}
	}
	forward := func(p *nets.Pass, x *graph.Node) *graph.Node {
		x = nets.ReLU(p.Linear("hidden", graph.Reshape(x, -1, 64), 8))
		return p.Linear("output", x, 4)
	}
	arch, err := nets.NewArch("tiny", nets.Input{Height: 8, Width: 8, Channels: 1}, 4, []float32{0.5}, []float32{0.25}, forward)
	if err != nil {
		t.Fatal(err)
	}
	c, err := nets.NewClassifier(backendtest.Go(t), arch, arch.Init(1))
	if err != nil {
		t.Fatal(err)
	}
	data, err := dataset.Open("synthetic", dataset.Config{Synthetic: dataset.SyntheticConfig{
		Shape: dataset.Shape{Height: 8, Width: 8, Channels: 1}, Classes: 4, TrainSize: 4, TestSize: 20,
	}})
	if err != nil {
		t.Fatal(err)
	}
	run, err := Scorer{BatchSize: 8}.Run(context.Background(), c, data.Test, fs...)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range run.Scores {
		for i, r := range s.Values {
			if !(r > 0) || s.Lower[i] > r || s.Upper[i] < r || s.Evaluations[i] == 0 || s.Cost < 4 {
				t.Errorf("%s of image %d: radius %g in [%g, %g], %d evaluations, cost %g", s.Name, i, r, s.Lower[i], s.Upper[i], s.Evaluations[i], s.Cost)
			}
		}
	}
}

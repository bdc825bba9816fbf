package nets

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// declare runs the forward function once on a graph that is never compiled, to learn parameters and their shapes from
// the one place where the network is described.
func (a *Arch) declare() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	be, err := gobackend.New("ops_sequential")
	if err != nil {
		return err
	}
	defer be.Finalize()
	g := graph.NewGraph(be, a.Name)
	defer g.Finalize()
	x := graph.Parameter(g, "images", shapes.Make(dtypes.Float32, 1, a.Input.Height, a.Input.Width, a.Input.Channels))
	p := a.pass(map[string]*graph.Node{}, Options{Mode: declare}, g)
	p.arch = a
	logits := a.forward(p, a.normalise(x))
	if d := logits.Shape().Dimensions; len(d) != 2 || d[1] != a.Classes {
		return fmt.Errorf("logits have shape %v, want [batch %d]", d, a.Classes)
	}
	if p.features != nil {
		a.FeatureSize = channels(p.features)
	}
	if a.ExtraOutputs > 0 {
		a.checkExtra(p.vars, x)
	}
	return nil
}

// recovered turns the value of a GoMLX panic into an error.
func recovered(r any) error {
	if err, ok := r.(error); ok {
		return err
	}
	return fmt.Errorf("%v", r)
}

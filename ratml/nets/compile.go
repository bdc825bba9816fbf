package nets

import (
	"time"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// long is how long a compilation takes before it says what it does.
var long = 5 * time.Second

// call runs the program, which it compiles for inputs of these shapes unless that is done.
func (p *Program) call(in []*tensors.Tensor) ([]*tensors.Tensor, error) {
	sizes, args := make([]shapes.Shape, len(in)), make([]any, len(in))
	for i, t := range in {
		sizes[i], args[i] = t.Shape(), t
	}
	if err := p.compile(sizes); err != nil {
		return nil, err
	}
	return p.exec.Call(args...)
}

// compile compiles for inputs of these sizes unless that is done, and says so on the backend's log where it takes long.
func (p *Program) compile(sizes []shapes.Shape) error {
	start, told := time.Now(), make(chan struct{})
	timer := time.AfterFunc(long, func() {
		defer close(told)
		p.c.Backend.Logf("nets: compiling %s of %s for %s, once for each size of its inputs", p.name, p.c.Arch.Name, p.c.Backend.Kind())
	})
	_, err := p.exec.Compile(sizes...)
	if !timer.Stop() {
		<-told
		if err == nil {
			p.c.Backend.Logf("nets: compiled %s of %s in %.0f s", p.name, p.c.Arch.Name, time.Since(start).Seconds())
		}
	}
	return err
}

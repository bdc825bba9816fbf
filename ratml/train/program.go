package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"

	"github.com/ratml/rat/ratml/backend"
)

// program is a step compiled for batches of one size on a number of devices. XLA divides the work by how the inputs
// are divided: everything that has an entry an image is split, the state is the same on all devices. A batch that does
// not divide is not split, but computed by every device as a whole.
type program struct {
	exec  *Exec
	n     int                       // devices
	whole *distributed.ShardingSpec // nil on one device
	split *distributed.ShardingSpec // nil where batches are not split
}

func newProgram(be *backend.Backend, s *step, batch int) (*program, error) {
	n := max(1, s.cfg.Devices)
	p, groups := &program{n: n}, 1
	if n > 1 {
		mesh, err := distributed.NewDeviceMesh([]int{n}, []string{"batch"})
		if err != nil {
			return nil, err
		}
		p.whole = distributed.NewReplicatedShardingSpec(mesh)
		if batch%n == 0 {
			if p.split, err = distributed.NewShardingSpec(mesh, distributed.AxisSpec{"batch"}); err != nil {
				return nil, err
			}
			if s.cfg.LocalBatchNorm {
				groups = n
			}
		}
	}
	var err error
	p.exec, err = NewExec(be.Backend, func(in []*Node) (out []*Node) {
		defer func() { rethrow(recover()) }()
		return s.build(s.split(in), groups)
	})
	if err != nil {
		return nil, err
	}
	p.exec.WithName("training step")
	return p, nil
}

// rethrow panics with an error whatever was recovered: GoMLX would wait for ever after any other panic.
func rethrow(recovered any) {
	switch r := recovered.(type) {
	case nil:
	case error:
		panic(r)
	default:
		panic(fmt.Errorf("%v", r))
	}
}

// spec tells how an input is divided; nil on one device.
func (p *program) spec(rank int) *distributed.ShardingSpec {
	if rank > 0 && p.split != nil {
		return p.split
	}
	return p.whole
}

// batchInputs makes the inputs of a step beside the state, by device. Free them after use.
func (p *program) batchInputs(be *backend.Backend, values []any) (list [][]*tensors.Tensor, err error) {
	list = make([][]*tensors.Tensor, p.n)
	for i, v := range values {
		t, ok := v.(*tensors.Tensor)
		if !ok {
			if t, err = tensors.FromAnyValue(v); err != nil {
				return list, fmt.Errorf("input %d: %w", i, err)
			}
		}
		shards := []*tensors.Tensor{t}
		if p.n > 1 {
			d, err := dtensor.ShardTensor(p.spec(t.Rank()), t)
			if err != nil {
				return list, fmt.Errorf("input %d: %w", i, err)
			}
			shards = d.Shards()
		}
		for d, s := range shards {
			list[d] = append(list[d], s)
			if err := s.MaterializeOnDevice(be.Backend, false, compute.DeviceNum(d)); err != nil {
				return list, fmt.Errorf("input %d: %w", i, err)
			}
		}
	}
	return list, nil
}

// call runs the program. It returns the outputs of each device.
func (p *program) call(in [][]*tensors.Tensor, st state) ([][]*tensors.Tensor, error) {
	if p.n > 1 && p.exec.NumDevices() != p.n {
		p.divide(in[0], len(st[0]))
	}
	var args []any
	for d := range p.n {
		for _, t := range slices.Concat(in[d], st[d]) {
			args = append(args, t)
		}
	}
	out, err := p.exec.Call(args...)
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(out, len(out)/p.n)), nil
}

// divide tells the compiler, before the first call, how inputs are divided.
func (p *program) divide(in []*tensors.Tensor, state int) {
	var specs []*distributed.ShardingSpec
	for _, t := range in {
		specs = append(specs, p.spec(t.Rank()))
	}
	specs = append(specs, slices.Repeat([]*distributed.ShardingSpec{p.whole}, state)...)
	p.exec.AutoSharding(p.whole.Mesh).WithInputShardingSpecs(specs...).WithOutputShardingSpecs(p.whole)
}

func (p *program) free() { p.exec.Finalize() }

func freeAll(lists [][]*tensors.Tensor) {
	for _, t := range slices.Concat(lists...) {
		t.FinalizeAll()
	}
}

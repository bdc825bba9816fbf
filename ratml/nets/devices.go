package nets

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
)

// spread runs a program on several devices: XLA divides the work by how the inputs are divided. Inputs with axes are
// split along the first, scalars and weights are the same everywhere, and outputs come whole.
type spread struct {
	whole, split *distributed.ShardingSpec
	n            int
	weights      int // inputs that are weights

	mu    sync.Mutex
	ranks []int // of the other inputs; nil before the first run
}

func newSpread(n, weights int) (*spread, error) {
	mesh, err := distributed.NewDeviceMesh([]int{n}, []string{"batch"})
	if err != nil {
		return nil, err
	}
	s := &spread{whole: distributed.NewReplicatedShardingSpec(mesh), n: n, weights: weights}
	s.split, err = distributed.NewShardingSpec(mesh, distributed.AxisSpec{"batch"})
	return s, err
}

// start tells exec how inputs of these ranks are divided, the first time.
func (s *spread) start(exec *graph.Exec, ranks []int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ranks != nil {
		if !slices.Equal(s.ranks, ranks) {
			return fmt.Errorf("inputs of ranks %v, but %v in the first run; on several devices they stay the same", ranks, s.ranks)
		}
		return nil
	}
	specs := slices.Repeat([]*distributed.ShardingSpec{s.whole}, s.weights)
	for _, r := range ranks {
		specs = append(specs, s.spec(r))
	}
	s.ranks = ranks
	exec.AutoSharding(s.whole.Mesh).WithInputShardingSpecs(specs...).WithOutputShardingSpecs(s.whole)
	return nil
}

func (s *spread) spec(rank int) *distributed.ShardingSpec {
	if rank == 0 {
		return s.whole
	}
	return s.split
}

// call runs p and returns the outputs of its first device.
func (s *spread) call(p *Program, weights [][]*tensors.Tensor, in []any) ([]*tensors.Tensor, error) {
	parts, err := s.divide(in)
	defer func() {
		for _, t := range slices.Concat(parts...) {
			t.FinalizeAll()
		}
	}()
	if err != nil {
		return nil, err
	}
	ranks := make([]int, len(in))
	for i := range in {
		ranks[i] = parts[i][0].Rank()
	}
	if err := s.start(p.exec, ranks); err != nil {
		return nil, err
	}
	var args []*tensors.Tensor
	for d := range s.n {
		args = append(args, weights[d]...)
		for i := range in {
			args = append(args, parts[i][d])
		}
	}
	out, err := p.call(args)
	if err != nil {
		return nil, err
	}
	each := len(out) / s.n
	for _, t := range out[each:] {
		t.FinalizeAll()
	}
	return out[:each], nil
}

// divide returns the parts of each input, by input and device.
func (s *spread) divide(in []any) ([][]*tensors.Tensor, error) {
	parts := make([][]*tensors.Tensor, 0, len(in))
	for i, v := range in {
		t, ok := v.(*tensors.Tensor)
		if !ok {
			var err error
			if t, err = tensors.FromAnyValue(v); err != nil {
				return parts, fmt.Errorf("input %d: %w", i, err)
			}
		}
		if t.Rank() > 0 && t.Shape().Dimensions[0]%s.n != 0 {
			return parts, fmt.Errorf("input %d of shape %v does not divide into %d devices; want a batch that is a multiple of %d",
				i, t.Shape().Dimensions, s.n, s.n)
		}
		d, err := dtensor.ShardTensor(s.spec(t.Rank()), t)
		if err != nil {
			return parts, err
		}
		parts = append(parts, d.Shards())
	}
	return parts, nil
}

package nets

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Features says that x [batch, FeatureSize] is what the last linear layer sees, for networks that do not build it by
// [Pass.Linear].
func (p *Pass) Features(x *Node) { p.features = x }

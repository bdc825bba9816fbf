package fastgo

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
)

// A loop computes a set of elementwise operations over arrays of one size in
// blocks that stay in the cache, whatever number of operations follow.
type loop struct {
	size, block int
	inputs      []loopInput
	instrs      []instr
	outputs     []loopOutput
	registers   int
	memory      []int // by register: its block of memory, or -1 if it lies in an array
	blocks      int
}

type loopInput struct {
	slot, register int
	read           pattern
	truth          bool
	once           bool // every block reads the same elements
}

type loopOutput struct {
	slot, register int
	truth          bool
}

type instr struct {
	apply        elementwise
	dst, a, b, c int // registers; -1 for none
}

// blockSize is the number of elements in a block: enough to hide the cost of a
// call, little enough for a few blocks to stay in the first-level cache.
const blockSize = 512

// newLoop compiles the nodes of a loop stage.
func newLoop(p *planner, nodes []*node, slot func(*node) int) *loop {
	l := &loop{size: nodes[0].shape.Size(), block: blockSize}
	register := map[*node]int{}
	type read struct {
		node *node
		at   string
	}
	inputs := map[read]int{}
	own := map[*node]bool{}
	for _, n := range nodes {
		own[n] = true
	}
	load := func(o operand) int {
		if own[o.node] && o.read == nil {
			return register[o.node]
		}
		key := read{o.node, o.read.String()}
		r, ok := inputs[key]
		if !ok {
			r = l.registers
			l.registers++
			inputs[key] = r
			l.inputs = append(l.inputs, loopInput{
				slot: slot(o.node), register: r, read: o.read, truth: o.node.shape.DType == dtypes.Bool,
			})
		}
		return r
	}
	for _, n := range nodes {
		in := instr{apply: p.loop[n.id].apply, dst: l.registers, a: -1, b: -1, c: -1}
		args := []*int{&in.a, &in.b, &in.c}
		for i, o := range p.loop[n.id].operands {
			*args[i] = load(o)
		}
		in.dst = l.registers
		l.registers++
		register[n] = in.dst
		l.instrs = append(l.instrs, in)
		if p.stored[n.id] {
			l.outputs = append(l.outputs, loopOutput{slot(n), in.dst, n.shape.DType == dtypes.Bool})
		}
	}
	l.align()
	l.allocate()
	return l
}

// align makes the block a multiple of short repeated vectors, which then fill
// their register once for all blocks.
func (l *loop) align() {
	for _, in := range l.inputs {
		if n := in.read.period(); n > 1 && n <= 2*blockSize && l.block%n != 0 {
			if m := l.block / gcd(l.block, n) * n; m <= 8*blockSize {
				l.block = m
			}
		}
	}
	for i := range l.inputs {
		n := l.inputs[i].read.period()
		l.inputs[i].once = n > 0 && l.block%n == 0
	}
}

// allocate finds the registers that need memory: those of inputs that are not
// read in place and of results that are not stored, which share it.
func (l *loop) allocate() {
	const none = -1
	l.memory = slices.Repeat([]int{none}, l.registers)
	block := func() int {
		l.blocks++
		return l.blocks - 1
	}
	for _, in := range l.inputs {
		if in.read != nil || in.truth {
			l.memory[in.register] = block()
		}
	}
	last := make([]int, l.registers)
	for i, in := range l.instrs {
		for _, r := range []int{in.a, in.b, in.c} {
			if r >= 0 {
				last[r] = i
			}
		}
	}
	kept := map[int]bool{} // written in place, or needed after the last instruction
	for _, o := range l.outputs {
		kept[o.register] = true
		if o.truth {
			l.memory[o.register] = block()
		}
	}
	temps := map[int]bool{}
	var free []int
	for i, in := range l.instrs {
		if !kept[in.dst] {
			temps[in.dst] = true
			if n := len(free); n > 0 {
				l.memory[in.dst], free = free[n-1], free[:n-1]
			} else {
				l.memory[in.dst] = block()
			}
		}
		for _, r := range []int{in.a, in.b, in.c} {
			if r >= 0 && temps[r] && last[r] == i {
				delete(temps, r)
				free = append(free, l.memory[r])
			}
		}
	}
}

func (l *loop) run(x *execution) error {
	return split(l.size, l.block, len(l.instrs), func(from, to int) {
		memory := scratch(l.blocks * l.block)
		defer recycle(memory)
		regs := make([][]float32, l.registers)
		for r, m := range l.memory {
			if m >= 0 {
				regs[r] = memory[m*l.block:][:l.block]
			}
		}
		for i := from; i < to; i += l.block {
			l.runBlock(x, regs, i, min(l.block, to-i), i == from)
		}
	})
}

// runBlock computes n elements from the first one on.
func (l *loop) runBlock(x *execution, regs [][]float32, first, n int, fill bool) {
	for _, in := range l.inputs {
		switch {
		case in.truth:
			readTruth(regs[in.register][:n], x.flat[in.slot].([]bool), in.read, first)
		case in.read == nil:
			regs[in.register] = x.floats(in.slot)[first : first+n]
		case !in.once:
			in.read.gather(regs[in.register][:n], x.floats(in.slot), first)
		case fill:
			in.read.gather(regs[in.register][:l.block], x.floats(in.slot), first)
		}
	}
	for _, o := range l.outputs {
		if !o.truth {
			regs[o.register] = x.floats(o.slot)[first : first+n]
		}
	}
	get := func(r int) []float32 {
		if r < 0 {
			return nil
		}
		return regs[r][:n]
	}
	for _, in := range l.instrs {
		in.apply(get(in.dst), get(in.a), get(in.b), get(in.c))
	}
	for _, o := range l.outputs {
		if o.truth {
			dst := x.flat[o.slot].([]bool)[first : first+n]
			for i, v := range regs[o.register][:n] {
				dst[i] = v != 0
			}
		}
	}
}

func readTruth(dst []float32, src []bool, read pattern, first int) {
	if read == nil {
		for i := range dst {
			dst[i] = truth(src[first+i])
		}
		return
	}
	read.walk(first, len(dst), func(i, j int) { dst[i] = truth(src[j]) })
}

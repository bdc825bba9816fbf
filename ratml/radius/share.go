package radius

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// NewProbeOf is [NewProbe] for a network that also tells its features.
func NewProbeOf(net *nets.Passes, images *Node) *Probe {
	p := NewProbe(net.Logits, images)
	p.features = net.Features
	return p
}

func newProbe(net nets.Network, images *Node, ledger *Ledger) *Probe {
	return &Probe{
		Net: net, Images: images, Logits: net(images), Ledger: ledger,
		memo: map[string]*Node{}, at: map[string]*Probe{},
	}
}

// Features returns what the last linear layer sees [batch, features]. It panics where the network does not tell.
func (p *Probe) Features() *Node {
	var f *Node
	if p.features != nil {
		f = p.features(p.Logits)
	}
	if f == nil {
		panic(fmt.Errorf("radius: the network does not tell its features"))
	}
	return f
}

// Gradient returns the gradient [batch, height, width, channels] of f of the logits, summed over the batch, with
// respect to the images. The key names it: what was asked for under the same key before is returned again.
func (p *Probe) Gradient(key string, f func(logits *Node) *Node) *Node {
	return p.once("gradient of "+key, func() *Node {
		return Gradient(ReduceAllSum(f(p.Logits)), p.Images)[0]
	})
}

// At returns the probe of other images, a function of this probe's that the key names. It costs a forward pass the
// first time.
func (p *Probe) At(key string, images func() *Node) *Probe {
	q := p.at[key]
	if q == nil {
		q = newProbe(p.Net, images(), p.Ledger)
		q.features = p.features
		p.at[key] = q
	}
	return q
}

// Ledger counts the passes through a network that a graph is made of, and for whom they were built first. The zero
// value is ready for use.
type Ledger struct {
	// For is who is building now.
	For string
	// Entries are in the order of building.
	Entries []Entry
}

// Entry is a number of passes built for one asker.
type Entry struct {
	For                string
	Forwards, Backward int
}

// Cost returns the sum in forward equivalents.
func (l *Ledger) Cost() float64 {
	sum := 0.0
	for _, e := range l.Entries {
		sum += e.Cost()
	}
	return sum
}

// Cost returns the passes in forward equivalents: a backward pass counts as two.
func (e Entry) Cost() float64 {
	return forwardCost*float64(e.Forwards) + gradientCost*float64(e.Backward)
}

// count returns the network with its passes noted in the ledger: the forward ones as they are built, the backward ones
// as they are differentiated.
func (l *Ledger) count(net nets.Network) nets.Network {
	return func(x *Node) *Node {
		l.entry().Forwards++
		x = IdentityWithCustomGradient(x, func(_, v *Node) *Node {
			l.entry().Backward++
			return v
		})
		return net(x)
	}
}

// entry returns the entry of who is building now.
func (l *Ledger) entry() *Entry {
	i := slices.IndexFunc(l.Entries, func(e Entry) bool { return e.For == l.For })
	if i < 0 {
		i = len(l.Entries)
		l.Entries = append(l.Entries, Entry{For: l.For})
	}
	return &l.Entries[i]
}

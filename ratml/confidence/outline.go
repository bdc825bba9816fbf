package confidence

import (
	"fmt"
	"strings"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Outline is what a run would do, in passes through the network.
type Outline struct {
	// Shared are the passes of the one program that every batch goes through, by the score that first asked for
	// them; the first is the forward pass that all share.
	Shared []radius.Entry
	// Repeated are the further forward passes of scores that average over several, by the score that first asked.
	Repeated []radius.Entry
	// Searches are the scores that search after that, with a number of forward passes that only the run tells.
	Searches []Function
	// Functions are all scores, those that others combine included; Functions[i].Cost() is the cost of one alone,
	// before searches.
	Functions []Function
}

// Plan returns what a run of the functions would do. It builds the graph of a batch, yet neither compiles nor computes
// anything.
func Plan(c *nets.Classifier, functions ...Function) (*Outline, error) {
	all := expand(functions)
	if err := runnable(c, all); err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	p := &plan{c: c, scores: all}
	if err := c.Arch.Trace(1, p.build); err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	o := &Outline{Shared: p.ledger.Entries, Functions: all}
	o.Shared[0].For = "all scores"
	seen := map[Repetition]bool{}
	for _, f := range all {
		if r, ok := f.(Repeated); ok && !seen[r.Repeat()] {
			seen[r.Repeat()] = true
			o.Repeated = append(o.Repeated, radius.Entry{For: describe(f), Forwards: r.Repeat().Passes()})
		}
		switch f.(type) {
		case Searcher, Gated:
			o.Searches = append(o.Searches, f)
		}
	}
	return o, nil
}

// Cost returns the forward equivalents of an image before searches.
func (o *Outline) Cost() float64 {
	sum := 0.0
	for _, e := range append(append([]radius.Entry{}, o.Shared...), o.Repeated...) {
		sum += e.Cost()
	}
	return sum
}

// Dearest returns the score that costs most alone, before searches.
func (o *Outline) Dearest() Function {
	var most Function
	for _, f := range o.Functions {
		if most == nil || f.Cost() > most.Cost() {
			most = f
		}
	}
	return most
}

// String returns a table: a line for each piece of work, then the sum, then the searches.
func (o *Outline) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-36s %8s %9s %7s\n", "pass, by who needs it first", "forward", "gradient", "cost")
	for _, e := range o.Shared {
		fmt.Fprintf(&b, "%-36s %8d %9d %7g\n", e.For, e.Forwards, e.Backward, e.Cost())
	}
	for _, e := range o.Repeated {
		fmt.Fprintf(&b, "%-36s %8d %9d %7g\n", e.For, e.Forwards, e.Backward, e.Cost())
	}
	fmt.Fprintf(&b, "%-36s %8s %9s %7g\n", fmt.Sprintf("%d scores, forward equivalents", len(o.Functions)), "", "", o.Cost())
	if d := o.Dearest(); d != nil {
		fmt.Fprintf(&b, "The dearest alone is %s: %g.\n", d.Name(), d.Cost())
	}
	for _, f := range o.Searches {
		if g, ok := f.(Gated); ok {
			fmt.Fprintf(&b, "Then %s, for some of the images: %g and a search each.\n", f.Name(), g.Search().Cost())
			continue
		}
		fmt.Fprintf(&b, "Then %s searches, with every batch full.\n", f.Name())
	}
	return b.String()
}

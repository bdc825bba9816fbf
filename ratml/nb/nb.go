// Package nb shows figures, tables, images, progress and live curves in a Jupyter notebook that runs on the GoNB kernel.
//
//	err := nb.Show(fig)                     // a *figures.Figure, or any other picture
//	err = nb.Table(rep)                     // a *report.Report, or nb.Rows
//	err = nb.Grid(tiles...)                 // small images with captions
//	bar := nb.NewProgress("scoring", n)     // bar.Func() is the callback that the library takes
//	curves := nb.NewCurves("training")      // drawn anew while the work goes on
//
// Outside a notebook the same program keeps working: figures, progress and curves are silent, tables and captions are
// printed as text. Every call that shows something waits until the kernel has taken it, so that nothing is lost when a
// cell ends, and comes after what the cell printed before.
package nb

import (
	"fmt"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Active tells whether the program runs in a cell of a GoNB notebook.
func Active() bool { return gonbui.IsNotebook }

// display sends one output of the cell and waits until the kernel has it: a cell may otherwise end before the kernel
// has read its pipe. What was printed before travels through another pipe and is given a moment to arrive first.
func display(d *protocol.DisplayData) error {
	time.Sleep(20 * time.Millisecond)
	return send(d)
}

// send is display where no print can be on its way that must come first: for outputs that replace others.
func send(d *protocol.DisplayData) error {
	gonbui.SendData(d)
	gonbui.Sync()
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("nb: sending to the notebook: %w", err)
	}
	return nil
}

// A place is an output of the cell that is replaced again and again. The zero value is ready for use.
type place struct{ id string }

func (p *place) show(d *protocol.DisplayData) error {
	put := send
	if p.id == "" {
		p.id, put = "ratml_"+gonbui.UniqueId(), display
	}
	d.DisplayID = p.id
	return put(d)
}

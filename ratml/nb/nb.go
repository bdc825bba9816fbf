// Package nb shows figures, tables and progress in a Jupyter notebook that runs on the GoNB kernel.
//
// Outside a notebook the same program keeps working: figures and progress are silent, tables are printed as text.
// Every call that shows something waits until the kernel has taken it, so that nothing is lost when a cell ends.
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
func display(data map[protocol.MIMEType]any, metadata map[string]any) error {
	time.Sleep(20 * time.Millisecond)
	gonbui.SendData(&protocol.DisplayData{Data: data, Metadata: metadata})
	gonbui.Sync()
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("nb: sending to the notebook: %w", err)
	}
	return nil
}

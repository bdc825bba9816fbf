package nb

import (
	"fmt"
	"io"
	"os"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Renderer is a table that can be read as text and as HTML, such as a *report.Report.
type Renderer interface {
	String() string
	HTML() string
}

// Table displays a table below the cell as text/html, with its text for front ends that show none. Outside a
// notebook it prints the text on stdout.
func Table(t Renderer) error {
	if !Active() {
		return printTable(os.Stdout, t)
	}
	return display(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
		protocol.MIMETextHTML:  t.HTML(),
		protocol.MIMETextPlain: t.String(),
	}})
}

func printTable(w io.Writer, t Renderer) error {
	if _, err := fmt.Fprintln(w, t.String()); err != nil {
		return fmt.Errorf("nb: printing a table: %w", err)
	}
	return nil
}

package figures

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Table holds the numbers that a figure shows.
type Table struct {
	Command string // how the figure was made, if known
	Header  []string
	Rows    [][]string
}

// add appends a row of strings, integers and numbers.
func (t *Table) add(values ...any) {
	row := make([]string, len(values))
	for i, v := range values {
		if x, ok := v.(float64); ok {
			row[i] = strconv.FormatFloat(x, 'g', -1, 64)
		} else {
			row[i] = fmt.Sprint(v)
		}
	}
	t.Rows = append(t.Rows, row)
}

// encode writes the table as CSV, the command as a comment in the first line.
func (t Table) encode(w io.Writer) error {
	if t.Command != "" {
		if _, err := fmt.Fprintf(w, "# %s\n", strings.Join(strings.Fields(t.Command), " ")); err != nil {
			return err
		}
	}
	c := csv.NewWriter(w)
	c.Write(t.Header) // csv.Writer keeps the first error
	return c.WriteAll(t.Rows)
}

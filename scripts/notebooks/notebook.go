package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// notebook is what is read of a notebook in nbformat 4.
type notebook struct {
	Cells    []cell `json:"cells"`
	Format   int    `json:"nbformat"`
	Minor    int    `json:"nbformat_minor"`
	Metadata struct {
		Kernel struct {
			Name string `json:"name"`
		} `json:"kernelspec"`
	} `json:"metadata"`
}

type cell struct {
	ID       string   `json:"id"`
	Kind     string   `json:"cell_type"`
	Source   joined   `json:"source"`
	Count    *int     `json:"execution_count"`
	Outputs  []output `json:"outputs"`
	Metadata struct {
		// Tolerance is the relative difference that numbers in the cell's tables may have, where they depend on more
		// than the notebook: a training, for example, on the backend's rounding. 0 is the default.
		Tolerance float64 `json:"tolerance"`
	} `json:"metadata"`
}

type output struct {
	Kind      string                     `json:"output_type"`
	Stream    string                     `json:"name"`
	Text      joined                     `json:"text"`
	Data      map[string]json.RawMessage `json:"data"`
	Name      string                     `json:"ename"`
	Value     string                     `json:"evalue"`
	Traceback []string                   `json:"traceback"`
}

// joined is a text that may be kept as a list of lines.
type joined string

func (t *joined) UnmarshalJSON(data []byte) error {
	var lines []string
	if json.Unmarshal(data, &lines) == nil {
		*t = joined(strings.Join(lines, ""))
		return nil
	}
	var whole string
	err := json.Unmarshal(data, &whole)
	*t = joined(whole)
	return err
}

// data returns what an output has of a MIME type; "" for nothing.
func (o output) data(mime string) string {
	var t joined
	if raw, ok := o.Data[mime]; !ok || json.Unmarshal(raw, &t) != nil {
		return ""
	}
	return string(t)
}

func readNotebook(path string) (*notebook, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var nb notebook
	if err := json.Unmarshal(data, &nb); err != nil {
		return nil, fmt.Errorf("%s is no notebook: %w", path, err)
	}
	if nb.Format != 4 || nb.Minor < 5 {
		return nil, fmt.Errorf("%s has the format %d.%d; want 4.5 or a later 4", path, nb.Format, nb.Minor)
	}
	return &nb, nil
}

// code returns the number of code cells.
func (nb *notebook) code() int {
	n := 0
	for _, c := range nb.Cells {
		if c.Kind == "code" {
			n++
		}
	}
	return n
}

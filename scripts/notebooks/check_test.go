package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// picture is an image/png output; an empty one has a single colour.
func picture(t *testing.T, empty bool) output {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 4, 4))
	if !empty {
		img.Set(1, 1, color.White)
	}
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, img))
	return display(t, "image/png", base64.StdEncoding.EncodeToString(buf.Bytes()))
}

func display(t *testing.T, mimeAndData ...string) output {
	t.Helper()
	o := output{Kind: "display_data", Data: map[string]json.RawMessage{}}
	for i := 0; i < len(mimeAndData); i += 2 {
		raw, err := json.Marshal(mimeAndData[i+1])
		require.NoError(t, err)
		o.Data[mimeAndData[i]] = raw
	}
	return o
}

func table(t *testing.T, text string) output {
	return display(t, "text/html", "<table></table>", "text/plain", text)
}

func executed(outputs ...output) cell {
	one := 1
	return cell{ID: "a", Kind: "code", Source: "%%\nwork()", Count: &one, Outputs: outputs}
}

func TestCheck(t *testing.T) {
	loose := executed(table(t, "plain 1.30"))
	loose.Metadata.Tolerance = .5
	for _, tc := range []struct {
		name        string
		before, now cell
		want        string // "" for nothing wrong
	}{
		{"same", executed(picture(t, false), table(t, "plain 1.00")), executed(picture(t, false), table(t, "plain 1.00")), ""},
		{"rounding", executed(table(t, "plain 1.000")), executed(table(t, "plain 1.001")), ""},
		{"rows change places", executed(table(t, "MSR 1.00\nHPS 1.01")), executed(table(t, "HPS 1.00\nMSR 1.01")), ""},
		{"another best", executed(table(t, "MSR 1.00*\nHPS 1.01 ")), executed(table(t, "MSR 1.01\nHPS 1.00*")), ""},
		{"tolerance", executed(table(t, "plain 1.00")), loose, ""},
		{"error", executed(), executed(output{Kind: "error", Name: "ERROR", Value: "exit status 2", Traceback: []string{"panic: no such file"}}), "panic: no such file"},
		{"silent command", executed(), executed(output{Kind: "stream", Stream: "stderr", Text: "exit status 1\n"}), "it failed"},
		{"unknown magic", executed(), executed(output{Kind: "stream", Stream: "stderr", Text: `"%x" unknown or not implemented yet`}), "it failed"},
		{"not executed", executed(), cell{ID: "a", Kind: "code"}, "not executed"},
		{"missing figure", executed(picture(t, false)), executed(), "0 figures where there were 1"},
		{"new figure", executed(), executed(picture(t, false)), "1 figures where there were 0"},
		{"empty figure", executed(picture(t, true)), executed(picture(t, true)), "figure 1 is empty"},
		{"damaged figure", executed(picture(t, false)), executed(display(t, "image/png", "AAAA")), "figure 1 is damaged"},
		{"missing table", executed(table(t, "plain 1")), executed(), "0 tables where there were 1"},
		{"number", executed(table(t, "plain 1.00")), executed(table(t, "plain 1.30")), "1.30 was 1.00"},
		{"count", executed(table(t, "500 images")), executed(table(t, "650 images")), "650 was 500"},
		{"word", executed(table(t, "plain 1.00")), executed(table(t, "plane 1.00")), `"plane 1.00" was "plain 1.00"`},
		{"missing row", executed(table(t, "a 1\nb 2")), executed(table(t, "a 1")), `"b 2" is missing`},
		{"new row", executed(table(t, "a 1")), executed(table(t, "a 1\nb 2")), `"b 2" is new`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := check(&notebook{Cells: []cell{tc.before}}, &notebook{Cells: []cell{tc.now}})
			if tc.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0].String(), tc.want)
			require.Contains(t, got[0].String(), "cell a")
		})
	}
}

func TestCheckNotesOtherCells(t *testing.T) {
	before, now := executed(), executed()
	now.ID = "b"
	require.Len(t, check(&notebook{Cells: []cell{before}}, &notebook{Cells: []cell{now}}), 1)
	require.Empty(t, check(nil, &notebook{Cells: []cell{now}}))
}

func TestReadNotebook(t *testing.T) {
	for name, content := range map[string]string{
		"is no notebook":     `{"cells": [`,
		"has the format 4.4": `{"cells": [], "nbformat": 4, "nbformat_minor": 4}`,
		"has the format 3.0": `{"worksheets": [], "nbformat": 3}`,
	} {
		path := filepath.Join(t.TempDir(), "n.ipynb")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
		_, err := readNotebook(path)
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, path)
	}
}

func TestSight(t *testing.T) {
	nb := &notebook{Cells: []cell{executed(picture(t, false), table(t, "a"), display(t, "text/html", `<progress value="3">`))}}
	good := sight{Done: true, Bar: []float64{1, 2, 3}, Figures: 1, Tables: 1}
	require.Empty(t, good.faults(nb))
	for want, change := range map[string]func(*sight){
		"could not":                  func(s *sight) { s.Failure = "the page could not be opened" },
		"not all cells have run":     func(s *sight) { s.Done = false },
		"a cell failed":              func(s *sight) { s.Errors = []string{"panic"} },
		"0 figures are seen":         func(s *sight) { s.Figures = 0 },
		"1 of them broken":           func(s *sight) { s.Broken = 1 },
		"0 tables are seen":          func(s *sight) { s.Tables = 0 },
		"the progress bar":           func(s *sight) { s.Bar = []float64{3} },
		"did not move: [1 2 1]":      func(s *sight) { s.Bar = []float64{1, 2, 1} },
		"the request of /x.js faile": func(s *sight) { s.Requests = []string{"/x.js"} },
	} {
		s := good
		change(&s)
		require.Len(t, s.faults(nb), 1, want)
		require.Contains(t, s.faults(nb)[0], want)
	}
}

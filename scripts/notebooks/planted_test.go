package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// planted writes a notebook of the usual first cell and one more, with the outputs that it is to have.
func planted(t *testing.T, source string, outputs ...any) string {
	t.Helper()
	first := firstCode(committed(t)["1_training.ipynb"])
	if outputs == nil {
		outputs = []any{}
	}
	code := func(id, source string, outputs []any) map[string]any {
		return map[string]any{"cell_type": "code", "id": id, "metadata": map[string]any{}, "source": source,
			"execution_count": 1, "outputs": outputs}
	}
	data, err := json.Marshal(map[string]any{
		"cells":    []any{code("setup", string(first.Source), []any{}), code("planted", source, outputs)},
		"nbformat": 4, "nbformat_minor": 5,
		"metadata": map[string]any{"kernelspec": map[string]any{"display_name": "Go (gonb)", "language": "go", "name": "gonb"}},
	})
	require.NoError(t, err)
	// The first cell looks for the module around the notebook.
	dir, err := os.MkdirTemp("../../notebooks", ".planted")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "planted.ipynb")
	require.NoError(t, os.WriteFile(path, data, 0o666))
	return path
}

// TestPlanted runs notebooks with something planted in them in the real kernel. It needs what `go run
// ./scripts/notebooks` installs, some 250 MB, and is therefore asked for by RATML_NOTEBOOKS=1, as .ci/run does.
func TestPlanted(t *testing.T) {
	if os.Getenv("RATML_NOTEBOOKS") == "" {
		t.Skip("set RATML_NOTEBOOKS=1 to run notebooks in the Go kernel")
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	tools, err := setUp(t.Context(), filepath.Join(cache, "ratml", "notebooks"), false, os.Stdout)
	require.NoError(t, err)
	root, err := filepath.Abs("../..")
	require.NoError(t, err)

	const shows = `import "github.com/ratml/rat/ratml/nb"

%%
rows := nb.Rows{Header: []string{"epoch", "loss"}}
rows.Add(1, 0.25)
nb.Check(nb.Table(&rows))`
	shown := func(text string) any {
		return map[string]any{"output_type": "display_data", "metadata": map[string]any{},
			"data": map[string]any{"text/html": "<table></table>", "text/plain": text}}
	}
	for _, tc := range []struct {
		name, source string
		before       []any
		want         string // of the error; "" for none
	}{
		{"nothing wrong", shows, []any{shown("epoch  loss\n1      0.25")}, ""},
		{"changed table", shows, []any{shown("epoch  loss\n1      0.75")}, "0.25 was 0.75"},
		{"missing figure", "%%\nfmt.Println(1)", []any{map[string]any{"output_type": "display_data",
			"metadata": map[string]any{}, "data": map[string]any{"image/png": "AAAA"}}}, "0 figures where there were 1"},
		{"panic", "%%\npanic(\"planted\")", nil, "panic: planted"},
		{"compile error", "%%\nundeclared()", nil, "undeclared"},
		{"command", "!false", nil, "exit status 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var told bytes.Buffer
			err := run(t.Context(), tools, root, runCommand{Notebooks: []string{planted(t, tc.source, tc.before...)}, Timeout: 120}, &told)
			if tc.want == "" {
				require.NoError(t, err, told.String())
				return
			}
			require.Error(t, err)
			require.Contains(t, told.String(), "FAIL")
			require.Contains(t, told.String(), tc.want)
		})
	}
}

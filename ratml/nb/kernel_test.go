//go:build unix

package nb

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"
	"github.com/stretchr/testify/require"
)

// The test binary runs once more as the program of a cell; the test itself plays the kernel at the other end of the
// two pipes.

const cellEnv = "RATML_NB_TEST_CELL"

func TestMain(m *testing.M) {
	if name := os.Getenv(cellEnv); name != "" {
		if err := cells[name](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type scaled struct{ Picture }

func (scaled) Inches() (float64, float64) { return 3.5, 2 }

type broken struct{}

func (broken) EncodePNG(io.Writer) error { return errors.New("out of ink") }

type table struct{}

func (table) String() string { return "score aurc" }
func (table) HTML() string   { return "<table></table>" }

func dot() Picture {
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	img.SetGray(1, 1, color.Gray{Y: 200})
	return Image(img)
}

var cells = map[string]func() error{
	"show":   func() error { return Show(dot(), scaled{dot()}) },
	"broken": func() error { return Show(dot(), broken{}) },
	"table":  func() error { return Table(table{}) },
	"progress": func() error {
		p := NewProgress("train <x>", 0)
		f := p.Func()
		for i := 1; i <= 1000; i++ {
			f(i, 1000, "loss < 1")
		}
		f(1001, 1000, "late")
		return nil
	},
	"unknown": func() error {
		p := NewProgress("fetch", 0)
		p.Set(3, "")
		return Table(table{})
	},
}

// runCell runs one cell and returns what it displayed, the sync requests left out.
func runCell(t *testing.T, name string) (shown []protocol.DisplayData, syncs int, out string, err error) {
	t.Helper()
	dir := t.TempDir()
	there, back := filepath.Join(dir, "pipe"), filepath.Join(dir, "back")
	require.NoError(t, syscall.Mkfifo(there, 0o600))
	require.NoError(t, syscall.Mkfifo(back, 0o600))

	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = append(os.Environ(), cellEnv+"="+name, protocol.GONB_PIPE_ENV+"="+there, protocol.GONB_PIPE_BACK_ENV+"="+back)
	require.NoError(t, cmd.Start())

	// Opened for reading and writing, a named pipe does not wait for the cell to open it.
	from, err := os.OpenFile(there, os.O_RDWR, 0)
	require.NoError(t, err)
	to, err := os.OpenFile(back, os.O_RDWR, 0)
	require.NoError(t, err)
	defer to.Close()

	done := make(chan struct{})
	go func() {
		defer close(done)
		decoder, encoder := gob.NewDecoder(from), gob.NewEncoder(to)
		for {
			var d protocol.DisplayData
			if decoder.Decode(&d) != nil {
				return
			}
			if v, ok := d.Data[protocol.MIMECommValue]; ok {
				syncs++
				ack := v.(protocol.CommValue)
				ack.Address = protocol.GonbuiSyncAckAddress
				encoder.Encode(&ack)
				continue
			}
			shown = append(shown, d)
		}
	}()
	err = cmd.Wait()
	from.Close()
	<-done
	return shown, syncs, output.String(), err
}

func TestShowInNotebook(t *testing.T) {
	shown, syncs, out, err := runCell(t, "show")
	require.NoError(t, err, out)
	require.Len(t, shown, 2)
	require.Equal(t, 2, syncs, "each figure must be waited for")
	for _, d := range shown {
		img, err := png.Decode(bytes.NewReader(d.Data[protocol.MIMEImagePNG].([]byte)))
		require.NoError(t, err)
		require.Equal(t, image.Rect(0, 0, 3, 2), img.Bounds())
		y, _, _, _ := img.At(1, 1).RGBA()
		require.EqualValues(t, 200, y>>8)
	}
	require.Empty(t, shown[0].Metadata)
	require.Equal(t, map[string]int{"width": 448, "height": 256}, shown[1].Metadata["image/png"])
}

func TestShowReportsBrokenPicture(t *testing.T) {
	shown, _, out, err := runCell(t, "broken")
	require.Error(t, err)
	require.Contains(t, out, "nb: picture 1: out of ink")
	require.Len(t, shown, 1)
}

func TestTableInNotebook(t *testing.T) {
	shown, syncs, out, err := runCell(t, "table")
	require.NoError(t, err, out)
	require.Equal(t, 1, syncs)
	require.Equal(t, []protocol.DisplayData{{Data: map[protocol.MIMEType]any{
		"text/html": "<table></table>", "text/plain": "score aurc"}}}, shown)
	require.Empty(t, out)
}

func TestProgressInNotebook(t *testing.T) {
	shown, syncs, out, err := runCell(t, "progress")
	require.NoError(t, err, out)
	require.Equal(t, 1, syncs)
	require.GreaterOrEqual(t, len(shown), 2)
	require.Less(t, len(shown), 20, "updates must be throttled")
	last := shown[len(shown)-1].Data[protocol.MIMETextHTML].(string)
	require.Contains(t, last, `value="1000" max="1000"`)
	require.Contains(t, last, "train &lt;x&gt;")
	require.Contains(t, last, "loss &lt; 1")
	for _, d := range shown {
		require.Equal(t, shown[0].DisplayID, d.DisplayID, "updated in place")
		require.True(t, strings.HasPrefix(d.DisplayID, "progress_"))
	}
}

func TestProgressUnknownTotal(t *testing.T) {
	shown, _, out, err := runCell(t, "unknown")
	require.NoError(t, err, out)
	require.Len(t, shown, 2)
	require.Contains(t, shown[0].Data[protocol.MIMETextHTML], "<progress style=")
	require.Contains(t, shown[0].Data[protocol.MIMETextHTML], "3 in ")
}

//go:build unix

package nb

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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

func dot() Picture { return Image(gray(3, 2)) }

func gray(width, height int) image.Image {
	img := image.NewGray(image.Rect(0, 0, width, height))
	img.SetGray(1, 1, color.Gray{Y: 200})
	return img
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
	"grid": func() error { return Grid(Tile{gray(3, 2), "a <b>\n\"c\""}, Tile{gray(28, 28), "plain"}) },
	"rows": func() error {
		r := Rows{Header: []string{"name", "loss"}}
		r.Add("<plain>", 0.123456)
		r.Add("RAT", 7)
		return Table(&r)
	},
	"curves": func() error {
		c := NewCurves("training")
		for i := 1; i <= 3000; i++ {
			if err := c.Add("loss/batch", float64(i), 1/float64(i)); err != nil {
				return err
			}
		}
		if err := errors.Join(c.Add("loss/moved", 1, math.NaN()), c.Add("accuracy", 3000, .75)); err != nil {
			return err
		}
		return errors.Join(c.Close(), c.Close())
	},
	"paced": func() error {
		c := NewCurves("training")
		for start := time.Now(); time.Since(start) < 4*leastPause; time.Sleep(leastPause / 50) {
			if err := c.Add("loss", time.Since(start).Seconds(), 1); err != nil {
				return err
			}
		}
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
	require.Equal(t, len(shown), syncs, "each state must be waited for")
	require.GreaterOrEqual(t, len(shown), 2)
	require.Less(t, len(shown), 20, "updates must be throttled")
	last := shown[len(shown)-1].Data[protocol.MIMETextHTML].(string)
	require.Contains(t, last, `value="1000" max="1000"`)
	require.Contains(t, last, "train &lt;x&gt;")
	require.Contains(t, last, "loss &lt; 1")
	require.Regexp(t, `^train <x>: 1000/1000 in .*, loss < 1$`, shown[len(shown)-1].Data[protocol.MIMETextPlain])
	for _, d := range shown {
		require.Equal(t, shown[0].DisplayID, d.DisplayID, "updated in place")
		require.True(t, strings.HasPrefix(d.DisplayID, "ratml_"))
	}
}

func TestProgressUnknownTotal(t *testing.T) {
	shown, _, out, err := runCell(t, "unknown")
	require.NoError(t, err, out)
	require.Len(t, shown, 2)
	require.Contains(t, shown[0].Data[protocol.MIMETextHTML], "<progress style=")
	require.Contains(t, shown[0].Data[protocol.MIMETextHTML], "3 in ")
}

func TestGridInNotebook(t *testing.T) {
	shown, syncs, out, err := runCell(t, "grid")
	require.NoError(t, err, out)
	require.Equal(t, 1, syncs)
	require.Len(t, shown, 1)
	require.Equal(t, "image 1: a <b> \"c\"\nimage 2: plain", shown[0].Data[protocol.MIMETextPlain])
	page := shown[0].Data[protocol.MIMETextHTML].(string)
	require.Contains(t, page, `a &lt;b&gt;<br>&#34;c&#34;</td>`)
	require.NotContains(t, page, "<b>")
	require.Contains(t, page, `width="84" height="56"`)
	for i, size := range []image.Point{{3, 2}, {28, 28}} {
		data := strings.Split(strings.Split(page, "base64,")[i+1], `"`)[0]
		img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
		require.NoError(t, err)
		require.Equal(t, size, img.Bounds().Size())
	}
}

func TestRowsInNotebook(t *testing.T) {
	shown, _, out, err := runCell(t, "rows")
	require.NoError(t, err, out)
	require.Equal(t, "name     loss\n<plain>  0.1235\nRAT      7", shown[0].Data[protocol.MIMETextPlain])
	require.Equal(t, "<table>\n<tr><th>name</th><th>loss</th></tr>\n<tr><td>&lt;plain&gt;</td><td>0.1235</td></tr>\n"+
		"<tr><td>RAT</td><td>7</td></tr>\n</table>", shown[0].Data[protocol.MIMETextHTML])
}

func TestCurvesInNotebook(t *testing.T) {
	shown, syncs, out, err := runCell(t, "curves")
	require.NoError(t, err, out)
	require.Equal(t, len(shown), syncs, "each drawing must be waited for")
	require.Len(t, shown, 2, "the first point at once, all others with Close, which has nothing to do the second time")
	require.Equal(t, shown[0].DisplayID, shown[1].DisplayID, "redrawn in place")
	require.NotEmpty(t, shown[0].DisplayID)
	require.Equal(t, "training\nloss/batch 1 at 1", shown[0].Data[protocol.MIMETextPlain])
	require.Equal(t, "training\nloss/batch 0.0003334 at 2999.5\naccuracy 0.75 at 3000", shown[1].Data[protocol.MIMETextPlain])
	for i, width := range []int{422, 845} { // a panel more
		img, err := png.Decode(bytes.NewReader(shown[i].Data[protocol.MIMEImagePNG].([]byte)))
		require.NoError(t, err)
		require.Equal(t, map[string]int{"width": width, "height": 294}, shown[i].Metadata["image/png"])
		require.InDelta(t, 2*width, img.Bounds().Dx(), 2)
		require.True(t, painted(img, colors[0]), "the curve is not to be seen")
	}
}

func painted(img image.Image, c color.NRGBA) bool {
	b := img.Bounds()
	n := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.NRGBAModel.Convert(img.At(x, y)) == c {
				n++
			}
		}
	}
	return n > 50
}

func TestCurvesAreDrawnMeanwhile(t *testing.T) {
	shown, _, out, err := runCell(t, "paced")
	require.NoError(t, err, out)
	require.GreaterOrEqual(t, len(shown), 2)
	require.Less(t, len(shown), 7, "drawings must be throttled")
}

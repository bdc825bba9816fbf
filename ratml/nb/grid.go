package nb

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/png"
	"io"
	"os"
	"strings"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Tile is a small image with a caption of one line or several.
type Tile struct {
	Image   image.Image
	Caption string
}

const (
	tileSide    = 84 // CSS pixels of the longer side of a tile
	tilesPerRow = 8
)

// Grid displays images below the cell, eight side by side, enlarged or shrunk to thumbnails of one size, each with its
// caption, which may contain anything. Front ends that show no HTML get the captions. Outside a notebook it prints the
// captions on stdout. It returns an error if there are no images or one is empty.
func Grid(tiles ...Tile) error {
	page, err := gridHTML(tiles)
	if err != nil {
		return err
	}
	if !Active() {
		return printCaptions(os.Stdout, tiles)
	}
	return display(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
		protocol.MIMETextHTML:  page,
		protocol.MIMETextPlain: captions(tiles),
	}})
}

// gridHTML makes a table, which stays a grid where a page takes its styles away.
func gridHTML(tiles []Tile) (string, error) {
	if len(tiles) == 0 {
		return "", fmt.Errorf("nb: no images for a grid")
	}
	var b strings.Builder
	b.WriteString(`<table style="border:none">`)
	for i, t := range tiles {
		if i%tilesPerRow == 0 {
			b.WriteString("\n<tr>")
		}
		if t.Image == nil || t.Image.Bounds().Empty() {
			return "", fmt.Errorf("nb: tile %d has no image", i)
		}
		var data bytes.Buffer
		if err := png.Encode(&data, t.Image); err != nil {
			return "", fmt.Errorf("nb: tile %d: %w", i, err)
		}
		w, h := thumbnail(t.Image.Bounds().Size())
		text := html.EscapeString(t.Caption)
		fmt.Fprintf(&b, `<td style="text-align:center;vertical-align:top">`+
			`<img src="data:image/png;base64,%s" width="%d" height="%d" alt="%s" style="image-rendering:pixelated"><br>%s</td>`,
			base64.StdEncoding.EncodeToString(data.Bytes()), w, h,
			strings.ReplaceAll(text, "\n", " "), strings.ReplaceAll(text, "\n", "<br>"))
		if i%tilesPerRow == tilesPerRow-1 || i == len(tiles)-1 {
			b.WriteString("</tr>")
		}
	}
	b.WriteString("\n</table>")
	return b.String(), nil
}

// thumbnail returns the size at which an image is shown.
func thumbnail(size image.Point) (w, h int) {
	longer := max(size.X, size.Y)
	return max(size.X*tileSide/longer, 1), max(size.Y*tileSide/longer, 1)
}

func captions(tiles []Tile) string {
	lines := make([]string, len(tiles))
	for i, t := range tiles {
		lines[i] = fmt.Sprintf("image %d: %s", i+1, strings.Join(strings.Fields(t.Caption), " "))
	}
	return strings.Join(lines, "\n")
}

func printCaptions(w io.Writer, tiles []Tile) error {
	if _, err := fmt.Fprintln(w, captions(tiles)); err != nil {
		return fmt.Errorf("nb: printing captions: %w", err)
	}
	return nil
}

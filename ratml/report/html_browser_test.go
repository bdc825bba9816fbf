package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/report"
)

// chromium returns the browser that the environment variable RATML_CHROMIUM names. Without it pages are not looked at.
func chromium(t *testing.T) string {
	t.Helper()
	path := os.Getenv("RATML_CHROMIUM")
	if path == "" {
		t.Skip("RATML_CHROMIUM does not name a Chromium to look at pages with")
	}
	return path
}

// browse runs the browser without a window and returns what it printed.
func browse(t *testing.T, dark bool, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	scheme := "preferredColorScheme=1"
	if dark {
		scheme = "preferredColorScheme=0"
	}
	args = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
		"--user-data-dir=" + t.TempDir(), "--blink-settings=" + scheme}, args...)
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, chromium(t), args...)
	cmd.Stderr = &stderr
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return string(out)
}

// drawn makes a page with real figures and a name everywhere.
func drawn(t *testing.T, name string) *report.Page {
	t.Helper()
	p := fullPage(t, name)
	reports := []*report.Report{p.Leaderboard.(*report.Report)}
	p.Figures = p.Figures[2:]
	for name, draw := range map[string]func([]*report.Report, figures.Options) (*figures.Figure, error){
		"Risk and coverage.": figures.RiskCoverage, "Radius.": figures.RadiusHistogram,
	} {
		f, err := draw(reports, figures.Options{})
		require.NoError(t, err)
		f.Transparent = true
		var light, dark bytes.Buffer
		require.NoError(t, f.EncodeSVG(&light))
		f.Theme = figures.Dark
		require.NoError(t, f.EncodeSVG(&dark))
		p.Figures = append(p.Figures, report.Drawing{Name: name, Light: light.Bytes(), Dark: dark.Bytes()})
	}
	return p
}

// look is a page that shows another in frames of a telephone's and a desk's width, and notes what it sees there.
const look = `<!DOCTYPE html><title>look</title><pre id="seen"></pre>
<iframe src="/page" width="390" height="844"></iframe><iframe src="/page" width="1280" height="900"></iframe>
<script>
onload = () => {
  const seen = [];
  for (const frame of document.querySelectorAll("iframe")) {
    const doc = frame.contentDocument, wide = frame.contentWindow.innerWidth;
    const names = () => [...doc.querySelectorAll("#leaderboard tbody th")].map(e => e.textContent);
    const shown = selector => [...doc.querySelectorAll(selector)].filter(e => e.getClientRects().length).length;
    const column = text => [...doc.querySelectorAll("#leaderboard thead th")].find(e => e.textContent === text);
    const note = {
      Width: wide, Scroll: doc.documentElement.scrollWidth,
      Beyond: [...doc.body.querySelectorAll("*")].filter(e => !e.closest(".scroll *") && e.getClientRects().length && e.getBoundingClientRect().right > wide + .5).map(e => e.tagName + "." + e.className),
      Light: shown(".themed .light svg"), Dark: shown(".themed .dark svg"),
      Ground: frame.contentWindow.getComputedStyle(doc.body).backgroundColor,
      Broken: [...doc.images].filter(e => !e.complete || e.naturalWidth === 0).length,
      Hacked: frame.contentWindow.hacked || window.hacked || "", Orders: {}, Captions: {},
      Overlaps: 0,
    };
    for (const svg of doc.querySelectorAll("svg")) {
      const boxes = [...svg.querySelectorAll("text")].map(e => e.getBoundingClientRect()).filter(b => b.width > 0);
      const samples = [...svg.querySelectorAll("path")].map(e => e.getBoundingClientRect()).filter(b => b.width > 10 && b.width < 40 && b.height < 40);
      for (const b of boxes) {
        for (const o of samples) if (Math.min(b.right, o.right) - Math.max(b.left, o.left) > -2 && Math.min(b.bottom, o.bottom) - Math.max(b.top, o.top) > 0) note.Overlaps++;
        const s = svg.getBoundingClientRect();
        if (b.right > s.right + 1 || b.left < s.left - 1) note.Overlaps++;
        for (const o of boxes) if (o !== b && Math.min(b.right, o.right) - Math.max(b.left, o.left) > 1.5 && Math.min(b.bottom, o.bottom) - Math.max(b.top, o.top) > .4 * Math.min(b.height, o.height)) note.Overlaps++;
      }
    }
    note.Orders.start = names();
    for (const [key, text] of [["best", "AUROC %"], ["worst", "AUROC %"], ["cost", "cost"], ["name", "score"]]) {
      column(text).querySelector("button").click();
      note.Orders[key] = names();
      note.Captions[key] = doc.querySelector("#leaderboard caption").textContent + ", " + column(text).getAttribute("aria-sort");
    }
    seen.push(note);
  }
  document.getElementById("seen").textContent = JSON.stringify(seen);
};
</script>`

// seen is what look notes of a frame.
type seen struct {
	Width, Scroll       int
	Beyond              []string
	Light, Dark, Broken int
	Ground, Hacked      string
	Overlaps            int // of words in figures with each other, the samples of the legend or the edge
	Orders              map[string][]string
	Captions            map[string]string
}

// In a browser the page fits a telephone and a desk, follows light and dark, sorts, runs nothing that it should not and
// asks for nothing.
func TestPageInBrowser(t *testing.T) {
	chromium(t)
	p := drawn(t, strings.Join(hostile, " "))
	page := written(t, p)
	page = strings.ReplaceAll(page, "alert(1)", "window.hacked=1") // where it is shown, and would run if it were not
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/":
			fmt.Fprint(w, look)
		case "/page":
			fmt.Fprint(w, page)
		case "/favicon.ico": // browsers ask for it by themselves
			w.WriteHeader(http.StatusNotFound)
		default:
			asked = append(asked, r.URL.String())
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	rank := func(metric string) (best []string) {
		for _, row := range p.Leaderboard.(*report.Report).Ranked(metric) {
			best = append(best, row.Score)
		}
		return best
	}
	for _, dark := range []bool{false, true} {
		dom := browse(t, dark, "--virtual-time-budget=20000", "--dump-dom", server.URL+"/")
		_, rest, ok := strings.Cut(dom, `<pre id="seen">`)
		require.True(t, ok, "%.500s", dom)
		text, _, _ := strings.Cut(rest, "</pre>")
		var frames []seen
		require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(text)), &frames), text)
		require.Len(t, frames, 2)
		for i, f := range frames {
			require.Equal(t, []int{390, 1280}[i], f.Width)
			require.LessOrEqual(t, f.Scroll, f.Width, "the page is wider than the screen")
			require.Empty(t, f.Beyond)
			require.Empty(t, f.Hacked)
			require.Zero(t, f.Broken)
			require.Zero(t, f.Overlaps, "words in figures overlap or are cut")
			if dark {
				require.Equal(t, []any{"rgb(13, 17, 23)", 0, 2}, []any{f.Ground, f.Light, f.Dark})
			} else {
				require.Equal(t, []any{"rgb(255, 255, 255)", 2, 0}, []any{f.Ground, f.Light, f.Dark})
			}
			require.Equal(t, rank("aurc"), f.Orders["start"])
			require.Equal(t, rank("auroc")[0], f.Orders["best"][0])
			require.Equal(t, rank("auroc")[0], f.Orders["worst"][len(f.Orders["worst"])-1])
			require.Equal(t, "RR_fgsm", f.Orders["cost"][len(f.Orders["cost"])-1])
			require.Equal(t, "DOCTOR", f.Orders["name"][0])
			require.Equal(t, "Scores, sorted by AUROC %, descending", f.Captions["best"])
			require.Equal(t, "Scores, sorted by AUROC %, ascending", f.Captions["worst"])
		}
	}
	require.Empty(t, asked)
}

// Screenshots are kept with go test -artifacts; here it is looked at whether there is anything on them.
func TestPageScreenshots(t *testing.T) {
	chromium(t)
	dir := t.ArtifactDir()
	path := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, drawn(t, "tabby cat").Save(path))
	for name, size := range map[string]image.Point{"phone": {390, 3000}, "desk": {1280, 2000}} {
		for _, dark := range []bool{false, true} {
			shot := filepath.Join(dir, fmt.Sprintf("%s_%s.png", name, map[bool]string{false: "light", true: "dark"}[dark]))
			browse(t, dark, fmt.Sprintf("--window-size=%d,%d", size.X, size.Y), "--screenshot="+shot, "file://"+path)
			f, err := os.Open(shot)
			require.NoError(t, err)
			img, err := png.Decode(f)
			f.Close()
			require.NoError(t, err)
			require.GreaterOrEqual(t, img.Bounds().Dx(), size.X)
			r, _, _, _ := img.At(2, 2).RGBA()
			require.Equal(t, dark, r>>8 < 128, "the ground of %s", shot)
			colours := map[[3]uint32]bool{}
			for y := 0; y < img.Bounds().Dy(); y += 3 {
				for x := 0; x < img.Bounds().Dx(); x += 3 {
					r, g, b, _ := img.At(x, y).RGBA()
					colours[[3]uint32{r, g, b}] = true
				}
			}
			require.Greater(t, len(colours), 100, "%s is empty", shot)
		}
	}
}

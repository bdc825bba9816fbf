package figures_test

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// withIntervals gives metrics intervals that do not depend on how resamples are drawn.
func withIntervals(reports []*report.Report) []*report.Report {
	for _, rep := range reports {
		for i := range rep.Rows {
			for name, e := range rep.Rows[i].Metrics {
				e.Lower, e.Upper = .9*e.Value, 1.15*e.Value
				rep.Rows[i].Metrics[name] = e
			}
		}
	}
	return reports
}

// moons is a made-up plane of two classes that a sine separates.
func moons(name string, bend float64) figures.Plane {
	p := figures.Plane{Name: name, XMin: -2, YMin: -1.5, XMax: 2, YMax: 1.5, Columns: 81, Rows: 61}
	margin := func(x, y float64) float64 { return y - bend*math.Sin(2*x) }
	for r := range p.Rows {
		for c := range p.Columns {
			m := margin(p.XMin+4*float64(c)/80, p.YMin+3*float64(r)/60)
			class := 0
			if m > 0 {
				class = 1
			}
			p.Class, p.Margin = append(p.Class, class), append(p.Margin, math.Abs(m))
		}
	}
	for i := range 60 {
		x, y := -1.8+.06*float64(i), .9*math.Cos(float64(7*i))
		q := figures.PlanePoint{X: x, Y: y, Radius: math.Abs(margin(x, y)) / (1 + 2*bend), Ball: i%6 == 5}
		if m := margin(x, y); m > 0 {
			q.Pred = 1
		}
		q.Label = q.Pred
		if i%11 == 5 {
			q.Label = 1 - q.Pred
		}
		p.Points = append(p.Points, q)
	}
	return p
}

func planes() []figures.Plane { return []figures.Plane{moons("plain", .9), moons("RAT 0.1", .5)} }

func rays() []figures.Ray {
	ray := func(name string, right bool, radius float64) figures.Ray {
		r := figures.Ray{Name: name, Right: right, Radius: radius, Lower: .98 * radius, Upper: 1.02 * radius, Fast: 1.15 * radius}
		for i := range 41 {
			d := 2 * radius * float64(i) / 40
			r.Distance, r.Margin = append(r.Distance, d), append(r.Margin, 3*(1-d/radius)+.4*math.Sin(3*d/radius*math.Pi))
		}
		return r
	}
	far := ray("image 9, class 7", true, .4)
	far.Unflipped, far.Lower, far.Upper = true, math.NaN(), math.NaN()
	for i := range far.Margin {
		far.Margin[i] = 8 - 2*far.Distance[i]
	}
	return []figures.Ray{ray("image 3, class 5", true, .08), ray("image 4, class 3 for 8", false, .004), far}
}

func tiles(t testing.TB) []figures.ImageRow {
	var rows []figures.ImageRow
	for k, title := range []string{"Worst confident mistakes", "Least confident right predictions"} {
		row := figures.ImageRow{Title: title}
		for i := range 7 {
			values := make([]float32, 28*28)
			for p := range values {
				values[p] = float32(math.Abs(math.Sin(float64(p*(i+1+7*k)) / 60)))
			}
			img, err := figures.Picture(values, 28, 28, 1)
			require.NoError(t, err)
			tile := figures.Tile{Image: img, Index: 100*k + i, Label: fmt.Sprint(i), Pred: fmt.Sprint((i + 1 - k) % 10), Confidence: .99 - .1*float64(i), Radius: .012 * float64(i+1)}
			if i == 3 {
				tile.Label, tile.Pred = "a class with a very long name", "another class of such a length"
			}
			row.Tiles = append(row.Tiles, tile)
		}
		rows = append(rows, row)
	}
	return rows
}

// corruptions are reports at three severities of two corruptions: part of the predictions are swapped.
func corruptions(t testing.TB) []figures.Corrupted {
	clean := withIntervals(officialReports(t, -1))[1]
	out := []figures.Corrupted{{Report: clean}}
	for k, name := range []string{"gaussian_noise", "fog"} {
		for severity := 1; severity <= 3; severity++ {
			run := *clean.Run
			run.Label = append([]int(nil), run.Label...)
			for i := range run.Label {
				if i%(12-3*severity+k) == 0 {
					run.Label[i] = (run.Pred[i] + 1) % run.Classes
				}
			}
			rep, err := report.Evaluate(&run, report.Options{Resamples: -1})
			require.NoError(t, err)
			out = append(out, figures.Corrupted{Corruption: name, Severity: severity, Report: withIntervals([]*report.Report{rep})[0]})
		}
	}
	return out
}

type gallery map[string]func(figures.Options) (*figures.Figure, error)

// newFigures are all figures of this file.
func newFigures(t testing.TB) gallery {
	two := withIntervals(officialReports(t, -1))
	scores := func(o figures.Options) figures.Options { o.Scores = []string{"RR_fast", "MLS"}; return o }
	return gallery{
		"generalizedrisk": func(o figures.Options) (*figures.Figure, error) { return figures.GeneralizedRisk(two, scores(o)) },
		"radiusdensity":   func(o figures.Options) (*figures.Figure, error) { return figures.RadiusDensity(two, o) },
		"confidences": func(o figures.Options) (*figures.Figure, error) {
			o.Scores = []string{"MLS"}
			return figures.ConfidenceHistogram(two, o)
		},
		"roc": func(o figures.Options) (*figures.Figure, error) { return figures.ROC(two, scores(o)) },
		"roc_success": func(o figures.Options) (*figures.Figure, error) {
			o.Positive = misd.PositiveSuccess
			return figures.ROC(two[1:], scores(o))
		},
		"precisionrecall": func(o figures.Options) (*figures.Figure, error) { return figures.PrecisionRecall(two, scores(o)) },
		"corruption": func(o figures.Options) (*figures.Figure, error) {
			return figures.CorruptionRisk(corruptions(t), scores(o))
		},
		"rays":   func(o figures.Options) (*figures.Figure, error) { return figures.Rays(rays(), o) },
		"images": func(o figures.Options) (*figures.Figure, error) { return figures.Images(tiles(t), o) },
		"method": func(o figures.Options) (*figures.Figure, error) { return figures.Method(planes(), o) },
	}
}

func TestGoldenGallery(t *testing.T) {
	for name, draw := range newFigures(t) {
		t.Run(name, func(t *testing.T) {
			fig, err := draw(figures.Options{})
			require.NoError(t, err)
			likeGolden(t, name, fig)
		})
	}
	t.Run("dark", func(t *testing.T) {
		fig, err := newFigures(t)["generalizedrisk"](figures.Options{})
		require.NoError(t, err)
		fig.Theme = figures.Dark
		likeGolden(t, "generalizedrisk_dark", fig)
	})
}

// TestThemes checks the ground of light, dark and transparent figures at a corner, where nothing is drawn.
func TestThemes(t *testing.T) {
	fig, err := figures.Rays(rays(), figures.Options{})
	require.NoError(t, err)
	corner := func() color.NRGBA {
		var b bytes.Buffer
		require.NoError(t, fig.EncodePNG(&b))
		img, err := png.Decode(&b)
		require.NoError(t, err)
		return color.NRGBAModel.Convert(img.At(1, 1)).(color.NRGBA)
	}
	require.Equal(t, color.NRGBA{255, 255, 255, 255}, corner())
	fig.Theme = figures.Dark
	require.Less(t, int(corner().R), 40)
	fig.Transparent = true
	require.Zero(t, corner().A)
}

// TestGalleryIsNotCutOff looks for ink at the edges, in each format.
func TestGalleryIsNotCutOff(t *testing.T) {
	for name, draw := range newFigures(t) {
		for _, size := range []figures.Size{figures.Column, figures.Page, figures.Slide} {
			fig, err := draw(figures.Options{Size: size})
			require.NoError(t, err)
			nothingAtTheEdge(t, name, fig)
		}
	}
}

// column returns the numbers of a column of the data in the rows that keep keeps.
func column(t *testing.T, fig *figures.Figure, name string, keep map[string]string) []float64 {
	t.Helper()
	var out []float64
rows:
	for _, row := range fig.Data.Rows {
		for i, h := range fig.Data.Header {
			if want, ok := keep[h]; ok && row[i] != want {
				continue rows
			}
		}
		for i, h := range fig.Data.Header {
			if h == name {
				v, err := strconv.ParseFloat(row[i], 64)
				require.NoError(t, err)
				out = append(out, v)
			}
		}
	}
	require.NotEmpty(t, out, "%s of %v", name, keep)
	return out
}

// TestAreasAreTheMetrics integrates curves as they are stored.
func TestAreasAreTheMetrics(t *testing.T) {
	one := officialReports(t, -1)[1:]
	curve, err := misd.NewCurve(one[0].Run.Score("RR_fast").Values, one[0].Run.Correct())
	require.NoError(t, err)
	only := map[string]string{"score": "RR_fast"}
	area := func(fig *figures.Figure, err error, x, y string) float64 {
		require.NoError(t, err)
		sum, xs, ys := 0., column(t, fig, x, only), column(t, fig, y, only)
		for i := 1; i < len(xs); i++ {
			sum += (xs[i] - xs[i-1]) * (ys[i] + ys[i-1]) / 2
		}
		return sum
	}
	opts := figures.Options{Scores: []string{"RR_fast"}}
	for _, opts.Positive = range []misd.Positive{misd.PositiveError, misd.PositiveSuccess} {
		fig, err := figures.ROC(one, opts)
		require.InDelta(t, curve.AUROC(), area(fig, err, "fpr", "tpr"), 1e-3)
		require.Contains(t, column(t, fig, "tpr", only), 1.)
		fig, err = figures.PrecisionRecall(one, opts)
		require.InDelta(t, curve.AveragePrecision(opts.Positive), area(fig, err, "recall", "precision"), 1e-9)
	}
	fig, err := figures.GeneralizedRisk(one, opts)
	require.InDelta(t, curve.AUGRC(), area(fig, err, "coverage", "generalized_risk"), 2e-3)
}

// The dots of a ROC curve are at the metric fpr95.
func TestFPR95IsMarked(t *testing.T) {
	one := officialReports(t, -1)[1:]
	for positive, metric := range map[misd.Positive]string{misd.PositiveError: "fpr95_error", misd.PositiveSuccess: "fpr95_success"} {
		fig, err := figures.ROC(one, figures.Options{Scores: []string{"RR_fast"}, Positive: positive})
		require.NoError(t, err)
		x, y := column(t, fig, "fpr", nil), column(t, fig, "tpr", nil)
		for i := range y {
			if y[i] >= .95 {
				require.InDelta(t, one[0].Row("RR_fast").Metrics[metric].Value, x[i], 1e-12)
				break
			}
		}
	}
}

// Of a long curve points are left out, but not the one that is marked.
func TestThinnedROC(t *testing.T) {
	run := &misd.Run{Model: "big", Classes: 2, Scores: []misd.Score{{Name: "MSR"}}}
	for i := range 20000 {
		run.Label, run.Pred = append(run.Label, 0), append(run.Pred, i%2)
		run.Scores[0].Values = append(run.Scores[0].Values, math.Mod(float64(i)*.618034, 1)-.3*float64(i%2))
	}
	rep, err := report.Evaluate(run, report.Options{Resamples: -1})
	require.NoError(t, err)
	fig, err := figures.ROC([]*report.Report{rep}, figures.Options{})
	require.NoError(t, err)
	require.Less(t, len(fig.Data.Rows), 2500)
	y := column(t, fig, "tpr", nil)
	at, _ := slices.BinarySearch(y, .95)
	require.InDelta(t, rep.Row("MSR").Metrics["fpr95_error"].Value, column(t, fig, "fpr", nil)[at], 1e-12)
}

// The same figure has the same bytes in every format, also at another time.
func TestSameBytes(t *testing.T) {
	for name, draw := range newFigures(t) {
		for _, format := range []string{"png", "svg", "pdf"} {
			if format == "png" && name != "method" { // all are drawn alike
				continue
			}
			var first []byte
			for range 2 {
				fig, err := draw(figures.Options{})
				require.NoError(t, err)
				var b bytes.Buffer
				encode := map[string]func(io.Writer) error{"png": fig.EncodePNG, "svg": fig.EncodeSVG, "pdf": fig.EncodePDF}[format]
				require.NoError(t, encode(&b))
				if first == nil {
					first = b.Bytes()
				}
				require.True(t, bytes.Equal(first, b.Bytes()), "%s as %s", name, format)
			}
			switch format {
			case "pdf":
				require.Equal(t, 2, bytes.Count(first, []byte("Date (D:20000101000000")), name)
			case "svg":
				require.NotContains(t, string(first), "image/jpg")
			}
		}
	}
}

// Runs without a single error, or without a right prediction, are drawn all the same.
func TestDegenerateGallery(t *testing.T) {
	for name, pred := range map[string]int{"all right": 0, "all wrong": 1} {
		run := &misd.Run{Model: name, Classes: 2}
		scores := []misd.Score{{Name: "RR_fgsm"}, {Name: "MSR"}}
		for range 30 {
			run.Label, run.Pred = append(run.Label, 0), append(run.Pred, pred)
			scores[0].Values = append(scores[0].Values, 0)
			scores[1].Values = append(scores[1].Values, 1)
		}
		run.Scores = scores
		rep, err := report.Evaluate(run, report.Options{Resamples: -1})
		require.NoError(t, err)
		for figure, draw := range map[string]draw{
			"generalized risk": figures.GeneralizedRisk, "density": figures.RadiusDensity, "ROC": figures.ROC,
			"precision-recall": figures.PrecisionRecall, "confidence": figures.ConfidenceHistogram,
			"corruption": func(r []*report.Report, o figures.Options) (*figures.Figure, error) {
				return figures.CorruptionRisk([]figures.Corrupted{{Report: r[0], Corruption: "fog", Severity: 3}}, o)
			},
		} {
			fig, err := draw([]*report.Report{rep}, figures.Options{})
			require.NoError(t, err, "%s, %s", name, figure)
			require.NoError(t, fig.Save(filepath.Join(t.TempDir(), "f.png")), "%s, %s", name, figure)
		}
	}
}

// TestCorruptionValues checks that what is drawn is the metric.
func TestCorruptionValues(t *testing.T) {
	all := corruptions(t)
	fig, err := figures.CorruptionRisk(all, figures.Options{Scores: []string{"MLS"}, Metric: "aurc"})
	require.NoError(t, err)
	for _, c := range all[1:] {
		want := c.Report.Row("MLS").Metrics["aurc"].Value
		got := column(t, fig, "aurc", map[string]string{"score": "MLS", "corruption": c.Corruption, "severity": fmt.Sprint(c.Severity)})
		require.InDelta(t, want, got[0], 1e-9)
	}
}

func TestExtremes(t *testing.T) {
	run := &misd.Run{Dataset: "d", Model: "m", Classes: 2, Label: []int{0, 0, 1, 1, 0}, Pred: []int{0, 1, 1, 0, 0}, Scores: []misd.Score{{Name: "MSR", Values: []float64{.9, .6, .5, .8, .7}}}}
	wrong, err := figures.ConfidentMistakes(run, "MSR", 9)
	require.NoError(t, err)
	require.Equal(t, []int{3, 1}, wrong)
	right, err := figures.DoubtfulSuccesses(run, "MSR", 2)
	require.NoError(t, err)
	require.Equal(t, []int{2, 4}, right)
	_, err = figures.ConfidentMistakes(run, "MLS", 2)
	require.ErrorContains(t, err, "no score MLS")
}

func TestGalleryErrors(t *testing.T) {
	short, unsorted, flat := rays()[0], rays()[0], planes()[0]
	short.Margin = short.Margin[:3]
	unsorted.Distance = append([]float64{1}, unsorted.Distance[1:]...)
	flat.Class = flat.Class[1:]
	twice := append(corruptions(t), corruptions(t)[1])
	for name, err := range map[string]error{
		"no rays":        second(figures.Rays(nil, figures.Options{})),
		"short ray":      second(figures.Rays([]figures.Ray{short}, figures.Options{})),
		"unsorted ray":   second(figures.Rays([]figures.Ray{unsorted}, figures.Options{})),
		"no images":      second(figures.Images(nil, figures.Options{})),
		"empty image":    second(figures.Images([]figures.ImageRow{{Tiles: []figures.Tile{{}}}}, figures.Options{})),
		"no planes":      second(figures.Method(nil, figures.Options{})),
		"plane":          second(figures.Method([]figures.Plane{flat}, figures.Options{})),
		"only clean":     second(figures.CorruptionRisk(corruptions(t)[:1], figures.Options{})),
		"severity twice": second(figures.CorruptionRisk(twice, figures.Options{})),
		"no score":       second(figures.ROC(officialReports(t, -1), figures.Options{Scores: []string{"none"}})),
		"empty":          second(figures.ConfidenceHistogram([]*report.Report{{}}, figures.Options{})),
	} {
		require.ErrorContains(t, err, "figures: ", name)
	}
	_, err := figures.Picture(make([]float32, 5), 2, 2, 1)
	require.Error(t, err)
}

func second(_ *figures.Figure, err error) error { return err }

func ExampleRays() {
	save(figures.Rays(rays(), figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [image right distance margin radius lower upper unflipped rr_fast]
}

func ExampleMethod() {
	save(figures.Method(planes(), figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [model what x y label prediction radius margin]
}

func ExampleROC() {
	save(figures.ROC([]*report.Report{simulated("plain", 1)}, figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score fpr tpr]
}

func ExampleGeneralizedRisk() {
	save(figures.GeneralizedRisk([]*report.Report{simulated("plain", 1)}, figures.Options{Band: true}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score coverage generalized_risk low high]
}

func ExampleRadiusDensity() {
	plain, rat := simulated("plain", 1), simulated("RAT", 2)
	save(figures.RadiusDensity([]*report.Report{plain, rat}, figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score prediction radius density]
}

func ExamplePrecisionRecall() {
	save(figures.PrecisionRecall([]*report.Report{simulated("plain", 1)}, figures.Options{Positive: misd.PositiveSuccess}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score recall precision]
}

func ExampleConfidenceHistogram() {
	save(figures.ConfidenceHistogram([]*report.Report{simulated("plain", 1)}, figures.Options{Scores: []string{"MSR"}}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score prediction confidence_low confidence_high images]
}

func ExampleCorruptionRisk() {
	save(figures.CorruptionRisk([]figures.Corrupted{
		{Report: simulated("plain", 1)}, // clean images
		{Corruption: "fog", Severity: 1, Report: simulated("plain", 2)},
		{Corruption: "fog", Severity: 2, Report: simulated("plain", 3)},
	}, figures.Options{Metric: "aurc"}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model corruption severity score aurc low high]
}

func ExampleImages() {
	white, err := figures.Picture([]float32{1, 1, 1, 1}, 2, 2, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	tile := figures.Tile{Image: white, Label: "snow", Pred: "salt", Confidence: .98, Radius: .012}
	save(figures.Images([]figures.ImageRow{{Title: "Mistakes", Tiles: []figures.Tile{tile}}}, figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [group index label prediction confidence radius]
}

// A figure is drawn for dark pages after it was made, without a ground if wanted.
func ExampleFigure_dark() {
	fig, err := figures.RadiusDensity([]*report.Report{simulated("plain", 1)}, figures.Options{Size: figures.Slide})
	if err != nil {
		fmt.Println(err)
		return
	}
	fig.Theme, fig.Transparent = figures.Dark, true
	save(fig, nil)
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score prediction radius density]
}

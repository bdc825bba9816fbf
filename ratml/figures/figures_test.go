package figures_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nb"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/cmpimg"
)

var update = flag.Bool("update", false, "write the golden images anew")

var _ nb.Scaled = (*figures.Figure)(nil) // what notebooks show

type draw func([]*report.Report, figures.Options) (*figures.Figure, error)

var all = map[string]draw{
	"riskcoverage": figures.RiskCoverage, "radiushistogram": figures.RadiusHistogram, "reliability": figures.Reliability,
	"agreement": figures.RadiusAgreement, "bars": figures.AURCBars, "cost": cost,
}

// cost draws a made-up curve beside the scores.
func cost(reports []*report.Report, opts figures.Options) (*figures.Figure, error) {
	trade := figures.Trade{Name: "Cascade", Cost: []float64{1, 2, 3, 5, 7}, Quality: []float64{.103, .1, .0985, .098, .099}}
	return figures.CostQuality(reports, []figures.Trade{trade}, opts)
}

func TestCostQuality(t *testing.T) {
	reports := officialReports(t, -1)[1:]
	// Whether low or high is good: MLS is as cheap as MSR and worse; RR_fast is dearer than RR_exp and worse.
	for _, metric := range []string{"aurc", "auroc"} {
		fig, err := cost(reports, figures.Options{Metric: metric, Scores: []string{"MSR", "MLS", "RR_exp", "RR_fast"}})
		require.NoError(t, err)
		var best []string
		for _, row := range fig.Data.Rows {
			if row[5] == "true" {
				best = append(best, row[2])
			}
		}
		require.Equal(t, []string{"MSR", "RR_exp"}, best, metric)
	}
	for _, bad := range []figures.Options{{Metric: "aurk"}, {Metric: "nll"}, {Scores: []string{"none"}}} {
		_, err := figures.CostQuality(reports, nil, bad)
		require.Error(t, err)
	}
	_, err := figures.CostQuality(reports, []figures.Trade{{Name: "c", Cost: []float64{1}}}, figures.Options{})
	require.ErrorContains(t, err, `"c"`)
}

func TestGoldenImages(t *testing.T) {
	two := officialReports(t, -1)
	for _, rep := range two {
		for i := range rep.Rows { // intervals that do not depend on how resamples are drawn
			for name, e := range rep.Rows[i].Metrics {
				e.Lower, e.Upper = .9*e.Value, 1.15*e.Value
				rep.Rows[i].Metrics[name] = e
			}
		}
	}
	one := two[1:]
	for _, c := range []struct {
		name    string
		draw    draw
		reports []*report.Report
		opts    figures.Options
	}{
		{"riskcoverage", figures.RiskCoverage, one, figures.Options{}},
		{"riskcoverage_two", figures.RiskCoverage, two, figures.Options{Scores: []string{"RR_fast", "MLS"}}},
		{"riskcoverage_band", figures.RiskCoverage, two, figures.Options{Scores: []string{"RR_fast", "MLS"}, Band: true}},
		{"radiushistogram", figures.RadiusHistogram, one, figures.Options{}},
		{"radiushistogram_two", figures.RadiusHistogram, two, figures.Options{}},
		{"reliability_two", figures.Reliability, two, figures.Options{}},
		{"agreement", figures.RadiusAgreement, one, figures.Options{}},
		{"bars_two", figures.AURCBars, two, figures.Options{}},
		{"cost_two", cost, two, figures.Options{}},
		{"bars_auroc", figures.AURCBars, one, figures.Options{Metric: "auroc", Scores: []string{"RR_fgsm", "MSR", "MLS"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fig, err := c.draw(c.reports, c.opts)
			require.NoError(t, err)
			likeGolden(t, c.name, fig)
		})
	}
}

// likeGolden compares a figure with the picture in testdata.
func likeGolden(t *testing.T, name string, fig *figures.Figure) {
	t.Helper()
	var got bytes.Buffer
	require.NoError(t, fig.EncodePNG(&got))
	path := filepath.Join("testdata", name+"_golden.png")
	if *update {
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	same, err := cmpimg.EqualApprox("png", got.Bytes(), want, .1)
	require.NoError(t, err)
	if !same {
		t.Errorf("the picture differs from %s; go test ./ratml/figures -update writes it anew, look at it then", path)
	}
}

// nothingAtTheEdge fails where something is drawn at the edge of the picture: what reaches it is cut off. It returns the
// bounds.
func nothingAtTheEdge(t *testing.T, name string, fig *figures.Figure) image.Rectangle {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, fig.EncodePNG(&b))
	img, err := png.Decode(&b)
	require.NoError(t, err)
	r := img.Bounds()
	for x := range r.Dx() {
		for y := range r.Dy() {
			edge := x < 3 || y < 3 || x >= r.Dx()-3 || y >= r.Dy()-3
			if edge && color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y < 250 {
				t.Fatalf("%s, %v wide: something is drawn at (%d,%d) of %v", name, fig.Width, x, y, r)
			}
		}
	}
	return r
}

func TestNothingIsCutOff(t *testing.T) {
	two := officialReports(t, -1)
	long := *two[1].Run
	long.Model = "a classifier with a long name"
	two[1].Run = &long
	for name, draw := range all {
		for _, size := range []figures.Size{figures.Column, figures.Page, figures.Slide} {
			fig, err := draw(two, figures.Options{Size: size})
			require.NoError(t, err)
			r := nothingAtTheEdge(t, name, fig)
			require.InDelta(t, float64(fig.Width.Points())/72*float64(size.DPI), float64(r.Dx()), 1)
			require.GreaterOrEqual(t, size.DPI, 200)
		}
	}
}

func TestSave(t *testing.T) {
	rep := officialReports(t, -1)[1:]
	fig, err := figures.RadiusHistogram(rep, figures.Options{Command: "go run ./scripts/figures\n--seed 1"})
	require.NoError(t, err)
	dir := t.TempDir()
	for ext, magic := range map[string]string{".png": "\x89PNG", ".svg": "<?xml", ".pdf": "%PDF-"} {
		path := filepath.Join(dir, "radii"+ext)
		require.NoError(t, fig.Save(path))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(data, []byte(magic)), "%s starts with %q", ext, data[:8])
		if ext == ".svg" {
			require.Contains(t, string(data), "font-family:Liberation Sans,Arial,Helvetica,sans-serif")
			require.Contains(t, string(data), ">RR-BS radius (pixel units)</text>")
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "radii.csv"))
	require.NoError(t, err)
	comment, table, _ := strings.Cut(string(text), "\n")
	require.Equal(t, "# go run ./scripts/figures --seed 1", comment)
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, fig.Data.Header, rows[0])
	require.Equal(t, fig.Data.Rows, rows[1:])
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 4)

	require.ErrorContains(t, fig.Save("radii.jpg"), `writing radii.jpg: the ending ".jpg" is none of .png, .svg, .pdf`)
	require.ErrorContains(t, fig.Save(filepath.Join(dir, "no", "radii.png")), "create it first")
}

// number returns the sum of a column of the figure's data over the rows that keep accepts.
func sum(t *testing.T, fig *figures.Figure, column string, keep func(row map[string]string) bool) float64 {
	t.Helper()
	total := 0.
	for _, r := range fig.Data.Rows {
		row := map[string]string{}
		for j, name := range fig.Data.Header {
			row[name] = r[j]
		}
		if keep(row) {
			total += parse(t, row[column])
		}
	}
	return total
}

func TestDataIsWhatIsDrawn(t *testing.T) {
	two := officialReports(t, -1)
	hist, err := figures.RadiusHistogram(two, figures.Options{})
	require.NoError(t, err)
	wrong := sum(t, hist, "images", func(r map[string]string) bool { return r["model"] == "RAT" && r["prediction"] == "wrong" })
	require.Equal(t, 222., wrong)
	share := sum(t, hist, "share", func(r map[string]string) bool { return r["model"] == "RAT" && r["prediction"] == "right" })
	require.InDelta(t, 1, share, 1e-9)

	rc, err := figures.RiskCoverage(two[1:], figures.Options{Scores: []string{"MSR"}})
	require.NoError(t, err)
	last := sum(t, rc, "risk", func(r map[string]string) bool { return r["coverage"] == "1" })
	require.InDelta(t, .222, last, 1e-12)

	bars, err := figures.AURCBars(two, figures.Options{})
	require.NoError(t, err)
	msr := sum(t, bars, "aurc", func(r map[string]string) bool { return r["model"] == "RAT" && r["score"] == "MSR" })
	require.Equal(t, two[1].Row("MSR").Metrics["aurc"].Value, msr)
	require.Len(t, bars.Data.Rows, 9+11)

	rel, err := figures.Reliability(two[1:], figures.Options{})
	require.NoError(t, err)
	require.Equal(t, 1000., sum(t, rel, "images", func(map[string]string) bool { return true }))

	agree, err := figures.RadiusAgreement(two[1:], figures.Options{})
	require.NoError(t, err)
	require.Len(t, agree.Data.Rows, 1000)
	require.Equal(t, []string{"dataset", "model", "index", "prediction", "RR_fgsm", "RR_fast"}, agree.Data.Header)
	require.Equal(t, "Spearman's ρ = 0.989", agree.Panels[0].Title.Text)
}

func TestManyPointsAreThinnedOut(t *testing.T) {
	run := officialRun(t)
	big := &misd.Run{Model: "big", Classes: run.Classes}
	for range 4 {
		big.Label, big.Pred = append(big.Label, run.Label...), append(big.Pred, run.Pred...)
	}
	for _, name := range []string{"RR_fgsm", "RR_fast"} {
		s := misd.Score{Name: name}
		for range 4 {
			s.Values = append(s.Values, run.Score(name).Values...)
		}
		big.Scores = append(big.Scores, s)
	}
	rep, err := report.Evaluate(big, report.Options{Resamples: -1})
	require.NoError(t, err)
	fig, err := figures.RadiusAgreement([]*report.Report{rep}, figures.Options{})
	require.NoError(t, err)
	require.Len(t, fig.Data.Rows, 1600)
	again, err := figures.RadiusAgreement([]*report.Report{rep}, figures.Options{})
	require.NoError(t, err)
	require.Equal(t, fig.Data.Rows, again.Data.Rows)
	other, err := figures.RadiusAgreement([]*report.Report{rep}, figures.Options{Seed: 1})
	require.NoError(t, err)
	require.NotEqual(t, fig.Data.Rows, other.Data.Rows)
}

// Runs without a single error, or without a right prediction, are drawn all the same.
func TestDegenerateRuns(t *testing.T) {
	for name, pred := range map[string]int{"all right": 0, "all wrong": 1} {
		run := &misd.Run{Model: name, Classes: 2}
		scores := []misd.Score{{Name: "RR_fgsm", Cost: 7}, {Name: "RR_fast", Cost: 4}}
		for i := range 30 {
			run.Label, run.Pred = append(run.Label, 0), append(run.Pred, pred)
			run.Logits = append(run.Logits, 1, 0)
			scores[0].Values = append(scores[0].Values, float64(i)/30)
			scores[1].Values = append(scores[1].Values, 0)
		}
		run.Scores = scores
		rep, err := report.Evaluate(run, report.Options{Resamples: 10})
		require.NoError(t, err)
		for figure, draw := range all {
			fig, err := draw([]*report.Report{rep}, figures.Options{Band: true})
			require.NoError(t, err, "%s, %s", name, figure)
			require.NoError(t, fig.Save(filepath.Join(t.TempDir(), "f.png")), "%s, %s", name, figure)
		}
	}
}

func TestErrors(t *testing.T) {
	two := officialReports(t, -1)
	noLogits := *two[1].Run
	noLogits.Logits = nil
	noRadius, err := two[1].Select("MSR", "MLS")
	require.NoError(t, err)
	for _, c := range []struct {
		draw    draw
		reports []*report.Report
		opts    figures.Options
		want    string
	}{
		{figures.RiskCoverage, nil, figures.Options{}, "figures: risk-coverage: there are no reports to draw"},
		{figures.RadiusHistogram, []*report.Report{two[0], nil}, figures.Options{}, "report 2 of 2 holds no images"},
		{figures.AURCBars, []*report.Report{{Run: &misd.Run{}}}, figures.Options{}, "report 1 of 1 holds no images"},
		{figures.RiskCoverage, two, figures.Options{Scores: []string{"MSR"}}, "first half has no score MSR"},
		{figures.RadiusHistogram, []*report.Report{noRadius}, figures.Options{}, "RAT has none of the scores [RR_fgsm RR_fast"},
		{figures.RadiusAgreement, two, figures.Options{Scores: []string{"RR_fast"}}, "needs two scores, has [RR_fast]"},
		{figures.Reliability, []*report.Report{{Run: &noLogits}}, figures.Options{}, "no logits"},
		{figures.AURCBars, two, figures.Options{Metric: "fpr95"}, `there is no metric "fpr95" of scores`},
		{figures.AURCBars, two, figures.Options{Metric: "nll"}, `there is no metric "nll" of scores`},
		{figures.AURCBars, two, figures.Options{Scores: []string{"x"}}, "no report has one of the scores [x]"},
	} {
		_, err := c.draw(c.reports, c.opts)
		require.ErrorContains(t, err, c.want)
	}
}

package figures_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/ratml/rat/ratml/figures"
	"github.com/stretchr/testify/require"
)

var metricsOfOutcomes = []string{"aurc", "accuracy"}

// outcomes are made-up results of three seeds.
func outcomes() []figures.Outcome {
	var out []figures.Outcome
	add := func(name, variant string, step, aurc, accuracy float64) {
		values := map[string][]float64{}
		for i := range 3 {
			shift := float64(i-1) * .0007 * float64(1+len(out)%2)
			values["aurc"] = append(values["aurc"], math.Round(1e6*(aurc+shift))/1e6)
			values["accuracy"] = append(values["accuracy"], accuracy-4*shift)
		}
		out = append(out, figures.Outcome{Name: name, Variant: variant, StepSize: step, Values: values})
	}
	add("plain", "without mixup", 0, .0262, .881)
	add("plain", "with mixup", 0, .0275, .879)
	add("AT", "without mixup", .01, .0259, .884)
	add("AT", "with mixup", .01, .0271, .882)
	add("reversed AT", "without mixup", .01, .0290, .871)
	add("RAT", "without mixup", .01, .0241, .887)
	add("RAT", "with mixup", .01, .0251, .886)
	return out
}

// sweep are made-up results by step size.
func sweep() []figures.Outcome {
	out := []figures.Outcome{outcomes()[0]}
	out[0].Variant = ""
	for i, step := range []float64{.03, .001, .0003, .01, .003} { // in no order
		o := figures.Outcome{Name: "RAT", StepSize: step, Values: map[string][]float64{}}
		d := .0015 * math.Abs(math.Log10(step)+2.3)
		for s := range 3 {
			shift := float64(s-1) * .0004 * float64(1+i%3)
			o.Values["aurc"] = append(o.Values["aurc"], .024+d+shift)
			o.Values["accuracy"] = append(o.Values["accuracy"], .887-3*d-shift)
		}
		out = append(out, o)
	}
	return out
}

func TestGoldenOutcomes(t *testing.T) {
	score := []string{"RR_fast"}
	for _, c := range []struct {
		name string
		draw func() (*figures.Figure, error)
	}{
		{"ablation", func() (*figures.Figure, error) {
			return figures.Ablation(outcomes(), metricsOfOutcomes, figures.Options{Scores: score})
		}},
		{"sweep", func() (*figures.Figure, error) {
			return figures.StepSweep(sweep(), metricsOfOutcomes, figures.Options{Scores: score})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fig, err := c.draw()
			require.NoError(t, err)
			likeGolden(t, c.name, fig)
		})
	}
}

func TestOutcomesAreNotCutOff(t *testing.T) {
	for _, size := range []figures.Size{figures.Column, figures.Page, figures.Slide} {
		for name, draw := range map[string]func() (*figures.Figure, error){
			"ablation": func() (*figures.Figure, error) {
				return figures.Ablation(outcomes(), metricsOfOutcomes, figures.Options{Size: size})
			},
			"sweep": func() (*figures.Figure, error) {
				return figures.StepSweep(sweep(), metricsOfOutcomes, figures.Options{Size: size})
			},
		} {
			fig, err := draw()
			require.NoError(t, err)
			nothingAtTheEdge(t, name, fig)
		}
	}
}

func TestOutcomesInTheData(t *testing.T) {
	fig, err := figures.Ablation(outcomes(), metricsOfOutcomes, figures.Options{Scores: []string{"RR_fast"}})
	require.NoError(t, err)
	require.Equal(t, []string{"metric", "score", "training", "variant", "step_size", "seed", "value"}, fig.Data.Header)
	require.Len(t, fig.Data.Rows, 2*7*3)
	require.Equal(t, []string{"aurc", "RR_fast", "plain", "without mixup", "0", "1", "0.0255"}, fig.Data.Rows[0])
	require.Equal(t, []string{"accuracy", "", "RAT", "with mixup", "0.01", "3"}, fig.Data.Rows[41][:6])
	require.Equal(t, "AURC ×1000 of RR-Fast, lower is better", fig.Panels[0].X.Label.Text)
	require.Equal(t, "Accuracy %, higher is better", fig.Panels[1].X.Label.Text)

	fig, err = figures.StepSweep(sweep(), metricsOfOutcomes, figures.Options{})
	require.NoError(t, err)
	require.Len(t, fig.Data.Rows, 2*6*3)
	require.Equal(t, "0.0003", fig.Data.Rows[3][4], "curves go by ascending step size")
	p := fig.Panels[0]
	require.InDelta(t, math.Log10(.0003)-.15, p.X.Min, 1e-12)
	require.Less(t, p.Y.Min, 23.6)
	require.Greater(t, p.Y.Max, 27.)
}

// One seed has no spread, and a metric may not exist for a seed.
func TestFewOutcomes(t *testing.T) {
	one := []figures.Outcome{
		{Name: "plain", Values: map[string][]float64{"auroc": {.9}}},
		{Name: "RAT", StepSize: .01, Values: map[string][]float64{"auroc": {math.NaN()}}},
		{Name: "RAT", StepSize: .03, Values: map[string][]float64{"auroc": {.9, math.NaN()}}},
	}
	for range 2 {
		for _, draw := range []func([]figures.Outcome, []string, figures.Options) (*figures.Figure, error){figures.Ablation, figures.StepSweep} {
			fig, err := draw(one, []string{"auroc"}, figures.Options{})
			require.NoError(t, err)
			require.NoError(t, fig.Save(filepath.Join(t.TempDir(), "f.png")))
		}
		one[0].Values["auroc"][0] = math.NaN() // nothing at all to draw
	}
}

func TestOutcomeErrors(t *testing.T) {
	no := []figures.Outcome{{Name: "RAT", Variant: "with mixup", StepSize: .1}}
	for _, c := range []struct {
		outcomes []figures.Outcome
		metrics  []string
		want     string
	}{
		{nil, nil, "there are no outcomes"},
		{outcomes(), []string{}, "no metrics"},
		{outcomes(), []string{"aurk"}, `there is no metric "aurk"`},
		{no, nil, "RAT with mixup (step 0.1) has no value of aurc"},
	} {
		_, err := figures.Ablation(c.outcomes, c.metrics, figures.Options{})
		require.ErrorContains(t, err, "figures: ablation: ")
		require.ErrorContains(t, err, c.want)
		_, err = figures.StepSweep(c.outcomes, c.metrics, figures.Options{})
		require.ErrorContains(t, err, "figures: step sweep: ")
		require.ErrorContains(t, err, c.want)
	}
	_, err := figures.StepSweep(outcomes()[:1], nil, figures.Options{})
	require.ErrorContains(t, err, "no outcome has a step size")
	bad := outcomes()
	bad[2].StepSize = -1
	_, err = figures.StepSweep(bad, nil, figures.Options{})
	require.ErrorContains(t, err, "AT without mixup has the step size -1")
}

func ExampleAblation() {
	save(figures.Ablation(outcomes(), []string{"aurc", "accuracy"}, figures.Options{Scores: []string{"RR_fast"}}))
	// Output:
	// figure.csv
	// figure.png
	// [metric score training variant step_size seed value]
}

func ExampleStepSweep() {
	save(figures.StepSweep(sweep(), []string{"aurc", "accuracy"}, figures.Options{Scores: []string{"RR_fast"}}))
	// Output:
	// figure.csv
	// figure.png
	// [metric score training variant step_size seed value]
}

package figures

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

func simulate(n, levels int) (confidence []float64, correct []bool) {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(levels)))
	for range n {
		c := float64(rng.IntN(levels)) / float64(levels)
		confidence, correct = append(confidence, c), append(correct, rng.Float64() < .5+c/2)
	}
	return confidence, correct
}

func TestAreaUnderTheCurveIsTheMetric(t *testing.T) {
	for _, levels := range []int{1, 3, 20, 1 << 30} {
		confidence, correct := simulate(250, levels)
		var grid []float64
		for k := 1; k <= 250; k++ {
			grid = append(grid, float64(k)/250)
		}
		sum := 0.
		risk := newRanking(confidence, correct).risk(nil, grid)
		for _, r := range risk {
			sum += r
		}
		curve, err := misd.NewCurve(confidence, correct)
		require.NoError(t, err)
		require.InDelta(t, curve.AURC(), sum/250, 1e-12)
		require.InDelta(t, curve.ErrorRate(), risk[249], 1e-12)
	}
}

func TestRiskOfResample(t *testing.T) {
	confidence := []float64{.9, .8, .8, .1}
	correct := []bool{true, false, true, false}
	// Image 0 twice, image 1 once, image 3 once: the first two are right, the third is wrong, the last is wrong.
	got := newRanking(confidence, correct).risk([]int32{2, 1, 0, 1}, []float64{.25, .5, .75, 1})
	require.InDeltaSlice(t, []float64{0, 0, 1. / 3, .5}, got, 1e-12)
	// With images 1 and 2 tied, half an error counts at each of their ranks.
	require.InDeltaSlice(t, []float64{0, .25, 1. / 3, .5}, newRanking(confidence, correct).risk(nil, []float64{.25, .5, .75, 1}), 1e-12)
}

func TestEveryGridIsFilled(t *testing.T) {
	for n := 1; n < 400; n++ {
		confidence, correct := simulate(n, 7)
		grid := coverages(n)
		require.Len(t, newRanking(confidence, correct).risk(nil, grid), len(grid), "n=%d", n)
	}
}

func TestBand(t *testing.T) {
	confidence, correct := simulate(1000, 1<<30)
	k, grid := newRanking(confidence, correct), []float64{.5, 1}
	low, high := k.band(grid, 1)
	risk := k.risk(nil, grid)
	for g := range grid {
		require.Less(t, low[g], risk[g])
		require.Greater(t, high[g], risk[g])
	}
	// At full coverage the interval is that of a share.
	half := 1.96 * math.Sqrt(risk[1]*(1-risk[1])/1000)
	require.InDelta(t, half, (high[1]-low[1])/2, .15*half)
	again, _ := k.band(grid, 1)
	other, _ := k.band(grid, 2)
	require.Equal(t, low, again)
	require.NotEqual(t, low, other)
}

func TestSpearman(t *testing.T) {
	require.InDelta(t, 1, spearman([]float64{1, 5, 9, 10}, []float64{.1, .2, .8, 4}), 1e-12)
	require.InDelta(t, -1, spearman([]float64{1, 5, 9}, []float64{3, 2, 1}), 1e-12)
	// scipy.stats.spearmanr([1,2,2,3,4], [2,1,3,3,5]) = 0.763...
	require.InDelta(t, 0.7631578947368421, spearman([]float64{1, 2, 2, 3, 4}, []float64{2, 1, 3, 3, 5}), 1e-12)
}

func TestSample(t *testing.T) {
	index := []int{3, 5, 8, 9, 11, 14}
	require.Equal(t, index, sample(index, 6, 1))
	got := sample(index, 3, 1)
	require.Len(t, got, 3)
	require.IsIncreasing(t, got)
	require.Equal(t, got, sample(index, 3, 1))
	require.Equal(t, []int{3, 5, 8, 9, 11, 14}, index, "the input stays as it is")
}

func labelsOf(ticks []plot.Tick) []string {
	var out []string
	for _, t := range ticks {
		if t.Label != "" {
			out = append(out, t.Label)
		}
	}
	return out
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []string
	}{
		{0, 100, []string{"0", "20", "40", "60", "80", "100"}},
		{0, 2.94, []string{"0", "0.5", "1", "1.5", "2", "2.5"}},
		{0, 23, []string{"0", "5", "10", "15", "20"}},
		{0, .0031, []string{"0", "0.0005", "0.001", "0.0015", "0.002", "0.0025", "0.003"}},
		{-1, 1, []string{"-1", "-0.5", "0", "0.5", "1"}},
	} {
		require.Equal(t, c.want, labelsOf(linear(5).Ticks(c.low, c.high)))
	}
}

func TestDecades(t *testing.T) {
	require.Equal(t, []string{"0.001", "0.01", "0.1", "1"}, labelsOf(decades(5).Ticks(-3.2, .04)))
	require.Equal(t, []string{"0.0001", "0.01", "1"}, labelsOf(decades(3).Ticks(-4.3, .04)))
	require.Equal(t, []string{"0.03", "0.1", "0.3"}, labelsOf(decades(5).Ticks(-1.6, -.4)))
	require.Equal(t, []string{"0.02", "0.03", "0.05", "0.1"}, labelsOf(decades(5).Ticks(-1.8, -.95)))
	for _, tick := range decades(5).Ticks(-3.2, .04) {
		require.True(t, tick.Value >= -3.2 && tick.Value <= .04)
	}
}

func TestLegendRows(t *testing.T) {
	width := func(e entry) vg.Length { return vg.Length(len(e.name)) }
	names := func(rows [][]entry) (out [][]string) {
		for _, row := range rows {
			var r []string
			for _, e := range row {
				r = append(r, e.name)
			}
			out = append(out, r)
		}
		return out
	}
	entries := []entry{{name: "aaaa"}, {name: "bbbb"}, {name: "cccc"}, {name: "a long one"}, {name: "d"}}
	require.Equal(t, [][]string{{"aaaa", "bbbb"}, {"cccc"}, {"a long one"}, {"d"}}, names(rows(entries, width, 1, 9)))
	require.Equal(t, [][]string{{"aaaa", "bbbb", "cccc"}, {"a long one", "d"}}, names(rows(entries, width, 1, 14)))
	require.Empty(t, rows(nil, width, 1, 9))
}

func TestHistogramParts(t *testing.T) {
	edges := equal(-2, 0, 4)
	require.Equal(t, []float64{-2, -1.5, -1, -.5, 0}, edges)
	counts := count(logarithms([]float64{0, -3, .001, .02, .1, .5, 1, 17}), edges)
	require.Equal(t, []int{4, 0, 1, 3}, counts)
	runs := outlines(counts, func(c int) float64 { return 100 * float64(c) / 8 }, 0, edges)
	require.Len(t, runs, 2, "the empty bin parts the outline")
	require.Equal(t, 50., runs[0][1].Y)
	require.Equal(t, 0., runs[1][len(runs[1])-1].Y)
	require.Equal(t, 0., runs[1][len(runs[1])-1].X)
	require.InDelta(t, 2.5, median([]float64{4, 1, 3, 2}), 1e-12)
}

func TestAccuracyInterval(t *testing.T) {
	low, high := accuracyInterval(misd.Bin{N: 10, Accuracy: .5})
	require.InDelta(t, .187086, low, 1e-6) // Clopper-Pearson of 5 in 10
	require.InDelta(t, .812914, high, 1e-6)
	low, high = accuracyInterval(misd.Bin{})
	require.Equal(t, []float64{0, 1}, []float64{low, high})
}

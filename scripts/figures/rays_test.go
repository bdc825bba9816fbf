package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/misd"
)

func TestExamples(t *testing.T) {
	run := &misd.Run{Classes: 2, Label: []int{0, 0, 0, 0, 0, 0}, Pred: []int{0, 0, 0, 1, 1, 0}, Scores: []misd.Score{
		{Name: "MSR", Values: []float64{.9, .99, .6, .7, .8, .95}},
		{Name: "RR_fgsm", Values: make([]float64, 6), Unflipped: []bool{false, true, false, false, false, false}},
	}}
	got, err := examples(run)
	require.NoError(t, err)
	require.Equal(t, []example{{"confident", 5}, {"borderline", 2}, {"mistake", 4}}, got)
	run.Pred = make([]int, 6)
	got, err = examples(run)
	require.NoError(t, err)
	require.Equal(t, []example{{"confident", 5}, {"borderline", 2}}, got)
	run.Scores = run.Scores[:1]
	_, err = examples(run)
	require.Error(t, err)
}

// Rays start at the margin of the run and cross zero in the bracket that the search found, for the first time.
func TestRaysOfTheJob(t *testing.T) {
	j := job()
	require.Zero(t, j.status, j.stderr)
	s, err := readSubject(runFolder(t, filepath.Join(root, "runs"), "mnist_plain"))
	require.NoError(t, err)
	require.Len(t, s.rays, 3)
	chosen, err := examples(s.run)
	require.NoError(t, err)
	for k, r := range s.rays {
		i := chosen[k].index
		require.Equal(t, chosen[k].name, r.Name)
		require.Equal(t, s.run.Label[i] == s.run.Pred[i], r.Right)
		require.Len(t, r.Margin, len(r.Distance))
		z := slices.Clone(s.run.Logits[i*10 : (i+1)*10])
		slices.Sort(z)
		require.InDelta(t, z[9]-z[8], r.Margin[0], 1e-4)
		require.False(t, r.Unflipped)
		require.True(t, r.Lower <= r.Radius && r.Radius <= r.Upper)
		before, after := 0, 0
		for n, at := range r.Distance {
			slack := 1e-3*r.Radius + 1e-6 // rounding of a batch of another size
			switch {
			case at < r.Lower-slack && r.Margin[n] > 0:
				before++
			case at > r.Upper+slack:
				if after == 0 {
					require.Negative(t, r.Margin[n], "%s just beyond the radius", r.Name)
				}
				after++
			case at < r.Lower-slack:
				t.Errorf("%s: margin %v at %v, before the radius %v", r.Name, r.Margin[n], at, r.Radius)
			}
		}
		require.Greater(t, before, 70)
		require.Greater(t, after, 70)
	}
}

package main

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/figures"
)

func TestMoons(t *testing.T) {
	p := moons(400, 3, 0)
	require.Equal(t, p, moons(400, 3, 0))
	require.NotEqual(t, p, moons(400, 3, 1))
	require.NotEqual(t, p, moons(400, 4, 0))
	var high [2]int // points of each class in the upper half
	xy := make([]float32, 2)
	for i := range p.Len() {
		label, err := p.Read(i, xy)
		require.NoError(t, err)
		require.Equal(t, i%2, label)
		for _, v := range xy {
			require.True(t, v >= 0 && v <= 1)
		}
		if xy[1] > .5 {
			high[label]++
		}
	}
	require.Greater(t, high[0], 150, "upper moon")
	require.Less(t, high[1], 50, "lower moon")
	for _, i := range []int{-1, 400} {
		_, err := p.Read(i, xy)
		require.Error(t, err)
	}
	_, err := p.Read(0, xy[:1])
	require.Error(t, err)
}

// What the nets of the small job say of points agrees with what they say of the plane, and radii reach to where the
// class changes.
func TestPlanesOfTheJob(t *testing.T) {
	j := job()
	require.Zero(t, j.status, j.stderr)
	found, err := filepath.Glob(filepath.Join(root, "runs", "method_*", planesFile))
	require.NoError(t, err)
	require.Len(t, found, 1)
	var planes []figures.Plane
	require.NoError(t, readJSON(found[0], &planes))
	require.Len(t, planes, 2)
	require.Equal(t, "plain", planes[0].Name)
	require.Equal(t, "RAT", planes[1].Name)
	require.NotEqual(t, planes[0].Margin, planes[1].Margin)
	for _, m := range planes {
		require.Len(t, m.Points, 300)
		var wrong, agree, reached, missed int
		drawn := map[bool]int{}
		for _, p := range m.Points {
			require.Positive(t, p.Radius)
			if p.Label != p.Pred {
				wrong++
			}
			if p.Ball {
				drawn[p.Label == p.Pred]++
			}
			if seen := classes(m, p, 0); seen[p.Pred] {
				agree++
			}
			if seen := classes(m, p, p.Radius); seen[1-p.Pred] {
				reached++
			}
			if p.Radius > .02+1.15*nearest(m, p) {
				missed++
			}
		}
		require.True(t, wrong > 15 && wrong < 60, "%s: %d of 300 wrong", m.Name, wrong)
		require.Equal(t, map[bool]int{true: shownBalls, false: shownBalls}, drawn)
		require.GreaterOrEqual(t, agree, 295, m.Name)
		require.GreaterOrEqual(t, reached, 290, m.Name)
		require.LessOrEqual(t, missed, 24, "%s: points with a nearer boundary than was found", m.Name)
	}
}

// classes tells which classes a plane has at the samples within a distance of a point, and one sample beyond.
func classes(m figures.Plane, p figures.PlanePoint, distance float64) map[int]bool {
	near := func(v float64, n int) (first, last int) {
		step := 1 / float64(n-1)
		return max(0, int(math.Floor((v-distance)/step))), min(n-1, int(math.Ceil((v+distance)/step)))
	}
	left, right := near(p.X, m.Columns)
	low, high := near(p.Y, m.Rows)
	seen := map[int]bool{}
	for row := low; row <= high; row++ {
		for column := left; column <= right; column++ {
			seen[m.Class[row*m.Columns+column]] = true
		}
	}
	return seen
}

// nearest returns the L-infinity distance from a point to the nearest sample of another class.
func nearest(m figures.Plane, p figures.PlanePoint) float64 {
	best := math.Inf(1)
	for i, class := range m.Class {
		if class != p.Pred {
			x, y := float64(i%m.Columns)/float64(m.Columns-1), float64(i/m.Columns)/float64(m.Rows-1)
			best = min(best, max(math.Abs(x-p.X), math.Abs(y-p.Y)))
		}
	}
	return best
}

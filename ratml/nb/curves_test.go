package nb

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCurveKeepsTheMean(t *testing.T) {
	s := &curve{each: 1}
	const n = 3*maxPoints + 1
	for i := range n {
		s.add(float64(i), float64(2*i))
	}
	require.LessOrEqual(t, len(s.points), maxPoints)
	require.Equal(t, 4, s.each)
	sum := 0.0
	for i, p := range s.points {
		require.InDelta(t, 2*p.x, p.y, 1e-9)
		if i > 0 {
			require.Greater(t, p.x, s.points[i-1].x)
		}
		weight := s.each
		if i == len(s.points)-1 {
			weight = s.count
		}
		sum += p.x * float64(weight)
	}
	require.InEpsilon(t, float64(n-1)*n/2, sum, 1e-9, "every point counts once")
}

func TestSmooth(t *testing.T) {
	s := &curve{points: []point{{0, 1}, {1, 3}, {2, 5}, {3, 1}, {4, 0}}}
	require.Equal(t, []point{{0, 1}, {1, 3}, {2, 3}, {3, 2}, {4, 0}}, s.smooth(2))
	require.Equal(t, []point{{0, 1}, {1, 3}, {2, 2}, {3, 2}, {4, 0}}, s.smooth(4))
}

func TestCurvesSharePanels(t *testing.T) {
	c := NewCurves("")
	for _, name := range []string{"loss/batch", "accuracy", "loss/validation", "loss/batch"} {
		c.curve(name).add(1, 1)
	}
	require.Len(t, c.panels, 2)
	require.Equal(t, "loss", c.panels[0].name)
	require.Len(t, c.panels[0].curves, 2)
	require.Len(t, c.panels[0].curves[0].points, 2)
	require.Equal(t, "accuracy", c.panels[1].curves[0].name)
}

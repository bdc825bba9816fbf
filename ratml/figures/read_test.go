package figures_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ratml/rat/ratml/figures"
	"github.com/stretchr/testify/require"
)

// What is read is what was drawn.
func TestReadOutcomes(t *testing.T) {
	fig, err := figures.Ablation(outcomes(), metricsOfOutcomes, figures.Options{Scores: []string{"RR_fast"}, Command: "go run"})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "ablation.svg")
	require.NoError(t, fig.Save(path))
	got, score, err := figures.ReadOutcomes(path[:len(path)-3] + "csv")
	require.NoError(t, err)
	require.Equal(t, "RR_fast", score)
	require.Equal(t, outcomes(), got)
}

func TestReadPlanes(t *testing.T) {
	var want []figures.Plane
	for _, name := range []string{"plain", "RAT"} {
		m := figures.Plane{Name: name, XMin: -1, YMin: -2, XMax: 1, YMax: 2, Columns: 3, Rows: 4}
		for i := range 12 {
			m.Class, m.Margin = append(m.Class, i%3), append(m.Margin, float64(i)/8)
		}
		m.Points = []figures.PlanePoint{{X: .1, Y: .2, Label: 1, Pred: 2, Radius: .5}, {X: .3, Y: .4, Label: 2, Pred: 2, Radius: .25}}
		want = append(want, m)
	}
	fig, err := figures.Method(want, figures.Options{})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "method.svg")
	require.NoError(t, fig.Save(path))
	got, err := figures.ReadPlanes(path[:len(path)-3] + "csv")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestReadErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.csv")
	const points = "model,what,x,y,label,prediction,radius,margin\n"
	for content, want := range map[string]string{
		"":      "EOF",
		"a,b\n": "line 1: the columns are [a b]",
		"# go run\n" + points + "m,point,0,x,1,1,1,\n": "line 3: strconv",
		points + "m,point,0,0,,1,1,\n":                 "line 2: strconv",
		points + "m,line,0,0,1,1,1,\n":                 `line 2: "line" is neither`,
		points + "m,point\n":                           "wrong number of fields",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
		_, err := figures.ReadPlanes(path)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, path)
	}
	_, _, err := figures.ReadOutcomes(path + "x")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("metric,score,training,variant,step_size,seed,value\naurc,,a,,1,1,?\n"), 0o644))
	_, _, err = figures.ReadOutcomes(path)
	require.ErrorContains(t, err, "line 2")
}

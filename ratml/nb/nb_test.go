package nb_test

import (
	"errors"
	"fmt"
	"image"
	"io"
	"testing"

	"github.com/ratml/rat/ratml/nb"
	"github.com/stretchr/testify/require"
)

type leaderboard struct{}

func (leaderboard) String() string { return "score    AURC\nRR_fast  9.68" }
func (leaderboard) HTML() string   { return "<table>...</table>" }

func ExampleTable() {
	if err := nb.Table(leaderboard{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// score    AURC
	// RR_fast  9.68
}

func ExampleShow() {
	digit := image.NewGray(image.Rect(0, 0, 28, 28))
	if err := nb.Show(nb.Image(digit)); err != nil { // below the cell; nothing outside a notebook
		fmt.Println(err)
	}
	// Output:
}

func ExampleNewProgress() {
	report := nb.NewProgress("train", 3).Func()
	for epoch := 1; epoch <= 3; epoch++ {
		report(epoch, 3, fmt.Sprintf("loss %.1f", 1/float64(epoch)))
	}
	// Output:
}

func ExampleGrid() {
	digit := image.NewGray(image.Rect(0, 0, 28, 28))
	if err := nb.Grid(nb.Tile{Image: digit, Caption: "7, read as 1"}); err != nil {
		fmt.Println(err)
	}
	// Output: image 1: 7, read as 1
}

func ExampleRows() {
	rows := nb.Rows{Header: []string{"training", "accuracy"}}
	rows.Add("plain", 0.94)
	rows.Add("RAT", 0.946)
	if err := nb.Table(&rows); err != nil {
		fmt.Println(err)
	}
	// Output:
	// training  accuracy
	// plain     0.94
	// RAT       0.946
}

func ExampleCurves() {
	curves := nb.NewCurves("training") // below the cell; nothing outside a notebook
	defer curves.Close()
	for step := range 100 {
		if err := curves.Add("loss", float64(step), 1/float64(step+1)); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
}

type unreadable struct{}

func (unreadable) EncodePNG(io.Writer) error { return errors.New("must not be called") }

func TestSilentOutsideNotebook(t *testing.T) {
	require.False(t, nb.Active())
	require.NoError(t, nb.Show(unreadable{}))
	c := nb.NewCurves("training")
	require.NoError(t, c.Add("loss", 0, 1))
	require.NoError(t, c.Close())
}

func TestGridErrors(t *testing.T) {
	require.ErrorContains(t, nb.Grid(), "no images")
	require.ErrorContains(t, nb.Grid(nb.Tile{Image: image.NewGray(image.Rect(0, 0, 2, 2))}, nb.Tile{}), "tile 1 has no image")
}

func TestMust(t *testing.T) {
	require.Equal(t, 3, nb.Must(3, nil))
	err := errors.New("no such file")
	require.PanicsWithError(t, err.Error(), func() { nb.Must(3, err) })
	require.PanicsWithError(t, err.Error(), func() { nb.Check(err) })
	require.NotPanics(t, func() { nb.Check(nil) })
}

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

type unreadable struct{}

func (unreadable) EncodePNG(io.Writer) error { return errors.New("must not be called") }

func TestSilentOutsideNotebook(t *testing.T) {
	require.False(t, nb.Active())
	require.NoError(t, nb.Show(unreadable{}))
}

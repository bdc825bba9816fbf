package fastgo

import "golang.org/x/sys/cpu"

var hasFMA = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// Vectorised reports whether products use vector instructions on this machine.
func Vectorised() bool { return hasFMA }

// tile is tileGo, eight columns at a time where the processor can.
func tile(cols, rows []int32, a, b []float32, row int, dst []float32, out []int32, add bool) {
	if !hasFMA || len(cols) == 0 {
		tileGo(cols, rows, a, b, row, dst, out, add)
		return
	}
	tileFMA(len(cols), &cols[0], &rows[0], &a[0], &b[0], row, &dst[0], &out[0], add)
}

// tileFMA does not check its indices.
//
//go:noescape
func tileFMA(k int, cols, rows *int32, a, b *float32, row int, dst *float32, out *int32, add bool)

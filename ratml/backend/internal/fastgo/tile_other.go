//go:build !amd64

package fastgo

// Vectorised reports whether products use vector instructions on this machine.
func Vectorised() bool { return false }

func tile(cols, rows []int32, a, b []float32, row int, dst []float32, out []int32, add bool) {
	tileGo(cols, rows, a, b, row, dst, out, add)
}

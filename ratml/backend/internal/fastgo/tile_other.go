//go:build !amd64

package fastgo

func tile(cols, rows []int32, a, b []float32, row int, dst []float32, out []int32, add bool) {
	tileGo(cols, rows, a, b, row, dst, out, add)
}

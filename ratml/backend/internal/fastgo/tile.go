package fastgo

// tileGo computes one tile: for its rows r and columns c, the sum over k of
// a[rows[r]+cols[k]] * b[k*row+c]. It goes to dst[out[r]+c], or is added there.
func tileGo(cols, rows []int32, a, b []float32, row int, dst []float32, out []int32, add bool) {
	for r := 0; r < tileRows; r += 2 {
		for c := 0; c < tileCols; c += 4 {
			var s00, s01, s02, s03, s10, s11, s12, s13 float32
			a0, a1 := a[rows[r]:], a[rows[r+1]:]
			at := c
			for _, k := range cols {
				x, y := a0[k], a1[k]
				v := (*[4]float32)(b[at:])
				s00 += x * v[0]
				s01 += x * v[1]
				s02 += x * v[2]
				s03 += x * v[3]
				s10 += y * v[0]
				s11 += y * v[1]
				s12 += y * v[2]
				s13 += y * v[3]
				at += row
			}
			d0, d1 := (*[4]float32)(dst[int(out[r])+c:]), (*[4]float32)(dst[int(out[r+1])+c:])
			if add {
				s00, s01, s02, s03 = s00+d0[0], s01+d0[1], s02+d0[2], s03+d0[3]
				s10, s11, s12, s13 = s10+d1[0], s11+d1[1], s12+d1[2], s13+d1[3]
			}
			*d0 = [4]float32{s00, s01, s02, s03}
			*d1 = [4]float32{s10, s11, s12, s13}
		}
	}
}

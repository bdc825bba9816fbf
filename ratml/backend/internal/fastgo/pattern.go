package fastgo

import "fmt"

func (p pattern) String() string {
	if p == nil {
		return ""
	}
	return fmt.Sprint([]axis(p))
}

// period returns the distance after which the pattern repeats, or 0 if it does
// not within the array's outermost axis.
func (p pattern) period() int {
	if p == nil {
		return 0
	}
	n := len(p)
	for n > 0 && p[n-1].stride == 0 {
		n--
	}
	if n == len(p) {
		return 0
	}
	period := 1
	for _, a := range p[:n] {
		period *= a.extent
	}
	return period
}

// gather sets dst[i] to the element of src for the loop's index first+i. It
// wraps around at the end of the array.
func (p pattern) gather(dst, src []float32, first int) {
	if len(p) == 1 && p[0].stride == 0 {
		fill(dst, src[0])
		return
	}
	inner := p[0]
	pos, j := p.locate(first)
	for i := 0; i < len(dst); {
		n := min(inner.extent-pos[0], len(dst)-i)
		switch inner.stride {
		case 0:
			fill(dst[i:i+n], src[j])
		case 1:
			copy(dst[i:i+n], src[j:j+n])
		default:
			for k := range n {
				dst[i+k] = src[j+k*inner.stride]
			}
		}
		i += n
		j = p.advance(pos, j, n)
	}
}

// walk calls f with i from 0 to n-1 and the operand's index for first+i.
func (p pattern) walk(first, n int, f func(i, j int)) {
	pos, j := p.locate(first)
	for i := range n {
		f(i, j)
		j = p.advance(pos, j, 1)
	}
}

// locate returns the position along each axis and the operand's index.
func (p pattern) locate(index int) (pos []int, j int) {
	pos = make([]int, len(p))
	for k, a := range p {
		pos[k] = index % a.extent
		index /= a.extent
		j += pos[k] * a.stride
	}
	return pos, j
}

// advance moves n elements on, at most to the end of the innermost axis.
func (p pattern) advance(pos []int, j, n int) int {
	pos[0] += n
	j += n * p[0].stride
	for k := 0; k < len(p) && pos[k] == p[k].extent; k++ {
		j -= p[k].extent * p[k].stride
		pos[k] = 0
		if k+1 < len(p) {
			pos[k+1]++
			j += p[k+1].stride
		}
	}
	return j
}

func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

package fastgo

import (
	"math"

	"github.com/gomlx/compute/dtypes"
)

// An elementwise operation sets dst from as many of a, b and c as it has
// operands, all of dst's length. Truth values are 0 and 1.
type elementwise func(dst, a, b, c []float32)

// elementwiseOf returns the operation of a node, if it is known.
func elementwiseOf(n *node) (elementwise, bool) {
	float, truth := n.shape.DType == dtypes.Float32, n.shape.DType == dtypes.Bool
	first := dtypes.InvalidDType
	if len(n.in) > 0 && n.in[0] != nil {
		first = n.in[0].shape.DType
	}
	switch {
	case n.op == "ConvertDType" && truth && first == dtypes.Float32:
		return nonzero, true
	case n.op == "ConvertDType" && (float || truth):
		return identity, true
	case n.op == "Where":
		return choose, true
	}
	table := arithmetic
	if truth {
		table = comparisons
		if first == dtypes.Bool {
			table = logic
		}
	}
	e, ok := table[n.op]
	return e, ok
}

// arithmetic holds the operations on float32 with a float32 result.
var arithmetic = map[string]elementwise{
	"Add": func(dst, a, b, _ []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	},
	"Sub": func(dst, a, b, _ []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
	},
	"Mul": func(dst, a, b, _ []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	},
	"Div": func(dst, a, b, _ []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] / b[i]
		}
	},
	"Max": func(dst, a, b, _ []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = max(a[i], b[i])
		}
	},
	"Min": func(dst, a, b, _ []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = min(a[i], b[i])
		}
	},
	"Clamp": func(dst, low, a, high []float32) {
		low, a, high = low[:len(dst)], a[:len(dst)], high[:len(dst)]
		for i := range dst {
			dst[i] = min(max(low[i], a[i]), high[i])
		}
	},
	"Neg": func(dst, a, _, _ []float32) {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = -a[i]
		}
	},
	"Abs": func(dst, a, _, _ []float32) {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = math.Float32frombits(math.Float32bits(a[i]) &^ signBit)
		}
	},
	"Sign": sign,
	"Sqrt": func(dst, a, _, _ []float32) {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = float32(math.Sqrt(float64(a[i])))
		}
	},
	"Rsqrt":    through64(func(x float64) float64 { return 1 / math.Sqrt(x) }),
	"Exp":      through64(math.Exp),
	"Expm1":    through64(math.Expm1),
	"Log":      through64(math.Log),
	"Log1p":    through64(math.Log1p),
	"Tanh":     through64(math.Tanh),
	"Erf":      through64(math.Erf),
	"Sin":      through64(math.Sin),
	"Cos":      through64(math.Cos),
	"Floor":    through64(math.Floor),
	"Ceil":     through64(math.Ceil),
	"Round":    through64(math.RoundToEven),
	"Logistic": through64(logistic),
	"Pow": func(dst, a, b, _ []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = float32(math.Pow(float64(a[i]), float64(b[i])))
		}
	},
}

// comparisons holds the operations on float32 with a truth value as result.
var comparisons = map[string]elementwise{
	"Equal": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] == b[i])
		}
	},
	"NotEqual": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] != b[i])
		}
	},
	"GreaterThan": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] > b[i])
		}
	},
	"GreaterOrEqual": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] >= b[i])
		}
	},
	"LessThan": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] < b[i])
		}
	},
	"LessOrEqual": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] <= b[i])
		}
	},
	"IsNaN": func(dst, a, _, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] != a[i])
		}
	},
	"IsFinite": func(dst, a, _, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i]-a[i] == 0)
		}
	},
}

// logic holds the operations on truth values.
var logic = map[string]elementwise{
	"LogicalAnd": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	},
	"LogicalOr": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = max(a[i], b[i])
		}
	},
	"LogicalXor": func(dst, a, b, _ []float32) {
		for i := range dst {
			dst[i] = truth(a[i] != b[i])
		}
	},
	"LogicalNot": func(dst, a, _, _ []float32) {
		for i := range dst {
			dst[i] = 1 - a[i]
		}
	},
}

const (
	signBit = 1 << 31
	oneBits = 0x3f800000
	infBits = 0x7f800000
)

func identity(dst, a, _, _ []float32) { copy(dst, a) }

func nonzero(dst, a, _, _ []float32) {
	for i := range dst {
		dst[i] = truth(a[i] != 0)
	}
}

// sign is -1, 0 or 1, and 0 for NaN as on the Go backend. Signs change at
// random, so it does not branch on them.
func sign(dst, a, _, _ []float32) {
	a = a[:len(dst)]
	for i := range dst {
		bits := math.Float32bits(a[i])
		size := int64(bits &^ signBit)
		some := uint32(uint64(-size&(size-infBits-1)) >> 63) // 1 if 0 < size <= infBits
		dst[i] = math.Float32frombits((bits&signBit | oneBits) & -some)
	}
}

// choose is Where: b where a is true, else c. It does not branch either.
func choose(dst, a, b, c []float32) {
	a, b, c = a[:len(dst)], b[:len(dst)], c[:len(dst)]
	for i := range dst {
		mask := -(math.Float32bits(a[i]) >> 29 & 1) // a bit that 1 has and 0 has not
		dst[i] = math.Float32frombits(math.Float32bits(b[i])&mask | math.Float32bits(c[i])&^mask)
	}
}

// truth is 1 or 0, without a branch.
func truth(t bool) float32 {
	var u uint32
	if t {
		u = 1
	}
	return math.Float32frombits(-u & oneBits)
}

func through64(f func(float64) float64) elementwise {
	return func(dst, a, _, _ []float32) {
		for i := range dst {
			dst[i] = float32(f(float64(a[i])))
		}
	}
}

func logistic(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

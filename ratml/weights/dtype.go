package weights

import (
	"encoding/binary"
	"math"
)

// decoders turn the first element of little-endian bytes into float32, for the types that weights come in.
var decoders = map[string]func([]byte) float32{
	"F32":  func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
	"F64":  func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	"F16":  func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) },
	"BF16": func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) },
}

// half returns the value of an IEEE 754 binary16 number.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15), uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24, exact in float32
		v := float32(fraction) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign<<31)
	case 31: // infinity or NaN
		return math.Float32frombits(sign<<31 | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign<<31 | (exponent-15+127)<<23 | fraction<<13)
}

// toHalf returns the IEEE 754 binary16 number nearest to v, ties to even. GoMLX's float16.FromFloat32 makes 0 of the
// smallest ones.
func toHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	bits &= 1<<31 - 1
	abs := math.Float32frombits(bits)
	switch {
	case abs != abs:
		return sign | 0x7e00
	case abs >= 65520:
		return sign | 0x7c00
	case abs < 0x1p-14:
		return sign | uint16(math.RoundToEven(float64(abs)*0x1p24))
	}
	bits += 0xfff + bits>>13&1
	return sign | uint16(bits>>13-(127-15)<<10)
}

package safetensors

// Width returns the bytes an element takes, by the format's name of its type; 0 for an unknown one.
func Width(dtype string) int64 { return widths[dtype] }

var widths = map[string]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1,
	"I16": 2, "U16": 2, "F16": 2, "BF16": 2,
	"I32": 4, "U32": 4, "F32": 4,
	"I64": 8, "U64": 8, "F64": 8, "C64": 8,
}

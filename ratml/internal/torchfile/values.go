package torchfile

// The values of a pickle are nil, bool, int64, float64, string, []byte, *[List], *[Dict], *[Tensor], [Global] and [Opaque].

// List is a Python list, tuple, set or torch.Size.
type List struct{ Items []any }

// Dict is a Python dict of any class, in the order in which its entries were set.
type Dict struct {
	Entries    []Entry
	attributes bool // of an object
}

// Entry is one of a dict's.
type Entry struct{ Key, Value any }

// Get returns the last value set for key.
func (d *Dict) Get(key string) (any, bool) {
	for i := len(d.Entries) - 1; i >= 0; i-- {
		if d.Entries[i].Key == key {
			return d.Entries[i].Value, true
		}
	}
	return nil, false
}

// Global is a class or function that a file names, such as "torch.float32".
type Global string

// Opaque is a value that says nothing about tensors, such as a path or a NumPy scalar, of which only the class is known.
type Opaque struct{ Class Global }

// Tensor is a view of a storage: element [i, j, ...] is number Offset + i*Stride[0] + j*Stride[1] + ...
// It lies within the storage.
type Tensor struct {
	Dtype   string // as safetensors calls it: "F32", "BF16", "I64", ...; or C128
	Shape   []int
	Stride  []int
	Offset  int
	Storage *Storage
}

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Storage is a run of bytes that tensors share.
type Storage struct {
	key   string
	class Global
	bytes int64
	open  func() ([]byte, error)
}

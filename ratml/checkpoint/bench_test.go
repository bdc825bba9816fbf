package checkpoint

import (
	"strconv"
	"testing"
)

// BenchmarkSave writes and reads the state of WRN-28-10: 36.5 million parameters with momentum.
func BenchmarkSave(b *testing.B) {
	s := &State{Tensors: map[string]Tensor{}}
	const n = 36_500_000 / 50
	for i := range 100 {
		s.Tensors[strconv.Itoa(i)] = Tensor{[]int{n}, make([]float32, n)}
	}
	d, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	b.Run("write", func(b *testing.B) {
		b.SetBytes(100 * 4 * n)
		for b.Loop() {
			if err := d.Save(s, false); err != nil {
				b.Fatal(err)
			}
			s.Step++
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(100 * 4 * n)
		for b.Loop() {
			if _, _, err := d.Latest(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package torchfile

import "fmt"

// A budget bounds what is allocated for a file.
type budget struct{ left, size int64 }

func newBudget(size int64) *budget { return &budget{left: 16*size + 1<<20, size: size} }

// take accounts for n bytes.
func (b *budget) take(n int64) error {
	if n < 0 || n > b.left {
		return fmt.Errorf("its contents would take over 16 times the %d bytes of the file", b.size)
	}
	b.left -= n
	return nil
}

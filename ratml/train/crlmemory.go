package train

import (
	"encoding/binary"
	"fmt"
)

// MarshalBinary returns the counts as little-endian numbers of 32 bits: epochs, then for each image how often it was
// seen and right.
func (c *correctness) MarshalBinary() ([]byte, error) {
	data := binary.LittleEndian.AppendUint32(nil, c.epochs)
	for i := range c.right {
		data = binary.LittleEndian.AppendUint32(data, c.seen[i])
		data = binary.LittleEndian.AppendUint32(data, c.right[i])
	}
	return data, nil
}

// UnmarshalBinary is the inverse of MarshalBinary. Where it returns an error nothing has changed.
func (c *correctness) UnmarshalBinary(data []byte) error {
	if have, want := len(data), 4+8*len(c.right); have != want {
		return fmt.Errorf("CRL: correctness in %d bytes, want %d for %d training images: is this another training set?", have, want, len(c.right))
	}
	next := func() uint32 {
		v := binary.LittleEndian.Uint32(data)
		data = data[4:]
		return v
	}
	epochs := next()
	seen, right := make([]uint32, len(c.seen)), make([]uint32, len(c.right))
	for i := range right {
		seen[i], right[i] = next(), next()
		if right[i] > seen[i] {
			return fmt.Errorf("CRL: image %d was right %d times, but seen only %d times", i, right[i], seen[i])
		}
	}
	c.epochs, c.seen, c.right = epochs, seen, right
	return nil
}

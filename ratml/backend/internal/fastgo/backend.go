// Package fastgo runs computations on GoMLX's Go backend faster than that
// backend does by itself.
//
// A Backend wraps the Go backend. It records a computation while it is built
// and, when it is compiled, cuts it into steps: convolutions and matrix
// products, sums and copies of float32 are computed here, on all cores; so are
// elementwise operations, whole chains of them at a time; everything else is
// left to the wrapped backend. Computations with control flow, dynamic shapes
// or random numbers run on the wrapped backend unchanged.
//
// Results equal the wrapped backend's up to rounding. They do not depend on
// the number of cores, and repeat bit for bit on the same kind of processor.
package fastgo

import (
	"errors"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// Backend is a compute.Backend that wraps GoMLX's Go backend.
type Backend struct {
	inner compute.Backend
	pools sync.Map // from the text of a shape to its *pool
}

// New wraps inner, which must be a Go backend: its buffers must lie in memory
// that can be addressed.
func New(inner compute.Backend) *Backend { return &Backend{inner: inner} }

func (b *Backend) Name() string                                 { return b.inner.Name() }
func (b *Backend) String() string                               { return b.inner.String() }
func (b *Backend) Description() string                          { return b.inner.Description() + ", with fast convolutions" }
func (b *Backend) NumDevices() int                              { return b.inner.NumDevices() }
func (b *Backend) DeviceDescription(d compute.DeviceNum) string { return b.inner.DeviceDescription(d) }
func (b *Backend) Capabilities() compute.Capabilities           { return b.inner.Capabilities() }
func (b *Backend) Builder(name string) compute.Builder          { return newBuilder(b, name) }
func (b *Backend) Finalize()                                    { b.inner.Finalize() }
func (b *Backend) IsFinalized() bool                            { return b.inner.IsFinalized() }
func (b *Backend) HasSharedBuffers() bool                       { return b.inner.HasSharedBuffers() }

func (b *Backend) BufferFromFlatData(d compute.DeviceNum, flat any, s shapes.Shape) (compute.Buffer, error) {
	inner, err := b.inner.BufferFromFlatData(d, flat, s)
	if err != nil {
		return nil, err
	}
	return &buffer{Buffer: inner, be: b}, nil
}

func (b *Backend) NewSharedBuffer(d compute.DeviceNum, s shapes.Shape) (compute.Buffer, any, error) {
	inner, flat, err := b.inner.NewSharedBuffer(d, s)
	if err != nil {
		return nil, nil, err
	}
	return &buffer{Buffer: inner, be: b}, flat, nil
}

// A buffer is a buffer of the wrapped backend that names the wrapping one as
// its owner: tensors compare the two.
type buffer struct {
	compute.Buffer
	be      *Backend
	pool    *pool // where its memory returns to; nil for the wrapped backend
	donated bool
}

func (b *buffer) Backend() compute.Backend { return b.be }

func (b *buffer) Finalize() error {
	if b.donated {
		return nil
	}
	return b.free()
}

// donate frees the buffer of a caller who has given it up, but may finalize it
// all the same.
func (b *buffer) donate() error {
	if b.donated {
		return errFinalized
	}
	b.donated = true
	return b.free()
}

func (b *buffer) free() error {
	inner := b.Buffer
	b.Buffer = finalized{}
	if b.pool == nil || b.be.IsFinalized() {
		return inner.Finalize()
	}
	if inner == (finalized{}) {
		return errFinalized
	}
	b.pool.put(inner)
	return nil
}

func (b *buffer) CopyToDevice(d compute.DeviceNum) (compute.Buffer, error) {
	inner, err := b.Buffer.CopyToDevice(d)
	if err != nil {
		return nil, err
	}
	return &buffer{Buffer: inner, be: b.be}, nil
}

// finalized is what a finalized buffer holds.
type finalized struct{}

var errFinalized = errors.New("fastgo: buffer used after it was finalized")

func (finalized) Backend() compute.Backend              { return nil }
func (finalized) Finalize() error                       { return errFinalized }
func (finalized) Shape() (shapes.Shape, error)          { return shapes.Shape{}, errFinalized }
func (finalized) DeviceNum() (compute.DeviceNum, error) { return 0, errFinalized }
func (finalized) ToFlatData(any) error                  { return errFinalized }
func (finalized) Data() (any, error)                    { return nil, errFinalized }
func (finalized) CopyToDevice(compute.DeviceNum) (compute.Buffer, error) {
	return nil, errFinalized
}

// A pool holds buffers of one shape. The wrapped backend would give their
// memory to the garbage collector and take new.
type pool struct {
	be    compute.Backend
	shape shapes.Shape
	free  sync.Pool
}

func (b *Backend) pool(s shapes.Shape) *pool {
	p, _ := b.pools.LoadOrStore(s.String(), &pool{be: b.inner, shape: s.Clone()})
	return p.(*pool)
}

// get returns a buffer with any contents.
func (p *pool) get() (compute.Buffer, error) {
	if b, ok := p.free.Get().(compute.Buffer); ok {
		return b, nil
	}
	b, _, err := p.be.NewSharedBuffer(0, p.shape)
	return b, err
}

func (p *pool) put(b compute.Buffer) { p.free.Put(b) }

package train

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// state is what a step changes, on the device: the tensors of the network in the order of Arch.Params, then the
// momentum buffers of the trainable ones among them.
type state []*tensors.Tensor

// upload copies weights to the device, with momentum buffers of zero.
func upload(be *backend.Backend, a *nets.Arch, w nets.Weights) (s state, err error) {
	host := make([]*nets.Tensor, 0, 2*len(a.Params))
	for _, p := range a.Params {
		host = append(host, w[p.Name])
	}
	for _, p := range a.Params {
		if p.Trainable() {
			host = append(host, nets.NewTensor(p.Shape...))
		}
	}
	for i, h := range host {
		t := tensors.FromFlatDataAndDimensions(h.Data, h.Shape...)
		if err := t.MaterializeOnDevice(be.Backend, false, 0); err != nil {
			s.free()
			return nil, fmt.Errorf("uploading tensor %d: %w", i, err)
		}
		t.FinalizeLocal()
		s = append(s, t)
	}
	return s, nil
}

// weights copies the network's tensors to the host.
func (s state) weights(a *nets.Arch) (nets.Weights, error) {
	w := nets.Weights{}
	for i, p := range a.Params {
		data, err := tensors.CopyFlatData[float32](s[i])
		if err != nil {
			return nil, fmt.Errorf("downloading %s: %w", p.Name, err)
		}
		w[p.Name] = &nets.Tensor{Shape: p.Shape, Data: data}
	}
	return w, nil
}

// free releases the device's memory.
func (s state) free() {
	for _, t := range s {
		t.FinalizeAll()
	}
}

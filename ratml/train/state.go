package train

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// state is what a step changes, on every device: tensors in the order of a layout.
type state [][]*tensors.Tensor

// initial returns the values of a state, in the order of the layout, that starts with weights w.
func (l layout) initial(w nets.Weights) []*nets.Tensor {
	var list []*nets.Tensor
	for _, p := range l.arch.Params {
		list = append(list, w[p.Name])
	}
	for _, shape := range l.shapes()[len(list):] {
		list = append(list, nets.NewTensor(shape...))
	}
	if l.average {
		copy(list[l.len()-len(l.arch.Params):], list)
	}
	return list
}

// upload copies the values of a state to n devices.
func upload(be *backend.Backend, n int, host []*nets.Tensor) (s state, err error) {
	for d := range n {
		s = append(s, nil)
		for i, h := range host {
			t := tensors.FromFlatDataAndDimensions(h.Data, h.Shape...)
			if err := t.MaterializeOnDevice(be.Backend, false, compute.DeviceNum(d)); err != nil {
				s.free()
				return nil, fmt.Errorf("uploading tensor %d: %w", i, err)
			}
			t.FinalizeLocal()
			s[d] = append(s[d], t)
		}
	}
	return s, nil
}

// download copies the tensors from i to before j to the host, from the first device.
func (s state) download(l layout, i, j int) ([]*nets.Tensor, error) {
	shapes := l.shapes()
	var list []*nets.Tensor
	for k := i; k < j; k++ {
		data, err := tensors.CopyFlatData[float32](s[0][k])
		if err != nil {
			return nil, fmt.Errorf("downloading %s: %w", l.names()[k], err)
		}
		list = append(list, &nets.Tensor{Shape: shapes[k], Data: data})
	}
	return list, nil
}

// weights copies the network's tensors to the host.
func (s state) weights(l layout) (nets.Weights, error) { return s.network(l, 0) }

// averaged copies the averaged tensors to the host, the network's own where there are none.
func (s state) averaged(l layout) (nets.Weights, error) {
	if !l.average {
		return s.weights(l)
	}
	return s.network(l, l.len()-len(l.arch.Params))
}

func (s state) network(l layout, first int) (nets.Weights, error) {
	list, err := s.download(l, first, first+len(l.arch.Params))
	if err != nil {
		return nil, err
	}
	w := nets.Weights{}
	for i, p := range l.arch.Params {
		w[p.Name] = list[i]
	}
	return w, nil
}

// free releases the devices' memory.
func (s state) free() { freeAll(s) }

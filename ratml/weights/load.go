package weights

import (
	"io"

	"github.com/ratml/rat/ratml/internal/safetensors"
	"github.com/ratml/rat/ratml/nets"
)

// Load reads the weights in the file at path: safetensors, or a file of torch.save, which may be a zip archive of its
// own. Tensors of type F64, F16 and BF16 become float32. In a PyTorch checkpoint the weights are found under
// "state_dict", "model_state_dict", "model", "net", "ema" and the like; see [File].Entry.
//
// It drops PyTorch's step counters (int64 scalars called num_batches_tracked), which play no part in evaluation or in
// training with a fixed momentum, and removes the prefixes that wrappers such as DataParallel put before all names:
// "module.", "backbone.", "model.", "net.", "_orig_mod.", and the "0." or "1." of a Sequential. Of a Sequential of a
// normalisation and a network the buffers 0.mean and 0.std become "mean" and "std".
//
// It does not look at the values; [nets.NewClassifier] and [Open] refuse those that are not finite.
func Load(path string) (nets.Weights, error) {
	var w nets.Weights
	err := read(path, func(c *content) (err error) {
		w, err = c.values()
		return err
	})
	return w, err
}

// keep reads the n bytes of a tensor's values into w, unless they are of no use.
func keep(w nets.Weights, t Tensor, data io.Reader, n int64) error {
	if t.Ignored {
		_, err := io.CopyN(io.Discard, data, n)
		return err
	}
	v, err := readTensor(t, data)
	if err != nil {
		return err
	}
	w[t.Name] = v
	return nil
}

func readTensor(of Tensor, data io.Reader) (*nets.Tensor, error) {
	width, decode := int(safetensors.Width(of.Dtype)), decoders[of.Dtype]
	t := nets.NewTensor(of.Shape...)
	buffer := make([]byte, min(len(t.Data), 1<<14)*width)
	for rest := t.Data; len(rest) > 0; {
		n := min(len(rest), len(buffer)/width)
		if _, err := io.ReadFull(data, buffer[:n*width]); err != nil {
			return nil, err
		}
		for i := range n {
			rest[i] = decode(buffer[i*width:])
		}
		rest = rest[n:]
	}
	return t, nil
}

// noEOF calls an end of the file what it is where more was promised.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

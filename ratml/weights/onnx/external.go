package onnx

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gomlx/compute-onnx/support/protos"
)

// embed reads what tensors have in other files. These must lie in the folder of the model, or below it.
func embed(tensors []*protos.TensorProto, folder string) error {
	var root *os.Root
	for _, t := range tensors {
		if t.GetDataLocation() != protos.TensorProto_EXTERNAL && len(t.GetExternalData()) == 0 {
			continue
		}
		if root == nil {
			var err error
			if root, err = os.OpenRoot(folder); err != nil {
				return err
			}
			defer root.Close()
		}
		if err := embedOne(t, root); err != nil {
			return fmt.Errorf("external data of %q: %w", t.GetName(), err)
		}
	}
	return nil
}

func embedOne(t *protos.TensorProto, root *os.Root) error {
	at := extent{length: -1}
	for _, e := range t.GetExternalData() {
		if err := at.set(e.GetKey(), e.GetValue()); err != nil {
			return err
		}
	}
	n, err := count(t.GetDims())
	if err != nil {
		return err
	}
	size := int64(n * elements[protos.TensorProto_DataType(t.GetDataType())])
	if at.length >= 0 && at.length != size {
		return fmt.Errorf("%d bytes, want %d for dimensions %v", at.length, size, t.GetDims())
	}
	raw, err := at.read(root, size)
	if err != nil {
		return err
	}
	t.RawData, t.ExternalData, t.DataLocation = raw, nil, protos.TensorProto_DEFAULT
	return nil
}

// extent is a place in another file.
type extent struct {
	location       string
	offset, length int64 // -1 where none is stated
}

func (x *extent) set(key, value string) (err error) {
	switch key {
	case "location":
		x.location = value
	case "offset":
		x.offset, err = strconv.ParseInt(value, 10, 64)
	case "length":
		x.length, err = strconv.ParseInt(value, 10, 64)
	}
	return err
}

// read returns so many bytes, having seen that the file has them.
func (x extent) read(root *os.Root, size int64) ([]byte, error) {
	location := filepath.FromSlash(strings.ReplaceAll(x.location, `\`, "/"))
	if !filepath.IsLocal(location) {
		return nil, fmt.Errorf("file %q is not in the folder of the model; move it there and store its name alone", x.location)
	}
	f, err := root.Open(location)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", location)
	}
	if x.offset < 0 || x.offset > info.Size() || size > info.Size()-x.offset {
		return nil, fmt.Errorf("%s holds %d bytes, want %d from %d on", location, info.Size(), size, x.offset)
	}
	raw := make([]byte, size)
	_, err = f.ReadAt(raw, x.offset)
	return raw, err
}

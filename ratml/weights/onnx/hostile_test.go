package onnx_test

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/weights/onnx"
)

// changed writes a copy of a file of testdata with something changed.
func changed(t testing.TB, name string, change func(m *protos.ModelProto)) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	m := &protos.ModelProto{}
	require.NoError(t, proto.Unmarshal(data, m))
	change(m)
	data, err = proto.Marshal(m)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// TestTruncated cuts files off at every 97th byte.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"normalised_script.onnx", "sklearn_mlp.onnx"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), name)
		for n := 0; n < len(data); n += 97 {
			require.NoError(t, os.WriteFile(path, data[:n], 0o600))
			_, err := onnx.Read(path, onnx.Options{})
			require.ErrorContains(t, err, path, "%d bytes", n)
		}
	}
}

// TestRefused changes a good file in ways that must be refused, by an error that says what is wrong.
func TestRefused(t *testing.T) {
	const file = "normalised_script.onnx"
	node := func(m *protos.ModelProto, op string) *protos.NodeProto {
		for _, n := range m.Graph.Node {
			if n.OpType == op {
				return n
			}
		}
		t.Fatal(op)
		return nil
	}
	largest := func(m *protos.ModelProto) *protos.TensorProto {
		best := m.Graph.Initializer[0]
		for _, i := range m.Graph.Initializer {
			if len(i.RawData) > len(best.RawData) {
				best = i
			}
		}
		return best
	}
	external := func(location, offset, length string) func(m *protos.ModelProto) {
		return func(m *protos.ModelProto) {
			w := largest(m)
			w.RawData, w.DataLocation = nil, protos.TensorProto_EXTERNAL
			w.ExternalData = []*protos.StringStringEntryProto{{Key: "location", Value: location}, {Key: "offset", Value: offset}, {Key: "length", Value: length}}
		}
	}
	for name, c := range map[string]struct {
		change  func(m *protos.ModelProto)
		options onnx.Options
		want    []string
	}{
		"unknown operation": {func(m *protos.ModelProto) { node(m, "MaxPool").OpType = "Wobble" }, onnx.Options{},
			[]string{`node "/net/net.2/MaxPool"`, "operation Wobble", "operation set ai.onnx 17", "not supported"}},
		"unknown domain": {func(m *protos.ModelProto) { node(m, "MaxPool").Domain = "org.example" }, onnx.Options{},
			[]string{"MaxPool", "org.example", "not supported"}},
		"weights too few": {func(m *protos.ModelProto) { w := largest(m); w.RawData = w.RawData[:len(w.RawData)-4] }, onnx.Options{},
			[]string{"initialiser", "bytes"}},
		"huge dimensions": {func(m *protos.ModelProto) { largest(m).Dims = []int64{math.MaxInt64, math.MaxInt64} }, onnx.Options{}, []string{"dimensions"}},
		"overflowing dimensions": {func(m *protos.ModelProto) { largest(m).Dims = []int64{1 << 32, 1 << 32} }, onnx.Options{},
			[]string{"dimensions"}},
		"negative dimension": {func(m *protos.ModelProto) { largest(m).Dims[0] *= -1 }, onnx.Options{}, []string{"negative"}},
		"other dimensions": {func(m *protos.ModelProto) { w := largest(m); w.Dims[0], w.Dims[1] = w.Dims[1], w.Dims[0] }, onnx.Options{},
			[]string{"Gemm"}},
		"no graph":         {func(m *protos.ModelProto) { m.Graph = nil }, onnx.Options{}, []string{"graph"}},
		"missing input":    {func(m *protos.ModelProto) { node(m, "Conv").Input[0] = "elsewhere" }, onnx.Options{}, []string{"Conv", "elsewhere"}},
		"circle":           {func(m *protos.ModelProto) { node(m, "Conv").Input[0] = node(m, "Gemm").Output[0] }, onnx.Options{}, []string{"Conv", "before it"}},
		"huge padding":     {func(m *protos.ModelProto) { attribute(node(m, "Conv"), "pads").Ints = []int64{1 << 40, 0, 0, 0} }, onnx.Options{}, []string{"Conv", "pads"}},
		"huge window":      {func(m *protos.ModelProto) { attribute(node(m, "MaxPool"), "kernel_shape").Ints = []int64{1 << 62, 1} }, onnx.Options{}, []string{"MaxPool"}},
		"window too large": {func(m *protos.ModelProto) { attribute(node(m, "MaxPool"), "kernel_shape").Ints = []int64{40, 40} }, onnx.Options{}, []string{"MaxPool"}},
		"stride 0":         {func(m *protos.ModelProto) { attribute(node(m, "Conv"), "strides").Ints = []int64{0, 1} }, onnx.Options{}, []string{"Conv", "strides"}},
		"sparse":           {func(m *protos.ModelProto) { m.Graph.SparseInitializer = []*protos.SparseTensorProto{{}} }, onnx.Options{}, []string{"sparse"}},
		"functions":        {func(m *protos.ModelProto) { m.Functions = []*protos.FunctionProto{{Name: "block"}} }, onnx.Options{}, []string{"block", "inline"}},
		"elsewhere":        {external("../secret.bin", "0", "864"), onnx.Options{}, []string{"../secret.bin", "folder"}},
		"absolute":         {external("/etc/hostname", "0", "864"), onnx.Options{}, []string{"/etc/hostname", "folder"}},
		"backslashes":      {external(`..\secret.bin`, "0", "864"), onnx.Options{}, []string{"secret.bin", "folder"}},
		"absent":           {external("absent.bin", "0", "864"), onnx.Options{}, []string{"absent.bin"}},
		"beyond the end":   {external(file, "999999999", "864"), onnx.Options{}, []string{file}},
		"negative offset":  {external(file, "-5", "864"), onnx.Options{}, []string{file}},
		"length":           {external(file, "0", "12"), onnx.Options{}, []string{"12 bytes"}},
		"no such output":   {func(*protos.ModelProto) {}, onnx.Options{Output: "nothing"}, []string{`"nothing"`, `"logits"`}},
		"wrong size":       {func(*protos.ModelProto) {}, onnx.Options{Input: nets8(9)}, []string{"does not take images"}},
		"wrong layout":     {func(*protos.ModelProto) {}, onnx.Options{Layout: onnx.Flat}, []string{"layout"}},
		"two means":        {func(*protos.ModelProto) {}, onnx.Options{Mean: []float32{0, 0}}, []string{"2 means"}},
		"open size":        {func(m *protos.ModelProto) { dims(m)[2].Value, dims(m)[3].Value = nil, nil }, onnx.Options{}, []string{"Input"}},
		"several outputs": {func(m *protos.ModelProto) {
			o := m.Graph.Output[0]
			m.Graph.Output = append(m.Graph.Output, proto.Clone(o).(*protos.ValueInfoProto))
		}, onnx.Options{}, []string{"outputs", "Output"}},
		"training": {func(m *protos.ModelProto) { training(m) }, onnx.Options{}, []string{"training mode"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := changed(t, file, c.change)
			_, err := onnx.Read(path, c.options)
			for _, part := range append(c.want, path) {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

// TestNaN: weights that are no numbers are named.
func TestNaN(t *testing.T) {
	path := changed(t, "normalised_script.onnx", func(m *protos.ModelProto) {
		for _, i := range m.Graph.Initializer {
			if i.Name == "net.4.weight" {
				copy(i.RawData, []byte{0, 0, 0xc0, 0x7f})
			}
		}
	})
	_, err := onnx.Open(backendtest.Go(t), path, onnx.Options{})
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "net.4.weight holds NaN at element 0")
}

func attribute(n *protos.NodeProto, name string) *protos.AttributeProto {
	for _, a := range n.Attribute {
		if a.Name == name {
			return a
		}
	}
	a := &protos.AttributeProto{Name: name, Type: protos.AttributeProto_INTS}
	n.Attribute = append(n.Attribute, a)
	return a
}

func dims(m *protos.ModelProto) []*protos.TensorShapeProto_Dimension {
	return m.Graph.Input[0].Type.GetTensorType().Shape.Dim
}

// training puts a dropout in training mode before all.
func training(m *protos.ModelProto) {
	m.Graph.Initializer = append(m.Graph.Initializer,
		&protos.TensorProto{Name: "yes", DataType: int32(protos.TensorProto_BOOL), RawData: []byte{1}},
		&protos.TensorProto{Name: "half", DataType: int32(protos.TensorProto_FLOAT), FloatData: []float32{0.5}})
	first := m.Graph.Node[0]
	in := first.Input[0]
	first.Input[0] = "dropped"
	m.Graph.Node = append([]*protos.NodeProto{{OpType: "Dropout", Input: []string{in, "half", "yes"}, Output: []string{"dropped"}}}, m.Graph.Node...)
}

// TestSymbolicLink: a link in the folder does not lead out of it.
func TestSymbolicLink(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.bin")
	require.NoError(t, os.WriteFile(secret, make([]byte, 4096), 0o600))
	folder := t.TempDir()
	data, err := os.ReadFile(filepath.Join("testdata", "normalised_external.onnx"))
	require.NoError(t, err)
	path := filepath.Join(folder, "m.onnx")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	if err := os.Symlink(secret, filepath.Join(folder, "normalised_external.bin")); err != nil {
		t.Skip(err)
	}
	_, err = onnx.Read(path, onnx.Options{})
	require.ErrorContains(t, err, "normalised_external.bin")
}

// FuzzRead reads damaged files, and watches the memory.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"normalised_script", "sklearn_mlp", "sklearn_logistic", "mnist_inside"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".onnx"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	path := filepath.Join(f.TempDir(), "fuzzed.onnx")
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(path, data, 0o600))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := onnx.Read(path, onnx.Options{Input: nets8(8)})
		runtime.ReadMemStats(&after)
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name the file: %v", err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<30 {
			t.Errorf("%d bytes allocated for a file of %d: %v", got, len(data), err)
		}
	})
}

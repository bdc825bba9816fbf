package onnx

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// TestNodes runs the onnx package's own tests of operations, those of testdata/nodes.tar.gz or, where it is set, of the
// folder $ONNX_NODES; testdata/nodes.py makes both. What is known to fail must fail.
func TestNodes(t *testing.T) {
	var tests fs.FS
	if folder := os.Getenv("ONNX_NODES"); folder != "" {
		tests = os.DirFS(folder)
	} else {
		tests = unpack(t, "testdata/nodes.tar.gz")
	}
	entries, err := fs.ReadDir(tests, ".")
	require.NoError(t, err)
	be := backendtest.Go(t)
	passed, failed := 0, 0
	for _, e := range entries {
		err := nodeTest(be, tests, e.Name())
		why, known := unsupported(e.Name())
		switch {
		case err == nil && known:
			t.Errorf("%s passes, though listed as failing: %s", e.Name(), why)
		case err == nil:
			passed++
		case !known:
			t.Errorf("%s: %v", e.Name(), err)
		default:
			failed++
			t.Logf("%s (%s): %v", e.Name(), why, err)
		}
	}
	t.Logf("%d passed, %d failed", passed, failed)
	require.Greater(t, passed, 100)
}

// unpack reads a packed folder.
func unpack(t *testing.T, name string) fs.FS {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	files := fstest.MapFS{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		require.NoError(t, err)
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		files[h.Name] = &fstest.MapFile{Data: data}
	}
}

// unsupported says why a test fails.
func unsupported(name string) (why string, known bool) {
	if strings.Contains(name, "resize") && (strings.Contains(name, "antialias") || strings.Contains(name, "_not_")) {
		return "antialiasing or the aspect ratio", true
	}
	for prefix, why := range knownFailures {
		if strings.HasPrefix(strings.TrimPrefix(name, "test_"), prefix) {
			return why, true
		}
	}
	return "", false
}

// knownFailures are the beginnings of names of tests.
var knownFailures = map[string]string{
	"AvgPool3d": "not of images", "Conv3d": "not of images", "MaxPool1d": "not of images", "MaxPool3d": "not of images",
	"averagepool_1d": "not of images", "averagepool_3d": "not of images", "maxpool_1d": "not of images",
	"maxpool_3d": "not of images", "operator_maxpool": "not of images",
	"MaxPool2d_stride_padding_dilation": "dilated pooling", "averagepool_2d_dilations": "dilated pooling", "maxpool_2d_dilations": "dilated pooling",
	"PReLU_1d_multiparam": "operation set 6", "PReLU_2d_multiparam": "operation set 6", "PReLU_3d_multiparam": "operation set 6",
	"operator_add_broadcast": "operation set 6", "operator_add_size1": "operation set 6",
	"batchnorm_epsilon_training": "training", "batchnorm_example_training": "training", "training_dropout": "training",
	"cast_FLOAT16_to_FLOAT4": "numbers of 2, 4 or 8 bits", "cast_FLOAT16_to_FLOAT8": "numbers of 2, 4 or 8 bits",
	"cast_FLOAT16_to_INT": "numbers of 2, 4 or 8 bits", "cast_FLOAT16_to_UINT": "numbers of 2, 4 or 8 bits",
	"cast_FLOAT4": "numbers of 2, 4 or 8 bits", "cast_FLOAT8": "numbers of 2, 4 or 8 bits", "cast_INT": "numbers of 2, 4 or 8 bits",
	"cast_UINT": "numbers of 2, 4 or 8 bits", "cast_e8m0": "numbers of 2, 4 or 8 bits", "cast_no_saturate": "numbers of 2, 4 or 8 bits",
	"cast_FLOAT_to_FLOAT4": "numbers of 2, 4 or 8 bits", "cast_FLOAT_to_FLOAT8": "numbers of 2, 4 or 8 bits",
	"cast_FLOAT_to_INT": "numbers of 2, 4 or 8 bits", "cast_FLOAT_to_UINT": "numbers of 2, 4 or 8 bits",
	"castlike_FLOAT16_to_FLOAT4": "numbers of 2, 4 or 8 bits", "castlike_FLOAT16_to_FLOAT8": "numbers of 2, 4 or 8 bits",
	"castlike_FLOAT16_to_INT": "numbers of 2, 4 or 8 bits", "castlike_FLOAT16_to_UINT": "numbers of 2, 4 or 8 bits",
	"castlike_FLOAT4": "numbers of 2, 4 or 8 bits", "castlike_FLOAT8": "numbers of 2, 4 or 8 bits", "castlike_INT": "numbers of 2, 4 or 8 bits",
	"castlike_UINT": "numbers of 2, 4 or 8 bits", "castlike_no_saturate": "numbers of 2, 4 or 8 bits",
	"castlike_FLOAT_to_FLOAT4": "numbers of 2, 4 or 8 bits", "castlike_FLOAT_to_FLOAT8": "numbers of 2, 4 or 8 bits",
	"castlike_FLOAT_to_INT": "numbers of 2, 4 or 8 bits", "castlike_FLOAT_to_UINT": "numbers of 2, 4 or 8 bits",
	"einsum_batch_diagonal": "one operand", "einsum_scalar": "one operand", "einsum_sum": "one operand", "einsum_transpose": "one operand",
	"equal_string":                 "texts",
	"einsum_inner_prod":            "an equation without a result",
	"gathernd_example_int32_batch": "batch dimensions",
	"operator_addconstant":         "float64 beyond float32",
	"reduce_max_bool":              "maximum of truth values", "reduce_max_empty_set_bool": "maximum of truth values", "reduce_min_bool": "minimum of truth values",
	"reshape_allowzero":         "no elements",
	"resize_tf_crop_and_resize": "cropping",
	"slice_neg_steps":           "backwards",
	"split_1d_uneven":           "unequal parts of no stated size", "split_2d_uneven": "unequal parts of no stated size",
	"tril_zero": "no elements", "triu_zero": "no elements",
	"wrap_pad": "padding with the other side",
}

// nodeTest runs one test on all its outputs.
func nodeTest(be *backend.Backend, tests fs.FS, name string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	data, err := fs.ReadFile(tests, path.Join(name, "model.onnx"))
	if err != nil {
		return err
	}
	outputs, err := fs.Glob(tests, path.Join(name, "test_data_set_0/output_*.pb"))
	if err != nil {
		return err
	}
	for i := range outputs {
		m := &protos.ModelProto{}
		if err := proto.Unmarshal(data, m); err != nil {
			return err
		}
		if op := m.Graph.Node[0].OpType; i > 0 && (op == "Dropout" || op == "LayerNormalization" || op == "MaxPool") {
			continue // masks, statistics and indices, which training wants
		}
		if err := nodeOutput(be, tests, name, m, i); err != nil {
			return err
		}
	}
	return nil
}

func readTensor(tests fs.FS, name, kind string, i int) (*protos.TensorProto, error) {
	data, err := fs.ReadFile(tests, fmt.Sprintf("%s/test_data_set_0/%s_%d.pb", name, kind, i))
	if err != nil {
		return nil, err
	}
	t := &protos.TensorProto{}
	return t, proto.Unmarshal(data, t)
}

// nodeOutput compares one output.
func nodeOutput(be *backend.Backend, tests fs.FS, name string, m *protos.ModelProto, i int) error {
	output := m.Graph.Output[i].Name
	inputs, err := nodeInputs(tests, name, m)
	if err != nil {
		return err
	}
	if err := rewrite.Model(m); err != nil {
		return err
	}
	net, err := newNetwork(m, output)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(inputs))
	var args []any
	for _, n := range names {
		args = append(args, inputs[n].tensor())
	}
	got, err := run(be, net, output, names, args)
	if err != nil {
		return err
	}
	want, err := readTensor(tests, name, "output", i)
	if err != nil {
		return err
	}
	w, err := decode(want)
	if err != nil {
		return err
	}
	tolerance := 1e-3 // as onnx/backend/test/runner has it
	if protos.TensorProto_DataType(want.DataType) == protos.TensorProto_BFLOAT16 {
		tolerance = 1e-2 // computed in float32
	}
	return compare(got, w, tolerance)
}

// nodeInputs makes constants of those inputs that are such in any model, and returns the others.
func nodeInputs(tests fs.FS, name string, m *protos.ModelProto) (map[string]*constant, error) {
	needed := map[string]bool{}
	for _, n := range m.Graph.Node {
		for k, in := range n.Input {
			if slices.Contains(static[n.OpType], k) || n.OpType == "ConstantOfShape" || k > 0 && mayBeStatic(n.OpType) {
				needed[in] = true
			}
		}
	}
	inputs := map[string]*constant{}
	for k, in := range m.Graph.Input {
		t, err := readTensor(tests, name, "input", k)
		if errors.Is(err, fs.ErrNotExist) {
			break // an initialiser
		}
		if err != nil {
			return nil, err
		}
		if needed[in.Name] {
			t.Name = in.Name
			m.Graph.Initializer = append(m.Graph.Initializer, t)
			continue
		}
		if inputs[in.Name], err = decode(t); err != nil {
			return nil, err
		}
	}
	return inputs, nil
}

func mayBeStatic(op string) bool {
	return op == "Dropout" || op == "CastLike" || strings.HasPrefix(op, "Reduce")
}

// run computes an output.
func run(be *backend.Backend, net *network, output string, names []string, args []any) (*tensors.Tensor, error) {
	exec, err := graph.NewExec(be.Backend, func(g *graph.Graph, in []*graph.Node) *graph.Node {
		inputs := map[string]*graph.Node{}
		for i, n := range names {
			inputs[n] = in[i]
		}
		defer func() {
			if r := recover(); r != nil {
				panic(recovered(r))
			}
		}()
		b := net.build(g, inputs, 1, func(name string, _ nets.Kind, dims ...int) *graph.Node {
			return graph.Const(g, tensors.FromFlatDataAndDimensions(net.weights[name].Data, dims...))
		})
		y := b.node(output)
		if y.DType() == dtypes.Bool {
			y = graph.ConvertDType(y, dtypes.Int32)
		}
		return graph.ConvertDType(y, dtypes.Float64)
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	if len(args) == 0 {
		args = append(args, tensors.FromShape(shapes.Make(dtypes.Float32, 1)))
		names = append(names, "nothing")
	}
	out, err := exec.Call(args...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func compare(got *tensors.Tensor, want *constant, tolerance float64) error {
	if !slices.Equal(got.Shape().Dimensions, want.dims) {
		return fmt.Errorf("dimensions %v, want %v", got.Shape().Dimensions, want.dims)
	}
	v, err := tensors.CopyFlatData[float64](got)
	if err != nil {
		return err
	}
	for i, w := range want.v {
		same := v[i] == w || math.IsNaN(v[i]) && math.IsNaN(w)
		if !same && !(math.Abs(v[i]-w) <= 1e-6+tolerance*math.Abs(w)) {
			return fmt.Errorf("element %d is %v, want %v", i, v[i], w)
		}
	}
	return nil
}

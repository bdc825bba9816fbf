package weights_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// torchFiles is what testdata/torch_files.py wrote.
type torchFiles struct {
	Mixed map[string]struct {
		Shape []int
		Data  []float32
	}
	SmallCNN map[string][2]float64 // first element and sum
}

func readTorchFiles(t *testing.T) (f torchFiles) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "torch_files.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &f))
	require.Len(t, f.Mixed, 15)
	return f
}

// TestTorchFiles reads the same tensors of every kind from all that torch.save makes of them.
func TestTorchFiles(t *testing.T) {
	want := readTorchFiles(t).Mixed
	for name, c := range map[string]struct {
		format, entry, prefix string
		others                []string
	}{
		"mixed.pth":                  {format: "PyTorch zip"},
		"mixed_protocol1.pth":        {format: "PyTorch zip"},
		"mixed_protocol3.pth":        {format: "PyTorch zip"},
		"mixed_protocol4.pth":        {format: "PyTorch zip"},
		"mixed_protocol5.pth":        {format: "PyTorch zip"},
		"mixed_legacy.pth":           {format: "PyTorch legacy"},
		"mixed_legacy_protocol4.pth": {format: "PyTorch legacy"},
		"mixed_no_checksum.pth":      {format: "PyTorch zip"},
		"mixed_deflated.pth":         {format: "PyTorch zip"},
		"mixed.pth.zip":              {format: "PyTorch zip"},
		"mixed_dataparallel.pth":     {format: "PyTorch zip", prefix: "module."},
		"mixed_lightning.ckpt":       {format: "PyTorch zip", entry: "state_dict", prefix: "backbone."},
		"mixed_checkpoint.pt":        {format: "PyTorch zip", entry: "net", others: []string{"ema"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			got, err := weights.Load(path)
			require.NoError(t, err)
			if name == "mixed_lightning.ckpt" {
				require.Equal(t, []float32{.5, .5, .5}, got["mean"].Data)
				require.Equal(t, []float32{.25, .25, .25}, got["std"].Data)
				delete(got, "mean")
				delete(got, "std")
			}
			require.Len(t, got, len(want))
			for name, w := range want {
				require.NotNil(t, got[name], name)
				require.Equal(t, w.Shape, got[name].Shape, name)
				require.True(t, equalBits(w.Data, got[name].Data), "%s is %v, want %v", name, got[name].Data, w.Data)
			}
			f, err := weights.Inspect(path)
			require.NoError(t, err)
			require.Equal(t, c.format, f.Format)
			require.Equal(t, c.entry, f.Entry)
			require.Equal(t, c.prefix, f.Prefix)
			require.Equal(t, c.others, f.Others)
			require.Equal(t, strings.HasSuffix(name, ".zip"), f.Zipped)
			dtypes := map[string]string{}
			for _, d := range f.Tensors {
				dtypes[d.Name] = d.Dtype
				require.Equal(t, d.Name == "bn.num_batches_tracked", d.Ignored)
			}
			require.Equal(t, "I64", dtypes["bn.num_batches_tracked"])
			require.Equal(t, "F64", dtypes["f64"])
			require.Equal(t, "F16", dtypes["f16"])
			require.Equal(t, "BF16", dtypes["bf16"])
		})
	}
}

// Tensors that shared memory do not share it here: training changes one without the other.
func TestTorchSharedStorage(t *testing.T) {
	w, err := weights.Load(filepath.Join("testdata", "mixed.pth"))
	require.NoError(t, err)
	before := w["last"].Data[0]
	w["tied"].Data[2] = 100
	require.Equal(t, before, w["last"].Data[0])
}

// TestTorchEntries finds weights under names and with wrappers that are seldom.
func TestTorchEntries(t *testing.T) {
	for name, c := range map[string]struct {
		entry string
		want  []string
	}{
		"generator.pth": {"generator", []string{"w"}},
		"nested.pth":    {"model.state_dict", []string{"w"}},
		"averaged.pth":  {"", []string{"bias", "weight"}},
		"window.pth":    {"", []string{"attn.relative_position_bias_table"}},
	} {
		path := filepath.Join("testdata", name)
		f, err := weights.Inspect(path)
		require.NoError(t, err, name)
		require.Equal(t, c.entry, f.Entry)
		w, err := weights.Load(path)
		require.NoError(t, err, name)
		require.Equal(t, c.want, w.Names())
	}
	m, err := weights.Metadata(filepath.Join("testdata", "nested.pth"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"epoch": "1"}, m, "what is outside counts")
}

// TestTorchInItself reads dicts that hold themselves.
func TestTorchInItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "itself.pth")
	for _, pickle := range []string{
		"}q\x00X\x0a\x00\x00\x00state_dicth\x00s.",
		"}q\x00X\x08\x00\x00\x00metadatah\x00s.",
		"}q\x00(X\x05\x00\x00\x00modelh\x00X\x03\x00\x00\x00neth\x00u.",
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		e, err := z.Create("archive/data.pkl")
		require.NoError(t, err)
		_, err = e.Write([]byte(pickle))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o666))
		_, err = weights.Load(path)
		require.Error(t, err)
	}
}

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		names   []string
		dataset string
		want    string
	}{
		{[]string{"smallcnn_fashion_mnist", "smallcnn_mnist"}, "mnist", "smallcnn_mnist"},
		{[]string{"smallcnn_mnist", "smallcnn_fashion_mnist"}, "mnist", "smallcnn_mnist"},
		{[]string{"smallcnn_fashion_mnist", "smallcnn_mnist"}, "fashion_mnist", "smallcnn_fashion_mnist"},
		{[]string{"a_svhn_outlier", "a_cifar10_outlier"}, "cifar10", "a_cifar10_outlier"},
		{[]string{"a_cifar10", "b_cifar10"}, "cifar10", ""},
		{[]string{"a_cifar10", "b_svhn"}, "mnist", ""},
	} {
		require.Equal(t, c.want, weights.Named(c.names, c.dataset), "%v", c.names)
	}
}

func TestTorchMetadata(t *testing.T) {
	m, err := weights.Metadata(filepath.Join("testdata", "mixed_checkpoint.pt"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"epoch": "12", "arch": "own"}, m)
	m, err = weights.Metadata(filepath.Join("testdata", "mixed_lightning.ckpt"))
	require.NoError(t, err)
	require.Equal(t, "1200", m["global_step"])
}

// TestTorchRefused reads files that are no weights. None may be run, and each error says what the file is.
func TestTorchRefused(t *testing.T) {
	for name, want := range map[string]string{
		"module.pth":        "asks for torch.nn.modules.container.Sequential: it holds a whole module, not a state dict; in Python, save net.state_dict()",
		"module_legacy.pth": "asks for torch.nn.modules.container.Sequential: it holds a whole module",
		"script.pt":         "TorchScript program",
		"tensor.pth":        "it holds a tensor, not a state dict",
		"no_weights.pth":    `it holds no tensors by name; its entries are "epoch, optimizer"`,
		"two_dicts.pth":     `it holds tensors under "a, b"`,
		"integers.pth":      `tensor "index" is of type I32`,
		"unsigned.pth":      `tensor "index" is of type U16`,
		"pickle.pth":        "a pickle of a dict that torch.save did not write",
		"code.pth":          "asks for builtins.getattr, which is neither a tensor nor a plain container",
	} {
		path := filepath.Join("testdata", name)
		w, err := weights.Load(path)
		require.ErrorContains(t, err, "weights: "+path+": ", name)
		require.ErrorContains(t, err, want, name)
		require.Nil(t, w)
	}
}

// TestOpenTorch makes a classifier of a file of a data set's own network, whose architecture is found.
func TestOpenTorch(t *testing.T) {
	path := filepath.Join("testdata", "smallcnn.pth")
	fit, err := weights.Identify(path)
	require.NoError(t, err)
	require.Equal(t, []string{"smallcnn_fashion_mnist", "smallcnn_mnist"}, fit)
	want := readTorchFiles(t).SmallCNN
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		var log strings.Builder
		c, err := weights.OpenModel(be, path, weights.Options{Dataset: "mnist", Log: &log})
		require.NoError(t, err)
		require.Equal(t, "smallcnn_mnist", c.Arch.Name)
		require.Equal(t, "smallcnn.pth holds smallcnn_mnist\n", log.String())
		got := c.Weights()
		require.Len(t, want, len(got))
		for name, w := range want {
			sum := 0.
			for _, v := range got[name].Data {
				sum += float64(v)
			}
			require.Equal(t, float32(w[0]), got[name].Data[0])
			require.InDelta(t, w[1], sum, 1e-9)
		}
		_, err = weights.OpenModel(be, path, weights.Options{})
		require.ErrorContains(t, err, "fits smallcnn_fashion_mnist, smallcnn_mnist; name the one it is for")
		other, err := nets.New(be, "smallcnn_fashion_mnist", 1)
		require.NoError(t, err)
		require.NoError(t, weights.LoadInto(other, path))
		require.True(t, reflect.DeepEqual(other.Weights(), got))
		_, err = weights.OpenModel(be, filepath.Join("testdata", "mixed.pth"), weights.Options{})
		require.ErrorContains(t, err, "fits none of the architectures")
	})
}

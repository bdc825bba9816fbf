package onnx

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"google.golang.org/protobuf/proto"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// Options say what a file leaves open. The zero value is right for a file with one output, images of a stated size, and
// the normalisation inside.
type Options struct {
	// Name is the name of the architecture; "" is that of the file without its ending.
	Name string

	// Mean and Std, by channel, normalise images in [0,1] before the model sees them: (x-Mean)/Std. Without them the
	// model gets images as they are, or times 255 where its input is of integers. One alone leaves the other at 0 or 1.
	Mean, Std []float32

	// Layout is the order of the input.
	Layout Layout

	// Input is the size of images, needed where the file leaves it open. Dimensions that it states must agree.
	Input nets.Input

	// Output is the name of the logits; "" is the only output of floats.
	Output string
}

// Model is a classifier that was read from a file.
type Model struct {
	Arch    *nets.Arch
	Weights nets.Weights
	// Notes say what was found and assumed: layout, normalisation, batch, which output, a softmax taken away.
	Notes []string

	net *network
}

// Open reads the classifier in the ONNX file at path onto a backend. See [Read]; where the file is for a batch of one
// size, it also checks that images do not depend on each other in batches of another, which takes two compilations.
func Open(be *backend.Backend, path string, o Options) (*nets.Classifier, error) {
	return OpenLog(be, path, o, nil)
}

// Read reads the classifier in the ONNX file at path. Probabilities that the file puts out become logits: its last
// softmax is taken away. The error names the file and, where one is to blame, the node with its operation and operation
// set: one that is not supported, of dimensions that do not fit, a damaged or cut off file.
func Read(path string, o Options) (*Model, error) {
	m, err := read(path, o)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	return m, nil
}

func read(path string, o Options) (m *Model, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	file, err := load(path)
	if err != nil {
		return nil, err
	}
	net, softmax, err := parse(file, filepath.Dir(path), o)
	if err != nil {
		return nil, err
	}
	m = &Model{Weights: net.weights, net: net}
	if o.Name == "" {
		o.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	if m.Arch, err = net.arch(o); err != nil {
		return nil, err
	}
	for name := range maps.Keys(m.Weights) { // those that go into nothing but shapes
		if !slices.ContainsFunc(m.Arch.Params, func(p nets.Param) bool { return p.Name == name }) {
			delete(m.Weights, name)
		}
	}
	m.Notes = net.notes(o, softmax)
	return m, nil
}

// parse takes from a file, whose external data lie in a folder, what the logits need. It tells whether a softmax was
// taken away.
func parse(file *protos.ModelProto, folder string, o Options) (net *network, softmax bool, err error) {
	if err := rewrite.Model(file); err != nil {
		return nil, false, err
	}
	if err := embed(file.Graph.Initializer, folder); err != nil {
		return nil, false, err
	}
	output, err := findOutput(file.Graph, o.Output)
	if err != nil {
		return nil, false, err
	}
	softmax = rewrite.PastSoftmax(file.Graph, output)
	if net, err = newNetwork(file, output); err != nil {
		return nil, false, err
	}
	return net, softmax, net.findInput(file.Graph, o)
}

// load parses a file.
func load(path string) (*protos.ModelProto, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &protos.ModelProto{}
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("not an ONNX file, or a damaged one: %w", err)
	}
	switch g := m.GetGraph(); {
	case g == nil || len(g.Node) == 0:
		return nil, errors.New("not an ONNX file, or one without a graph")
	case len(g.SparseInitializer) > 0:
		return nil, errors.New("sparse initialisers are not supported")
	case len(m.Functions) > 0:
		return nil, fmt.Errorf("functions in the file, such as %q, are not supported; inline them with onnx.inliner.inline_local_functions", m.Functions[0].GetName())
	}
	return m, nil
}

// findOutput returns the name of the logits.
func findOutput(g *protos.GraphProto, name string) (string, error) {
	var all, floats []string
	for _, v := range g.GetOutput() {
		all = append(all, v.GetName())
		t := v.GetType()
		if s := t.GetSequenceType(); s != nil { // of scikit-learn's dictionaries
			floats = append(floats, v.GetName())
		} else if tensor := t.GetTensorType(); tensor == nil || isFloat(protos.TensorProto_DataType(tensor.GetElemType())) {
			floats = append(floats, v.GetName())
		}
	}
	switch {
	case name != "" && !slices.Contains(all, name):
		return "", fmt.Errorf("no output %q; there are %q", name, all)
	case name != "":
		return name, nil
	case len(floats) != 1:
		return "", fmt.Errorf("outputs %q, %d of floats; name the one that is the logits (option Output)", all, len(floats))
	}
	return floats[0], nil
}

// arch describes the network. It builds its graph once for the batch of the file, where that is fixed, or for two
// images, and for one.
func (m *network) arch(o Options) (*nets.Arch, error) {
	batch := m.input.batch
	if batch == 0 {
		batch = 2
	}
	classes := 0
	err := m.sketch(batch, func(b *builder) {
		classes = b.output().Shape().Dimensions[1]
		if m.input.batch > 0 {
			m.base, m.baseConstants = map[string][]int{}, map[string][]int{}
			for name, c := range b.constants {
				m.baseConstants[name] = c.ints()
			}
			for name, v := range b.values {
				m.base[name] = v.Shape().Dimensions
			}
		}
	})
	if err != nil {
		return nil, err
	}
	mean, std := m.normalisation(o)
	return nets.NewArch(o.Name, m.input.size, classes, mean, std, m.forward)
}

// normalisation returns mean and standard deviation by channel.
func (m *network) normalisation(o Options) (mean, std []float32) {
	mean, std = o.Mean, o.Std
	one := float32(1)
	if mean == nil && std == nil && m.input.bytes {
		one = 1. / 255
	}
	if mean == nil {
		mean = make([]float32, m.input.size.Channels)
	}
	if std == nil {
		std = slices.Repeat([]float32{one}, m.input.size.Channels)
	}
	return mean, std
}

// sketch calls f on a graph that is thrown away.
func (m *network) sketch(batch int, f func(b *builder)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	be, err := gobackend.New("ops_sequential")
	if err != nil {
		return err
	}
	defer be.Finalize()
	g := graph.NewGraph(be, "model")
	defer g.Finalize()
	s := m.input.size
	x := graph.Parameter(g, "images", shapes.Make(dtypes.Float32, batch, s.Height, s.Width, s.Channels))
	f(m.build(g, m.images(x), batch, func(name string, _ nets.Kind, dims ...int) *graph.Node {
		return graph.Parameter(g, "weight "+name, shapes.Make(dtypes.Float32, dims...))
	}))
	return nil
}

// images are the inputs for a batch of images.
func (m *network) images(x *graph.Node) map[string]*graph.Node {
	return map[string]*graph.Node{m.input.name: m.input.present(x)}
}

// forward is the network of [nets.Arch].
func (m *network) forward(p *nets.Pass, x *graph.Node) *graph.Node {
	b := m.build(x.Graph(), m.images(x), x.Shape().Dimensions[0], p.Param)
	logits := b.output()
	if m.features != "" {
		if f := b.node(m.features); f.Rank() == 2 && f.Shape().Dimensions[0] == b.batch {
			p.Features(f)
		}
	}
	return logits
}

func (m *network) notes(o Options, softmax bool) []string {
	s := m.input.size
	notes := []string{fmt.Sprintf("input %s: images of %dx%d with %d channels, layout %s", m.input.name, s.Height, s.Width, s.Channels, m.input.layout)}
	switch {
	case o.Mean != nil || o.Std != nil:
	case m.input.bytes:
		notes = append(notes, "the input is of integers: images in [0,1] are multiplied by 255; a mean and a standard deviation for others")
	default:
		notes = append(notes, "normalisation is taken to be inside the model, which gets images in [0,1]; state a mean and a standard deviation where it is not")
	}
	if m.input.batch > 0 {
		notes = append(notes, fmt.Sprintf("exported for batches of %d; other batches are made of it", m.input.batch))
	}
	if softmax {
		notes = append(notes, fmt.Sprintf("output %s: the softmax at its end is taken away", m.output))
	}
	if m.features == "" {
		notes = append(notes, "no linear layer at the end: scores of features cannot be had")
	}
	return notes
}

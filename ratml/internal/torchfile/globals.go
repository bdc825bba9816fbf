package torchfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// RefusedError says that a file asks for code.
type RefusedError struct {
	Global string // such as "torch.nn.modules.conv.Conv2d"
	Module bool   // whether a whole network was saved, by what else the file asks for
}

func (e *RefusedError) Error() string {
	if e.Module {
		return fmt.Sprintf("asks for %s: it holds a whole module, not a state dict; in Python, save net.state_dict()", e.Global)
	}
	return fmt.Sprintf("asks for %s, which is neither a tensor nor a plain container; in Python, save net.state_dict()", e.Global)
}

// dtypes are the names of element types by what files call them.
var dtypes = map[Global]string{
	"torch.FloatStorage": "F32", "torch.DoubleStorage": "F64", "torch.HalfStorage": "F16", "torch.BFloat16Storage": "BF16",
	"torch.LongStorage": "I64", "torch.IntStorage": "I32", "torch.ShortStorage": "I16", "torch.CharStorage": "I8",
	"torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL",
	"torch.ComplexFloatStorage": "C64", "torch.ComplexDoubleStorage": "C128",

	"torch.float32": "F32", "torch.float64": "F64", "torch.float16": "F16", "torch.bfloat16": "BF16",
	"torch.int64": "I64", "torch.int32": "I32", "torch.int16": "I16", "torch.int8": "I8",
	"torch.uint64": "U64", "torch.uint32": "U32", "torch.uint16": "U16", "torch.uint8": "U8", "torch.bool": "BOOL",
	"torch.complex64": "C64", "torch.complex128": "C128",
	"torch.float8_e4m3fn": "F8_E4M3", "torch.float8_e5m2": "F8_E5M2",
}

// untyped are storages that count bytes.
var untyped = map[Global]bool{"torch.storage.UntypedStorage": true, "torch.UntypedStorage": true}

// rebuilders make tensors of their arguments.
var rebuilders map[Global]func(m *machine, args []any) (any, error)

func init() { // they call each other
	rebuilders = map[Global]func(*machine, []any) (any, error){
		"torch._utils._rebuild_tensor":               rebuildTensor,
		"torch._utils._rebuild_tensor_v2":            rebuildTensor,
		"torch._utils._rebuild_tensor_v3":            rebuildTensor,
		"torch._utils._rebuild_parameter":            firstTensor,
		"torch._utils._rebuild_parameter_with_state": firstTensor,
		"torch._tensor._rebuild_from_type_v2":        rebuildFromType,
	}
}

// containers are classes of which only the contents matter: 'd' for dicts, 'l' for lists, tuples and sets, 'n' for
// objects whose attributes are read as a dict, 'o' for values that are not looked into.
var containers = map[Global]byte{
	"collections.OrderedDict": 'd', "collections.defaultdict": 'd', "collections.Counter": 'd', "builtins.dict": 'd',
	"builtins.list": 'l', "builtins.tuple": 'l', "builtins.set": 'l', "builtins.frozenset": 'l', "torch.Size": 'l',
	"argparse.Namespace": 'n', "types.SimpleNamespace": 'n',
	"pytorch_lightning.utilities.parsing.AttributeDict": 'd',
	"lightning.pytorch.utilities.parsing.AttributeDict": 'd',
	"lightning.fabric.utilities.data.AttributeDict":     'd',
	"lightning_fabric.utilities.data.AttributeDict":     'd',
	"lightning_utilities.core.apply_func.AttributeDict": 'd',
	"torch.device":                        'o',
	"torch.Tensor":                        'o',
	"torch.nn.parameter.Parameter":        'o',
	"torch.nn.parameter.Buffer":           'o',
	"torch.serialization._get_layout":     'o',
	"builtins.int":                        'o',
	"builtins.float":                      'o',
	"builtins.bool":                       'o',
	"builtins.str":                        'o',
	"builtins.bytes":                      'o',
	"builtins.bytearray":                  'o',
	"builtins.complex":                    'o',
	"builtins.slice":                      'o',
	"builtins.range":                      'o',
	"collections.deque":                   'o',
	"datetime.datetime":                   'o',
	"datetime.date":                       'o',
	"datetime.timedelta":                  'o',
	"pathlib.Path":                        'o',
	"pathlib.PosixPath":                   'o',
	"pathlib.PurePosixPath":               'o',
	"pathlib.WindowsPath":                 'o',
	"pathlib._local.PosixPath":            'o',
	"pathlib._local.WindowsPath":          'o',
	"_codecs.encode":                      'o',
	"numpy.dtype":                         'o',
	"numpy.ndarray":                       'o',
	"numpy.core.multiarray.scalar":        'o',
	"numpy._core.multiarray.scalar":       'o',
	"numpy.core.multiarray._reconstruct":  'o',
	"numpy._core.multiarray._reconstruct": 'o',
}

// global returns the global of a module, if it is among those that are known.
func (m *machine) global(module, name string) (Global, error) {
	module = strings.NewReplacer("__builtin__", "builtins", "copy_reg", "copyreg").Replace(module) // Python 2
	g := Global(module + "." + name)
	if dtypes[g] != "" || untyped[g] || rebuilders[g] != nil || containers[g] != 0 {
		return g, nil
	}
	return "", &RefusedError{Global: clip(string(g)), Module: m.mentionsModules()}
}

// clip shortens a name for a message.
func clip(name string) string {
	if len(name) > 200 {
		name = name[:200] + "..."
	}
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' {
			return '?'
		}
		return r
	}, name), "?")
}

// mentionsModules tells whether the pickle names layers somewhere in its first part.
func (m *machine) mentionsModules() bool {
	b := make([]byte, min(m.size, 1<<18))
	n, err := io.ReadFull(io.NewSectionReader(m.file, 0, m.size), b)
	return (err == nil || err == io.ErrUnexpectedEOF) && bytes.Contains(b[:n], []byte("torch.nn.modules"))
}

// object runs the opcodes that name globals and call them.
func (m *machine) object(op byte) (bool, error) {
	switch op {
	case 'c': // GLOBAL
		module, err := m.line()
		if err != nil {
			return true, err
		}
		name, err := m.line()
		if err != nil {
			return true, err
		}
		return true, m.pushGlobal(module, name)
	case 0x93: // STACK_GLOBAL
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		module, ok1 := v[0].(string)
		name, ok2 := v[1].(string)
		if !ok1 || !ok2 {
			return true, fmt.Errorf("a global is named by %s and %s", kind(v[0]), kind(v[1]))
		}
		return true, m.pushGlobal(module, name)
	case 'R', 0x81: // REDUCE, NEWOBJ
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		g, ok1 := v[0].(Global)
		args, ok2 := v[1].(*List)
		if !ok1 || !ok2 {
			return true, fmt.Errorf("%s is called with %s", kind(v[0]), kind(v[1]))
		}
		result, err := m.call(g, args.Items)
		if err != nil {
			return true, err
		}
		return true, m.push(result)
	case 'b': // BUILD
		return true, m.build()
	case 'Q': // BINPERSID
		v, err := m.pop()
		if err != nil {
			return true, err
		}
		id, ok := v.(*List)
		if !ok || m.persistent == nil {
			return true, fmt.Errorf("%s stands for a storage", kind(v))
		}
		result, err := m.persistent(id.Items)
		if err != nil {
			return true, err
		}
		return true, m.push(result)
	}
	return false, nil
}

func (m *machine) pushGlobal(module, name string) error {
	g, err := m.global(module, name)
	if err != nil {
		return err
	}
	if err := m.budget.take(int64(len(g)) + 16); err != nil {
		return err
	}
	return m.push(g)
}

// call returns what the call of a global stands for.
func (m *machine) call(g Global, args []any) (any, error) {
	if f := rebuilders[g]; f != nil {
		return f(m, args)
	}
	if err := m.budget.take(64); err != nil {
		return nil, err
	}
	switch containers[g] {
	case 'd', 'n':
		d := &Dict{attributes: containers[g] == 'n'}
		if len(args) > 0 {
			if from, ok := args[len(args)-1].(*Dict); ok { // OrderedDict(dict), Counter(dict)
				d.Entries = append(d.Entries, from.Entries...)
				return d, m.budget.take(32 * int64(len(d.Entries)))
			}
		}
		return d, nil
	case 'l':
		l := &List{}
		if len(args) == 1 {
			if from, ok := args[0].(*List); ok {
				l.Items = append(l.Items, from.Items...)
				return l, m.budget.take(16 * int64(len(l.Items)))
			}
		}
		return l, nil
	case 'o':
		return Opaque{g}, nil
	}
	return nil, fmt.Errorf("%s is called", g)
}

// build gives the object below the top of the stack its attributes, which matter for namespaces alone.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if from, is := state.(*Dict); ok && is && d.attributes && d != from {
		d.Entries = append(d.Entries, from.Entries...)
		return m.budget.take(32 * int64(len(d.Entries)))
	}
	return nil
}

// rebuildTensor makes a tensor of a storage, offset, shape and strides; what follows them is of use to training, but
// for an element type in the third version, where the storage has none.
func rebuildTensor(m *machine, args []any) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("a tensor is made of fewer than four arguments")
	}
	s, ok1 := args[0].(*Storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := integers(args[2])
	stride, ok4 := integers(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || len(shape) != len(stride) {
		return nil, fmt.Errorf("a tensor is made of %s, %s, %s and %s", kind(args[0]), kind(args[1]), kind(args[2]), kind(args[3]))
	}
	t := &Tensor{Dtype: dtypes[s.class], Shape: shape, Stride: stride, Offset: int(offset), Storage: s}
	if len(args) > 6 {
		if g, ok := args[6].(Global); ok {
			t.Dtype = dtypes[g]
		}
	}
	if err := m.budget.take(128 + 16*int64(len(shape))); err != nil {
		return nil, err
	}
	return t, t.check()
}

// check tells whether the tensor lies within its storage.
func (t *Tensor) check() error {
	w := width(t.Dtype)
	if w == 0 {
		return fmt.Errorf("a tensor of %s has no element type", t.Storage.class)
	}
	if len(t.Shape) > 64 {
		return fmt.Errorf("a tensor of %d dimensions", len(t.Shape))
	}
	there := t.Storage.bytes / w // elements
	if t.Offset < 0 || int64(t.Offset) > there {
		return fmt.Errorf("a tensor begins at element %d of a storage of %d", t.Offset, there)
	}
	n, last := int64(1), int64(t.Offset)
	empty := false
	for i, d := range t.Shape {
		if d < 0 || t.Stride[i] < 0 {
			return fmt.Errorf("a tensor of shape %v has strides %v", t.Shape, t.Stride)
		}
		empty = empty || d == 0
	}
	if empty {
		return nil
	}
	for i, d := range t.Shape {
		if n > math.MaxInt64/16/int64(d) {
			return fmt.Errorf("a tensor of shape %v is too large", t.Shape)
		}
		n *= int64(d)
		if t.Stride[i] > 0 && int64(d-1) > (there-last)/int64(t.Stride[i]) {
			last = there
			break
		}
		last += int64(d-1) * int64(t.Stride[i])
	}
	if last >= there {
		return fmt.Errorf("a tensor of shape %v and strides %v, from element %d on, ends outside its storage of %d elements",
			t.Shape, t.Stride, t.Offset, there)
	}
	return nil
}

func integers(v any) ([]int, bool) {
	l, ok := v.(*List)
	if !ok || len(l.Items) > 64 {
		return nil, false
	}
	out := make([]int, len(l.Items))
	for i, v := range l.Items {
		n, ok := v.(int64)
		if !ok || int64(int(n)) != n {
			return nil, false
		}
		out[i] = int(n)
	}
	return out, true
}

// firstTensor returns the tensor that a parameter wraps.
func firstTensor(_ *machine, args []any) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(*Tensor); ok {
			return t, nil
		}
	}
	return nil, errors.New("a parameter is made of no tensor")
}

// rebuildFromType makes a tensor with attributes, which are dropped, of a rebuilder and its arguments.
func rebuildFromType(m *machine, args []any) (any, error) {
	if len(args) >= 3 {
		g, ok1 := args[0].(Global)
		rest, ok2 := args[2].(*List)
		if f := rebuilders[g]; ok1 && ok2 && f != nil && g != "torch._tensor._rebuild_from_type_v2" {
			return f(m, rest.Items)
		}
	}
	return nil, errors.New("a tensor with attributes is made of no tensor")
}

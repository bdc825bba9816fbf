package numpickle

import (
	"bytes"
	"fmt"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// LoadDict reads a pickle whose value is a dictionary with names as keys, strings or bytes. Values are those of package
// gopickle, arrays are *Array. The pickle must end where data does. All errors are of type *Error.
func LoadDict(data []byte) (dict map[string]any, err error) {
	end, err := scan(data)
	if err != nil {
		return nil, err
	}
	if end != len(data) {
		return nil, fail(end, "%d more bytes, want the end of the pickle", len(data)-end)
	}
	value, err := run(data)
	if err != nil {
		return nil, err
	}
	d, ok := value.(*types.Dict)
	if !ok {
		return nil, fail(0, "the pickle holds a %T, want a dictionary", value)
	}
	dict = make(map[string]any, len(*d))
	for _, e := range *d {
		key, ok := text(e.Key)
		if !ok {
			return nil, fail(0, "a key of the dictionary is a %T, want a name", e.Key)
		}
		dict[key] = e.Value
	}
	return dict, nil
}

// run runs a pickle that scan has passed.
func run(data []byte) (value any, err error) {
	r := bytes.NewReader(data)
	defer func() { // the library indexes its stack and arguments without looking
		if p := recover(); p != nil {
			err = fail(len(data)-r.Len(), "the operations do not fit together: %v", p)
		}
	}()
	u := pickle.NewUnpickler(r)
	u.FindClass = func(module, name string) (any, error) {
		if class, ok := classes[module+"."+name]; ok {
			return class, nil
		}
		return nil, fmt.Errorf("the pickle asks for %q, want plain values and numpy arrays", module+"."+name)
	}
	value, err = u.Load()
	if err != nil {
		return nil, fail(len(data)-r.Len(), "%v", err)
	}
	return value, nil
}

// text returns a string, whichever way Python wrote it.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

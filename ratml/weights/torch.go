package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/internal/torchfile"
	"github.com/ratml/rat/ratml/nets"
)

// stateKeys are the entries of checkpoints under which weights lie, those first that are preferred where there are
// several: what a training evaluated by comes before its averages.
var stateKeys = []string{
	"state_dict", "model_state_dict", "model_state", "net_state_dict", "model", "net", "network", "weights", "params",
	"state_dict_ema", "model_ema", "ema_state_dict", "ema", "module",
}

func (c *content) openTorch(r io.ReaderAt, size int64) error {
	f, err := torchfile.Open(r, size)
	if err != nil {
		return err
	}
	c.Format, c.Zipped = f.Format, f.Zipped
	root, ok := f.Root.(*torchfile.Dict)
	if !ok {
		return fmt.Errorf("it holds %s, not a state dict", torchfile.Kind(f.Root))
	}
	d, err := c.find(root, 0)
	if err != nil {
		return err
	}
	named, prefix := unwrap(d)
	c.Prefix = prefix
	for name, t := range named {
		d := Tensor{Name: name, Dtype: t.Dtype, Shape: t.Shape}
		d.Ignored = ignored(d)
		c.Tensors = append(c.Tensors, d)
	}
	c.values = func() (nets.Weights, error) {
		if err := c.check(); err != nil {
			return nil, err
		}
		w := nets.Weights{}
		var all []*torchfile.Tensor
		var of []Tensor
		for _, t := range c.Tensors { // sorted
			if !t.Ignored {
				all, of = append(all, named[t.Name]), append(of, t)
			}
		}
		err := f.Read(all, func(i int, data []byte) error {
			if err := keep(w, of[i], bytes.NewReader(data), int64(len(data))); err != nil {
				return fmt.Errorf("tensor %q: %w", of[i].Name, noEOF(err))
			}
			return nil
		})
		return w, err
	}
	return nil
}

// maxDepth is how deep in dicts weights are looked for.
const maxDepth = 3

// find returns the tensors of the state dict that d is or holds.
func (c *content) find(d *torchfile.Dict, depth int) (map[string]*torchfile.Tensor, error) {
	c.note(d)
	named, dicts := parts(d)
	var there []string // entries that hold tensors
	for _, k := range stateKeys {
		if sub, ok := dicts[k]; ok && holdsTensors(sub) {
			there = append(there, k)
		}
	}
	if len(there) == 0 && len(named) > 0 {
		return named, nil
	}
	if len(there) == 0 {
		// A dict of another name will do if it is the only one, so long as it is none of an optimiser's.
		for _, e := range d.Entries {
			k, _ := e.Key.(string)
			if sub, ok := dicts[k]; ok && len(sub.Entries) > 0 && holdsTensors(sub) && !slices.Contains(there, k) && !strings.Contains(k, "optim") {
				there = append(there, k)
			}
		}
		if len(there) != 1 {
			return nil, noStateDict(d, there)
		}
	}
	sub := dicts[there[0]]
	if depth == maxDepth {
		return nil, errors.New("its weights lie too deep in dicts")
	}
	if c.Entry != "" {
		c.Entry += "."
	}
	c.Entry += there[0]
	c.Others = append(c.Others, there[1:]...)
	return c.find(sub, depth+1)
}

// parts returns the tensors and the dicts of a dict by their names.
func parts(d *torchfile.Dict) (map[string]*torchfile.Tensor, map[string]*torchfile.Dict) {
	tensors, dicts := map[string]*torchfile.Tensor{}, map[string]*torchfile.Dict{}
	for _, e := range d.Entries {
		k, ok := e.Key.(string)
		if !ok {
			continue
		}
		switch v := e.Value.(type) {
		case *torchfile.Tensor:
			tensors[k] = v
		case *torchfile.Dict:
			dicts[k] = v
		}
	}
	return tensors, dicts
}

// holdsTensors tells whether d is a state dict, or holds one that is called as those of checkpoints are.
func holdsTensors(d *torchfile.Dict) bool {
	for _, e := range d.Entries {
		switch v := e.Value.(type) {
		case *torchfile.Tensor:
			return true
		case *torchfile.Dict:
			k, _ := e.Key.(string)
			if slices.Contains(stateKeys, k) && len(v.Entries) > 0 {
				return true
			}
		}
	}
	return false
}

func noStateDict(d *torchfile.Dict, several []string) error {
	if len(several) > 1 {
		return fmt.Errorf("it holds tensors under %s: which of them are the weights cannot be told; in Python, save one alone", list(several))
	}
	var keys []string
	for _, e := range d.Entries {
		if k, ok := e.Key.(string); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return errors.New("it holds an empty dict, not a state dict")
	}
	return fmt.Errorf("it holds no tensors by name; its entries are %s", list(keys))
}

// list joins names for a message.
func list(names []string) string {
	const most = 12
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "...")
	}
	names = slices.Clone(names)
	for i, n := range names {
		if len(n) > 80 {
			names[i] = n[:80] + "..."
		}
	}
	return strconv.Quote(strings.Join(names, ", "))
}

// note keeps the numbers and strings of a checkpoint as metadata, and those of its entry "metadata", which
// [SavePyTorch] writes.
func (c *content) note(d *torchfile.Dict) {
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	for _, e := range d.Entries {
		k, ok := e.Key.(string)
		if !ok {
			continue
		}
		if sub, is := e.Value.(*torchfile.Dict); is && k == "metadata" && sub != d {
			for _, e := range sub.Entries {
				k, ok1 := e.Key.(string)
				v, ok2 := e.Value.(string)
				if ok1 && ok2 {
					c.Metadata[k] = v
				}
			}
			continue
		}
		if text, ok := plain(e.Value); ok {
			if _, there := c.Metadata[k]; !there {
				c.Metadata[k] = text
			}
		}
	}
}

// plain returns a number, truth value or short string as text.
func plain(v any) (string, bool) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case string:
		return v, len(v) <= 1<<12
	}
	return "", false
}

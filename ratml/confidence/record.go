package confidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"github.com/ratml/rat/ratml/radius"
)

// record is a function in a file.
type record struct {
	Score      string          `json:"score"`
	Parameters json.RawMessage `json:"parameters"`
	// Perturbed, where set, says that the score is taken at a perturbed image.
	Perturbed *perturbation `json:"perturbed,omitempty"`
}

type perturbation struct {
	Level    float64 `json:"level"`
	Protocol string  `json:"protocol"`
}

// Encode returns a function as JSON from which [Decode] makes it again: its name and the exported fields of its type.
func Encode(f Function) ([]byte, error) {
	r, err := encode(f)
	if err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	return json.Marshal(r)
}

func encode(f Function) (record, error) {
	if f == nil {
		return record{}, errors.New("no score")
	}
	if p, ok := f.(Perturbed); ok {
		r, err := encode(p.Score)
		r.Perturbed = &perturbation{p.Level, p.Protocol.String()}
		return r, err
	}
	data, err := json.Marshal(f)
	if err != nil {
		return record{}, fmt.Errorf("score %s: %w", f.Name(), err)
	}
	return record{Score: f.Name(), Parameters: data}, nil
}

// Decode returns the function that [Encode] was given. Functions of one's own types, and those that hold more than JSON
// can, as statistics of features, are made from the prototype of the same name.
func Decode(data []byte, prototypes ...Function) (Function, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("confidence: a score's parameters: %w", err)
	}
	f, err := r.decode(prototypes)
	if err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	return f, nil
}

func (r record) decode(prototypes []Function) (Function, error) {
	f, err := prototype(r.Score, prototypes)
	if err != nil {
		return nil, err
	}
	if len(r.Parameters) > 0 {
		if f, err = fill(f, r.Parameters); err != nil {
			return nil, fmt.Errorf("score %s: parameters: %w", r.Score, err)
		}
	}
	if r.Perturbed == nil {
		return f, nil
	}
	d, ok := f.(Differentiable)
	if !ok {
		return nil, fmt.Errorf("score %s cannot be perturbed: it has no graph form", r.Score)
	}
	p := Perturbed{Score: d, Level: r.Perturbed.Level}
	switch r.Perturbed.Protocol {
	case radius.Official.String():
		p.Protocol = radius.Official
	case radius.Sound.String():
	default:
		return nil, fmt.Errorf("score %s: protocol %q, want sound or official", r.Score, r.Perturbed.Protocol)
	}
	return p, nil
}

// prototype returns a function of the given name.
func prototype(name string, prototypes []Function) (Function, error) {
	for _, f := range prototypes {
		if f != nil && f.Name() == name {
			return f, nil
		}
	}
	f, err := ByName(name, radius.Sound)
	if err != nil {
		return nil, fmt.Errorf("unknown score %q; give its prototype", name)
	}
	return f, nil
}

// fill returns a copy of f with fields set from JSON.
func fill(f Function, parameters []byte) (Function, error) {
	t, v := reflect.TypeOf(f), reflect.ValueOf(f)
	pointer := t.Kind() == reflect.Pointer
	if pointer {
		t, v = t.Elem(), v.Elem()
	}
	c := reflect.New(t)
	c.Elem().Set(v)
	d := json.NewDecoder(bytes.NewReader(parameters))
	d.DisallowUnknownFields()
	if err := d.Decode(c.Interface()); err != nil {
		return nil, err
	}
	if pointer {
		return c.Interface().(Function), nil
	}
	return c.Elem().Interface().(Function), nil
}

// fit is a [Fitted] in a file.
type fit struct {
	record
	Objective  string   `json:"objective,omitempty"`
	Value      *float64 `json:"value"` // null where there is none
	Candidates int      `json:"candidates,omitempty"`
	Data       string   `json:"data,omitempty"`
	Images     int      `json:"images,omitempty"`
	Protocol   string   `json:"protocol"`
}

// SaveFits writes functions and how they were fitted to a JSON file, which appears under its name only when it is
// complete.
func SaveFits(path string, fits []Fitted) error {
	out := []fit{}
	for _, f := range fits {
		r, err := encode(f.Function)
		if err != nil {
			return fmt.Errorf("confidence: %w", err)
		}
		g := fit{record: r, Objective: f.Objective, Candidates: f.Candidates, Data: f.Data, Images: f.Images, Protocol: f.Protocol.String()}
		if !math.IsNaN(f.Value) {
			g.Value = &f.Value
		}
		out = append(out, g)
	}
	err := atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(out)
	})
	if err != nil {
		return fmt.Errorf("confidence: %w", err)
	}
	return nil
}

// LoadFits reads a file that [SaveFits] wrote; prototypes are as for [Decode].
func LoadFits(path string, prototypes ...Function) ([]Fitted, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	fits, err := parseFits(data, prototypes)
	if err != nil {
		return nil, fmt.Errorf("confidence: %s: %w", path, err)
	}
	return fits, nil
}

func parseFits(data []byte, prototypes []Function) ([]Fitted, error) {
	var in []fit
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	var fits []Fitted
	for _, g := range in {
		f, err := g.decode(prototypes)
		if err != nil {
			return nil, err
		}
		h := Fitted{Function: f, Objective: g.Objective, Value: math.NaN(), Candidates: g.Candidates, Data: g.Data, Images: g.Images}
		if g.Value != nil {
			h.Value = *g.Value
		}
		if g.Protocol == radius.Official.String() {
			h.Protocol = radius.Official
		}
		fits = append(fits, h)
	}
	return fits, nil
}

package misd

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Float is a float64 that JSON can hold: NaN, which stands for "undefined", is null, and infinities are the strings
// "Infinity" and "-Infinity". Other packages may use it for their own columns.
type Float float64

// MarshalJSON implements [json.Marshaler].
func (f Float) MarshalJSON() ([]byte, error) {
	switch x := float64(f); {
	case math.IsNaN(x):
		return []byte("null"), nil
	case math.IsInf(x, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(x, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(x)
	}
}

// UnmarshalJSON implements [json.Unmarshaler]. It returns an error for anything that MarshalJSON does not write.
func (f *Float) UnmarshalJSON(data []byte) error {
	switch s := string(data); s {
	case "null":
		*f = Float(math.NaN())
	case `"Infinity"`:
		*f = Float(math.Inf(1))
	case `"-Infinity"`:
		*f = Float(math.Inf(-1))
	default:
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("misd: %.40s is not a number, null, \"Infinity\" or \"-Infinity\"", s)
		}
		*f = Float(x)
	}
	return nil
}

// The types below hold numbers that JSON cannot. They are written with these fields shadowed by a Float.

// MarshalJSON implements [json.Marshaler]; numbers are written as [Float] does.
func (p Point) MarshalJSON() ([]byte, error) {
	return json.Marshal(pointJSON{Float(p.Coverage), Float(p.Risk), Float(p.Threshold)})
}

// UnmarshalJSON implements [json.Unmarshaler]: what MarshalJSON wrote comes back.
func (p *Point) UnmarshalJSON(data []byte) error {
	var in pointJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*p = Point{float64(in.Coverage), float64(in.Risk), float64(in.Threshold)}
	return nil
}

type pointJSON struct {
	Coverage  Float `json:"coverage"`
	Risk      Float `json:"risk"`
	Threshold Float `json:"threshold"`
}

// MarshalJSON implements [json.Marshaler]; numbers are written as [Float] does.
func (s Selection) MarshalJSON() ([]byte, error) {
	return json.Marshal(selectionJSON{plainSelection(s), Float(s.Threshold), Float(s.Bound)})
}

// UnmarshalJSON implements [json.Unmarshaler]: what MarshalJSON wrote comes back. Without a threshold nothing is
// accepted.
func (s *Selection) UnmarshalJSON(data []byte) error {
	in := selectionJSON{Threshold: Float(math.NaN()), Bound: Float(math.NaN())}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*s = Selection(in.plainSelection)
	s.Threshold, s.Bound = float64(in.Threshold), float64(in.Bound)
	return nil
}

type plainSelection Selection

type selectionJSON struct {
	plainSelection
	Threshold Float `json:"threshold"`
	Bound     Float `json:"bound"`
}

// MarshalJSON implements [json.Marshaler]; numbers are written as [Float] does.
func (s SGRStep) MarshalJSON() ([]byte, error) {
	return json.Marshal(sgrStepJSON{plainSGRStep(s), Float(s.Threshold)})
}

// UnmarshalJSON implements [json.Unmarshaler]: what MarshalJSON wrote comes back.
func (s *SGRStep) UnmarshalJSON(data []byte) error {
	var in sgrStepJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*s = SGRStep(in.plainSGRStep)
	s.Threshold = float64(in.Threshold)
	return nil
}

type plainSGRStep SGRStep

type sgrStepJSON struct {
	plainSGRStep
	Threshold Float `json:"threshold"`
}

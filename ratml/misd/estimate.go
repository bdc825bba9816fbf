package misd

import (
	"encoding/json"
	"math"
)

// Evaluation holds the estimates of metrics by name. As JSON it is an object of objects, as [Estimate] writes them.
type Evaluation map[string]Estimate

// Estimate is the value of one metric and its interval.
type Estimate struct {
	Value  float64 // NaN where the metric is undefined
	Reason string  // why Value is NaN or infinite, and empty otherwise

	Lower, Upper float64 // the interval; NaN where there is none
	Resamples    int     // how many resamples it rests on: those for which the metric is defined
}

// estimateJSON is an Estimate as JSON has it; an interval that does not exist is left out.
type estimateJSON struct {
	Value     Float  `json:"value"`
	Reason    string `json:"reason,omitempty"`
	Lower     *Float `json:"lower,omitempty"`
	Upper     *Float `json:"upper,omitempty"`
	Resamples int    `json:"resamples,omitempty"`
}

// MarshalJSON implements [json.Marshaler]: {"value":0.1,"lower":0.09,"upper":0.12,"resamples":1000}, or
// {"value":null,"reason":"every prediction is right"}.
func (e Estimate) MarshalJSON() ([]byte, error) {
	out := estimateJSON{Value: Float(e.Value), Reason: e.Reason, Resamples: e.Resamples}
	if e.HasInterval() {
		lower, upper := Float(e.Lower), Float(e.Upper)
		out.Lower, out.Upper = &lower, &upper
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements [json.Unmarshaler]: what MarshalJSON wrote comes back.
func (e *Estimate) UnmarshalJSON(data []byte) error {
	in := estimateJSON{Value: Float(math.NaN())}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*e = Estimate{float64(in.Value), in.Reason, math.NaN(), math.NaN(), in.Resamples}
	if in.Lower != nil && in.Upper != nil {
		e.Lower, e.Upper = float64(*in.Lower), float64(*in.Upper)
	}
	return nil
}

// HasInterval tells whether Lower and Upper are known.
func (e Estimate) HasInterval() bool { return !math.IsNaN(e.Lower) && !math.IsNaN(e.Upper) }

// estimate returns the value of m on j, without an interval.
func (m Metric) estimate(j judged) Estimate {
	e := Estimate{Value: math.NaN(), Reason: m.undefined(j), Lower: math.NaN(), Upper: math.NaN()}
	if e.Reason == "" {
		e.Value = m.value(j)
	}
	if math.IsInf(e.Value, 0) {
		e.Reason = "infinite: a label has probability 0"
	}
	return e
}

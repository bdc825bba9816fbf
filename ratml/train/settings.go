package train

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// settings says what a training depends on, by name, so that a checkpoint is only used for the same training.
type settings map[string]string

// settings describes the run.
func (r *run) describe() settings {
	c := r.cfg
	var rates []string
	for k := range 9 {
		rates = append(rates, fmt.Sprintf("%.6g", r.rate(k*(c.Epochs*r.loader.Batches()-1)/8)))
	}
	s := settings{
		"architecture":    fmt.Sprintf("%s with %d parameters", r.clf.Arch.Name, r.clf.Arch.ParamCount()),
		"training images": fmt.Sprint(r.loader.Set.Len()),
		"objective":       describe(reflect.ValueOf(c.Objective)),
		"epochs":          fmt.Sprint(c.Epochs),
		"batch size":      fmt.Sprint(c.BatchSize),
		"last batch":      map[bool]string{true: "dropped", false: "kept"}[c.DropLast],
		"optimizer":       describe(reflect.ValueOf(c.Optimizer)),
		"weight decay":    fmt.Sprintf("%g of all parameters", c.WeightDecay),
		"learning rates":  strings.Join(rates, " "),
		"clipping":        fmt.Sprint(c.ClipNorm),
		"accumulation":    fmt.Sprint(c.Accumulate),
		"label smoothing": fmt.Sprint(c.LabelSmoothing),
		"products":        map[bool]string{true: "bfloat16", false: "float32"}[c.BFloat16],
		"averaging":       describe(reflect.ValueOf(c.Averaging)),
		"seed":            fmt.Sprint(c.Seed),
	}
	if c.DecayWeightsOnly {
		s["weight decay"] = fmt.Sprintf("%g of weights only", c.WeightDecay)
	}
	if c.FinalEpochs > 0 {
		s["final epochs"] = fmt.Sprintf("%d with %s", c.FinalEpochs, describe(reflect.ValueOf(c.FinalObjective)))
	}
	if c.LocalBatchNorm {
		s["batch normalisation"] = fmt.Sprintf("by device, %d of them", c.Devices)
	}
	return s
}

// same returns an error that lists what is set otherwise in a checkpoint.
func (s settings) same(saved settings) error {
	var all []string
	for name := range s {
		all = append(all, name)
	}
	for name := range saved {
		if _, ok := s[name]; !ok {
			all = append(all, name)
		}
	}
	var differ []string
	slices.Sort(all)
	for _, name := range all {
		if s[name] != saved[name] {
			differ = append(differ, fmt.Sprintf("%s: %s, now %s", name, orNone(saved[name]), orNone(s[name])))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return fmt.Errorf("it is of a training with other settings (%s); use the same, or another folder", strings.Join(differ, "; "))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// describe writes the settings in a value: fields that are numbers, texts, or structs of such. Of anything else, such as a
// data set, it writes the type.
func describe(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Invalid:
		return ""
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return "none"
		}
		return describe(v.Elem())
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				fields = append(fields, f.Name+" "+describe(v.Field(i)))
			}
		}
		return fmt.Sprintf("%s{%s}", v.Type().Name(), strings.Join(fields, ", "))
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64, reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64:
		return fmt.Sprint(v.Interface())
	}
	return v.Type().String()
}

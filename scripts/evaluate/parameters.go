package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/radius"
)

// encode returns the parameters of a score as JSON.
func encode(f confidence.Function) (json.RawMessage, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("score %s: %w", f.Name(), err)
	}
	return data, nil
}

// decode returns the score called name with the parameters that encode returned.
func decode(name string, parameters json.RawMessage, p radius.Protocol) (confidence.Function, error) {
	f, err := confidence.ByName(name, p)
	if err != nil || len(parameters) == 0 {
		return f, err
	}
	v := reflect.New(reflect.TypeOf(f))
	v.Elem().Set(reflect.ValueOf(f))
	d := json.NewDecoder(bytes.NewReader(parameters))
	d.DisallowUnknownFields()
	if err := d.Decode(v.Interface()); err != nil {
		return nil, fmt.Errorf("score %s: parameters %s: %w", name, parameters, err)
	}
	return v.Elem().Interface().(confidence.Function), nil
}

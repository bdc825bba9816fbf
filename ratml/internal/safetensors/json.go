package safetensors

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// object reads a JSON object, calling value after each key, which must read the key's value. Unlike encoding/json it
// refuses keys that come twice, keys in another case and null.
func object(dec *json.Decoder, value func(key string) error) error {
	if t, err := dec.Token(); err != nil {
		return noEOF(err)
	} else if t != json.Delim('{') {
		return fmt.Errorf("want an object, got %v", t)
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return noEOF(err)
		}
		key := t.(string) // the decoder lets nothing else be a key
		if seen[key] {
			return fmt.Errorf("%q comes twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return noEOF(err)
		}
	}
	_, err := dec.Token() // the closing brace
	return noEOF(err)
}

// str reads a JSON string.
func str(dec *json.Decoder) (string, error) {
	t, err := dec.Token()
	if err != nil {
		return "", noEOF(err)
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("want a string, got %v", t)
	}
	return s, nil
}

// integers reads a JSON array of integers that T can hold. The result is not nil.
func integers[T int | int64](dec *json.Decoder) ([]T, error) {
	if t, err := dec.Token(); err != nil {
		return nil, noEOF(err)
	} else if t != json.Delim('[') {
		return nil, fmt.Errorf("want an array, got %v", t)
	}
	v := []T{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, noEOF(err)
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("want an integer, got %v", t)
		}
		i, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil || int64(T(i)) != i {
			return nil, fmt.Errorf("want an integer, got %v", n)
		}
		v = append(v, T(i))
	}
	_, err := dec.Token() // the closing bracket
	return v, noEOF(err)
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

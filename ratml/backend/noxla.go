//go:build !cgo || !linux || noxla

package backend

import "errors"

// noXLA says why this build has no XLA.
var noXLA = errors.New("this build has no XLA: it needs Linux, cgo (CGO_ENABLED=1 and a C compiler) and no build tag noxla")

func load(path, options, name, reason string) (*Backend, error) { return nil, noXLA }

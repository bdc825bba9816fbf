package weights

import (
	"strings"

	"github.com/ratml/rat/ratml/nets"
)

// wrappers are the prefixes of names that come from modules around a network.
var wrappers = []string{"module.", "backbone.", "_orig_mod.", "0.", "1."}

// unwrap removes prefixes that all names share, repeatedly. A normalisation layer's buffers 0.mean and 0.std do not
// hinder the removal of the network's "1.".
func unwrap(w nets.Weights) nets.Weights {
	for again := true; again; {
		again = false
		for _, prefix := range wrappers {
			if shorter := strip(w, prefix); shorter != nil {
				w, again = shorter, true
			}
		}
	}
	return w
}

// strip returns w without the prefix, or nil if not all names have it.
func strip(w nets.Weights, prefix string) nets.Weights {
	shorter := nets.Weights{}
	found := false
	for name, t := range w {
		rest, ok := strings.CutPrefix(name, prefix)
		switch {
		case ok && rest != "":
			shorter[rest] = t
			found = true
		case prefix == "1." && (name == "0.mean" || name == "0.std"):
			shorter[name[2:]] = t
		case name == "mean" || name == "std":
			shorter[name] = t
		default:
			return nil
		}
	}
	if !found || len(shorter) != len(w) {
		return nil
	}
	return shorter
}

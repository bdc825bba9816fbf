package weights

import "strings"

// wrappers are the prefixes of names that come from modules around a network.
var wrappers = []string{"module.", "backbone.", "model.", "net.", "_orig_mod.", "0.", "1."}

// unwrap removes prefixes that all names share, repeatedly, and returns what it removed. A normalisation layer's
// buffers 0.mean and 0.std do not hinder the removal of the network's "1.", nor does the counter of a wrapper that
// averages.
func unwrap[T any](w map[string]T) (map[string]T, string) {
	removed := ""
	for again := true; again; {
		again = false
		for _, prefix := range wrappers {
			if shorter := strip(w, prefix); shorter != nil {
				w, again = shorter, true
				removed += prefix
			}
		}
	}
	return w, removed
}

// strip returns w without the prefix, or nil if not all names have it.
func strip[T any](w map[string]T, prefix string) map[string]T {
	shorter := map[string]T{}
	found := false
	for name, t := range w {
		rest, ok := strings.CutPrefix(name, prefix)
		switch {
		case ok && rest != "":
			shorter[rest] = t
			found = true
		case prefix == "1." && (name == "0.mean" || name == "0.std"):
			shorter[name[2:]] = t
		case name == "mean" || name == "std" || name == "n_averaged":
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

package nets

import "time"

// SetLong changes how long a compilation may take before it says what it does. The result changes it back.
func SetLong(d time.Duration) func() {
	before := long
	long = d
	return func() { long = before }
}

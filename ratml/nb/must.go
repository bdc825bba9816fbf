package nb

// Check ends the cell with a panic if err is not nil, which the notebook shows. Deferred calls are made.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}

// Must returns v, or ends the cell as [Check] does if err is not nil: cells have nobody to return an error to.
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

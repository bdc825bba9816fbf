package weights

var Named = named

// Renamings returns what a name becomes in the schemes that know it.
func Renamings(name string) []string {
	var names []string
	for _, s := range schemes {
		if other, ok := s.rename(name); ok {
			names = append(names, other)
		}
	}
	return names
}

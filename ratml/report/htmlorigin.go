package report

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Versions returns those of Go and of all modules that the running program was built from, its own first.
func Versions() []Fact {
	out := []Fact{{"go", fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	own := cmp.Or(info.Main.Version, "(devel)")
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			own += ", revision " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			own += ", changed"
		}
	}
	out = append(out, Fact{info.Main.Path, own})
	deps := slices.Clone(info.Deps)
	slices.SortFunc(deps, func(a, b *debug.Module) int { return strings.Compare(a.Path, b.Path) })
	for _, m := range deps {
		v := m.Version
		if m.Replace != nil {
			v += " replaced by " + strings.TrimSpace(m.Replace.Path+" "+m.Replace.Version)
		}
		out = append(out, Fact{m.Path, v})
	}
	return out
}

// commandLine quotes words for a shell.
func commandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

// shellWord quotes a word for a POSIX shell, with $'...', which bash and zsh know, where it holds what cannot be seen.
func shellWord(w string) string {
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("_@%+=:,./-", r)
	}
	hidden := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	switch {
	case strings.ContainsFunc(w, hidden):
		var b strings.Builder
		for i := range len(w) {
			if c := w[i]; c < ' ' || c > '~' || c == '\'' || c == '\\' {
				fmt.Fprintf(&b, `\x%02x`, c)
			} else {
				b.WriteByte(c)
			}
		}
		return "$'" + b.String() + "'"
	case w == "" || strings.ContainsFunc(w, func(r rune) bool { return !plain(r) }):
		return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return w
}

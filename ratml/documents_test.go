package ratml_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// documents returns the Markdown files of the module, as paths from its root, with their text.
func documents(t *testing.T) map[string]string {
	pages := map[string]string{}
	root := os.DirFS("..")
	require.NoError(t, fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "runs" || d.Name() == "shared"):
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".md":
			text, err := fs.ReadFile(root, path)
			pages[path] = string(text)
			return err
		}
		return nil
	}))
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "ratml/OFFICIAL.md"} {
		require.Contains(t, pages, name)
	}
	return pages
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestDocumentsLink checks that what pages link to in this module is there, and the headings that links name.
func TestDocumentsLink(t *testing.T) {
	for page, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			target := filepath.Join("..", filepath.Dir(page), file)
			if file == "" {
				target = filepath.Join("..", page)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			} else if heading != "" {
				require.Contains(t, headings(t, target), heading, "%s links to %s", page, m[1])
			}
		}
	}
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// headings returns the anchors that GitHub gives the headings of a page.
func headings(t *testing.T, page string) []string {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(text)) {
		if title := strings.TrimLeft(line, "#"); title != line && strings.HasPrefix(title, " ") {
			anchor := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			out = append(out, strings.ReplaceAll(anchor, " ", "-"))
		}
	}
	return out
}

var (
	fence   = regexp.MustCompile("(?ms)^```\\w*\n(.*?)^```$")
	running = regexp.MustCompile(`go run (\./scripts/\w+)([^\n&|]*)`)
	flag    = regexp.MustCompile(`(?:^|\s)(--[a-z][\w-]*)`)
)

// TestDocumentsFlags checks that the commands in fenced text are there, and know their flags: each is named in the
// command's source, or abbreviates one that is, as official command lines do.
func TestDocumentsFlags(t *testing.T) {
	checked := 0
	for page, text := range documents(t) {
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			for _, m := range running.FindAllStringSubmatch(strings.ReplaceAll(block[1], "\\\n", " "), -1) {
				source := sourceOf(t, page, m[1])
				for _, f := range flag.FindAllStringSubmatch(m[2], -1) {
					checked++
					if !regexp.MustCompile("[\"`,]" + f[1]).MatchString(source) {
						t.Errorf("%s: %s does not know the flag %s", page, m[1], f[1])
					}
				}
			}
		}
	}
	require.Greater(t, checked, 30, "flags found in all pages")
}

// sourceOf returns the Go source of a command, without its tests.
func sourceOf(t *testing.T, page, command string) string {
	files, err := filepath.Glob(filepath.Join("..", command, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "%s runs %s, which is not there", page, command)
	var b strings.Builder
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			text, err := os.ReadFile(f)
			require.NoError(t, err)
			b.Write(text)
		}
	}
	return b.String()
}

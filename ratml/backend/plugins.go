package backend

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Plugin is a PJRT plugin file found on this machine.
type Plugin struct {
	Name string // platform: "cpu", "cuda", ...
	Path string // absolute
	Err  error  // why it cannot be used; nil if the file looks right
}

// Plugins lists the PJRT plugins on this machine in the order in which they
// are preferred: cuda, cpu, then the others by name, and by search order
// within a name. Nothing is loaded; only the files' headers are read.
func Plugins() []Plugin {
	var found []Plugin
	seen := map[string]bool{}
	for _, dir := range SearchPath() {
		files, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, f := range files {
			path := filepath.Join(dir, f.Name())
			name := pluginName(path)
			if name == "" {
				continue
			}
			real, err := filepath.EvalSymlinks(path)
			if err != nil {
				real = path
			}
			if seen[real] {
				continue
			}
			seen[real] = true
			found = append(found, Plugin{name, path, checkInstalled(name, path)})
		}
	}
	rank := func(p Plugin) int {
		if i := slices.Index([]string{"cuda", "cpu"}, p.Name); i >= 0 {
			return i
		}
		return 2
	}
	slices.SortStableFunc(found, func(a, b Plugin) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Name, b.Name))
	})
	return found
}

// PathVariable is the environment variable with the folders that are searched
// for plugins instead of the usual ones, separated by colons.
const PathVariable = "PJRT_PLUGIN_LIBRARY_PATH"

// SearchPath returns the folders that are searched for plugins, in order.
func SearchPath() []string {
	if v, ok := os.LookupEnv(PathVariable); ok {
		return absolute(strings.Split(v, ":"))
	}
	var dirs []string
	if dir, err := InstallDir(); err == nil {
		dirs = append(dirs, dir, filepath.Join(dir, "nvidia"), filepath.Join(dir, "..", "gomlx", "pjrt"))
	}
	dirs = append(dirs, "/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia", "/usr/local/lib/gomlx/pjrt")
	dirs = append(dirs, strings.Split(os.Getenv("LD_LIBRARY_PATH"), ":")...)
	return absolute(append(dirs, libraryFolders("/etc/ld.so.conf", 4)...))
}

// InstallDir returns the folder that plugins are installed to,
// ~/.local/lib/go-xla. It need not exist.
func InstallDir() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("backend: install folder: %w", err)
	}
	return filepath.Join(home, ".local", "lib", "go-xla"), nil
}

// absolute drops relative paths and repetitions.
func absolute(dirs []string) []string {
	var kept []string
	for _, d := range dirs {
		if filepath.IsAbs(d) && !slices.Contains(kept, filepath.Clean(d)) {
			kept = append(kept, filepath.Clean(d))
		}
	}
	return kept
}

// libraryFolders reads the loader's configuration and the files it includes.
func libraryFolders(file string, depth int) []string {
	f, err := os.Open(file)
	if err != nil || depth == 0 {
		return nil
	}
	defer f.Close()
	var dirs []string
	for s := bufio.NewScanner(f); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 2 && fields[0] == "include" {
			included, _ := filepath.Glob(fields[1])
			for _, i := range included {
				dirs = append(dirs, libraryFolders(i, depth-1)...)
			}
		} else if len(fields) == 1 {
			dirs = append(dirs, fields[0])
		}
	}
	return dirs
}

var (
	pluginFile    = regexp.MustCompile(`^(?:pjrt_c_api_(.+)_plugin|pjrt[-_]plugin[-_](.+))\.so$`)
	pluginVersion = regexp.MustCompile(`_v[0-9][0-9.]*$`)
)

// pluginName returns the platform that a plugin's file name states, without
// the version that go-xla's installer adds, or "" if it states none.
func pluginName(path string) string {
	m := pluginFile.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return ""
	}
	return pluginVersion.ReplaceAllString(m[1]+m[2], "")
}

// checkInstalled is checkFile for a plugin found by name: CUDA's is of no use
// without a GPU.
func checkInstalled(name, path string) error {
	if err := checkFile(path); err != nil {
		return err
	}
	if name == "cuda" && !hasNVIDIA() {
		return errors.New("no NVIDIA GPU found (no /dev/nvidia*)")
	}
	return nil
}

func hasNVIDIA() bool {
	for _, pattern := range []string{"/dev/nvidia*", "/dev/dxg"} {
		if m, _ := filepath.Glob(pattern); len(m) > 0 {
			return true
		}
	}
	return false
}

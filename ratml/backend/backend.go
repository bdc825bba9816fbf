package backend

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gomlx/compute"
)

// Install is the command that installs the CPU plugin.
const Install = "go run ./scripts/xla install"

// Kinds of backends, as [Backend.Kind] returns them. Other PJRT plugins are
// "xla:" and the name of their platform.
const (
	KindGo   = "go"
	KindCPU  = "xla:cpu"
	KindCUDA = "xla:cuda"
)

// Backend is an open engine. Hand its field Backend to GoMLX, not the struct:
// GoMLX compares backends by identity.
type Backend struct {
	compute.Backend

	kind    string
	version string
	reason  string
	log     io.Writer // nil where nothing is to be said
}

// Kind returns what the backend is: "go", "xla:cpu", "xla:cuda", or "xla:"
// and the platform's name.
func (b *Backend) Kind() string { return b.kind }

// Devices returns the number of devices that a computation can be spread
// over. XLA's CPU plugin offers several on any machine; they share its cores.
func (b *Backend) Devices() int { return b.NumDevices() }

// Version returns the engine's version: that of the PJRT interface that the
// plugin speaks, or GoMLX's.
func (b *Backend) Version() string { return b.version }

// Reason returns why this backend was chosen, in a few words.
func (b *Backend) Reason() string { return b.reason }

// String returns the kind, the number of devices and the reason in one line.
func (b *Backend) String() string {
	devices := "1 device"
	if n := b.Devices(); n != 1 {
		devices = fmt.Sprintf("%d devices", n)
	}
	return fmt.Sprintf("%s (%s): %s", b.kind, devices, b.reason)
}

// Logf writes a line to where the choice of the backend was reported, if it
// was. It is for what takes long.
func (b *Backend) Logf(format string, args ...any) {
	if b.log != nil {
		fmt.Fprintf(b.log, format+"\n", args...)
	}
}

// Finalize releases the backend and what is stored on it. That it returns an
// error keeps *Backend from being a compute.Backend, so that passing the
// struct where its field belongs does not compile.
func (b *Backend) Finalize() (err error) {
	defer recoverAs(&err, "backend: finalize %s", b.kind)
	b.Backend.Finalize()
	return nil
}

// Config says which backend to open and where to report the choice. The zero
// value is what [Open] with an empty string does.
type Config struct {
	// Name is a configuration as listed in the package documentation.
	Name string
	// Quiet keeps the line about the choice from being written.
	Quiet bool
	// Log receives that line, and those of [Backend.Logf]; nil is standard error.
	Log io.Writer
}

// Open opens the backend that config names; see the package documentation for
// the configurations. The choice is reported in one line on standard error.
// Errors say what to do: a configuration that is not known, a plugin that is
// not installed, a file that is not a PJRT plugin.
func Open(config string) (*Backend, error) {
	return OpenConfig(Config{Name: config})
}

// OpenConfig is [Open] with control over the report.
func OpenConfig(c Config) (be *Backend, err error) {
	name, from := c.Name, ""
	if name == "" {
		if name = os.Getenv(compute.ConfigEnvVar); name != "" {
			from = " (from " + compute.ConfigEnvVar + ")"
		}
	}
	if be, err = open(name, from); err != nil {
		return nil, fmt.Errorf("backend: %q%s: %w", name, from, err)
	}
	if !c.Quiet {
		if be.log = c.Log; be.log == nil {
			be.log = os.Stderr
		}
		be.Logf("backend: %v", be)
	}
	return be, nil
}

func open(name, from string) (*Backend, error) {
	engine, rest, _ := strings.Cut(name, ":")
	switch engine {
	case "", "auto":
		if rest != "" {
			break
		}
		return openAuto()
	case "go":
		return openGo(rest, "asked for"+from)
	case "xla", "hlo", "stablehlo", "shlo":
		return openPlugin(rest, "asked for"+from)
	}
	return nil, errors.New(`unknown backend; use "auto", "go", "go:plain", "xla", "xla:cpu", "xla:cuda" or "xla:/path/to/plugin.so"`)
}

// openAuto takes the best plugin that opens, and the Go backend if none does.
func openAuto() (*Backend, error) {
	if noXLA != nil {
		return openGo("", noXLA.Error())
	}
	reason := "no PJRT plugin found"
	for _, p := range Plugins() {
		err := p.Err
		if err == nil {
			var be *Backend
			if be, err = load(p.Path, "", p.Name, "plugin "+p.Path); err == nil {
				return be, nil
			}
		}
		reason = fmt.Sprintf("plugin %s cannot be used: %v", p.Path, err)
	}
	return openGo("", reason+"; "+Install+" "+installGain())
}

// openPlugin opens an installed plugin by name, or a file by absolute path.
// config may carry options after a comma.
func openPlugin(config, reason string) (*Backend, error) {
	if noXLA != nil {
		return nil, noXLA
	}
	name, options, _ := strings.Cut(config, ",")
	if strings.ContainsAny(name, `/\`) {
		if err := checkFile(name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return loadAs(name, options, pluginName(name), reason)
	}
	p, err := choose(name, Plugins())
	if err != nil {
		return nil, err
	}
	return loadAs(p.Path, options, p.Name, reason+", plugin "+p.Path)
}

// loadAs is load with the path in the error.
func loadAs(path, options, name, reason string) (*Backend, error) {
	be, err := load(path, options, name, reason)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", path, err)
	}
	return be, nil
}

// choose returns the first usable plugin with that name (any, if empty).
func choose(name string, plugins []Plugin) (Plugin, error) {
	var broken error
	var names []string
	for _, p := range plugins {
		if name != "" && p.Name != name {
			names = append(names, p.Name)
			continue
		}
		if p.Err == nil {
			return p, nil
		}
		if broken == nil {
			broken = fmt.Errorf("plugin %s cannot be used: %w", p.Path, p.Err)
		}
	}
	if broken != nil {
		return Plugin{}, broken
	}
	missing := "no PJRT plugin is installed"
	if name != "" {
		missing = fmt.Sprintf("no PJRT plugin %q is installed", name)
	}
	if len(names) > 0 {
		missing += fmt.Sprintf(" (found: %s)", strings.Join(names, ", "))
	}
	how := Install
	if name == "cuda" {
		how += " --cuda"
	}
	return Plugin{}, fmt.Errorf("%s; install one with: %s", missing, how)
}

// recoverAs turns a panic into an error.
func recoverAs(err *error, format string, args ...any) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %v", fmt.Sprintf(format, args...), r)
	}
}

// HasXLA reports whether this build can load PJRT plugins at all.
func HasXLA() bool { return noXLA == nil }

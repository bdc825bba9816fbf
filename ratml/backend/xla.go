//go:build cgo && linux && !noxla

package backend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// noXLA says why this build has no XLA; nil if it has.
var noXLA error

// load opens a plugin file that checkFile has passed. name is the platform
// that the file's name states, or "".
func load(path, options, name, reason string) (be *Backend, err error) {
	defer recoverAs(&err, "go-xla failed")
	if strings.Contains(path, ",") {
		return nil, errors.New("go-xla cannot open a path with a comma; move the plugin")
	}
	xla.EnableAutoInstall(false)
	file := path
	if name == "cpu" && pjrt.IsCUDAName(path) {
		// go-xla takes a plugin for CUDA's if "cuda" or "nvidia" stands anywhere in its path.
		dir, err := os.MkdirTemp("", "pjrt-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		file = filepath.Join(dir, filepath.Base(path))
		if err := os.Symlink(path, file); err != nil {
			return nil, err
		}
	}
	if options != "" {
		options = "," + options
	}
	inner, err := xla.NewWithOptions(file+options, nil)
	if err != nil {
		return nil, err
	}
	if inner.NumDevices() == 0 {
		inner.Finalize()
		return nil, errors.New("the plugin has no devices")
	}
	plugin, err := pjrt.GetPlugin(file) // the one that was just loaded
	if err != nil {
		return nil, err
	}
	major, minor := plugin.Version()
	return &Backend{
		Backend: inner,
		kind:    "xla:" + platform(name, inner),
		version: fmt.Sprintf("PJRT %d.%d", major, minor),
		reason:  reason,
	}, nil
}

// platform names what the plugin drives, from its file's name or its devices.
func platform(name string, be *xla.Backend) string {
	if name != "" {
		return name
	}
	device := strings.ToLower(be.DeviceDescription(0))
	switch {
	case strings.Contains(device, "cuda"), strings.Contains(device, "gpu"):
		return "cuda"
	case strings.Contains(device, "cpu"):
		return "cpu"
	}
	word, _, _ := strings.Cut(device, ":")
	return word
}

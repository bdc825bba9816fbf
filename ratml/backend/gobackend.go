package backend

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/ratml/rat/ratml/backend/internal/fastgo"
)

// openGo opens the Go backend. options is a comma-separated list of GoMLX's
// options and our own, plain.
func openGo(options, reason string) (be *Backend, err error) {
	defer recoverAs(&err, "go backend")
	opts := slices.DeleteFunc(strings.Split(options, ","), func(o string) bool { return o == "" })
	n := len(opts)
	opts = slices.DeleteFunc(opts, func(o string) bool { return o == "plain" })
	plain := len(opts) < n
	inner, err := newGo(opts)
	if err != nil {
		return nil, err
	}
	if !plain {
		inner = fastgo.New(inner)
	}
	return &Backend{Backend: inner, kind: KindGo, version: computeVersion(), reason: reason}, nil
}

// installGain says what a plugin would bring here.
func installGain() string {
	if fastgo.Vectorised() {
		return "adds XLA, for GPUs and many devices"
	}
	return "makes it many times faster"
}

// newGo opens GoMLX's Go backend with a worker pool that cannot deadlock.
//
// In its default pool operations wait, while they hold a worker, for workers
// that other waiting operations hold. Without a limit nobody waits; with a
// limit operations must run one after the other.
func newGo(opts []string) (compute.Backend, error) {
	workers := -1
	for i, o := range opts {
		v, ok := strings.CutPrefix(o, "parallelism=")
		if !ok {
			continue
		}
		var err error
		if workers, err = strconv.Atoi(v); err != nil {
			return nil, fmt.Errorf("option %q: want a number of workers", o)
		}
		opts = slices.Delete(slices.Clone(opts), i, i+1)
		break
	}
	if workers >= 0 {
		opts = append(slices.Clone(opts), "ops_sequential")
	}
	inner, err := gobackend.New(strings.Join(opts, ","))
	if err != nil {
		return nil, err
	}
	// The option itself would print a line on standard output.
	pool := reflect.ValueOf(inner).Elem().FieldByName("Workers").Interface()
	pool.(interface{ SetMaxParallelism(int) }).SetMaxParallelism(workers)
	return inner, nil
}

// computeVersion names the module that the Go backend comes from.
func computeVersion() string {
	const path = "github.com/gomlx/compute"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return "GoMLX compute " + m.Version
			}
		}
	}
	return "GoMLX compute"
}

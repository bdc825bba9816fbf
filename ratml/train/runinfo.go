package train

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// RunInfo says what a log is the log of.
type RunInfo struct {
	Run      string            `json:"run"`                // id
	Time     time.Time         `json:"time"`               // of the start; now, if it is zero
	Command  []string          `json:"command,omitempty"`  // the program's arguments, if it is nil
	Settings any               `json:"settings,omitempty"` // anything that JSON holds
	Backend  string            `json:"backend,omitempty"`
	Versions map[string]string `json:"versions,omitempty"` // of Go and the modules that compute, if it is nil

	// In a line "resumed": the steps and epochs after which the lines that follow take the place of those before.
	Step  int `json:"step,omitempty"`
	Epoch int `json:"epoch,omitempty"`
}

// complete fills in what can be known.
func (r RunInfo) complete() RunInfo {
	r.Step, r.Epoch = 0, 0
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	r.Time = r.Time.UTC().Truncate(time.Second)
	if r.Command == nil {
		r.Command = os.Args
	}
	if r.Versions == nil {
		r.Versions = versions()
	}
	return r
}

// versions returns those of Go, of the modules that compute, and of this one.
func versions() map[string]string {
	v := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	const ours = "github.com/ratml/rat"
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == ours || strings.HasPrefix(m.Path, "github.com/gomlx/") {
			v[m.Path] = m.Version
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Path == ours {
			v[ours] = s.Value
		}
	}
	return v
}

func randomRun() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

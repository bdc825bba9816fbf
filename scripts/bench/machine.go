package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine says where measurements were made.
type machine struct {
	CPU     string `json:"cpu,omitempty"` // model; Linux only
	Threads int    `json:"threads"`       // that engines and PyTorch use
	Go      string `json:"go"`
	OS      string `json:"os"`
	Load    string `json:"load,omitempty"` // average number of running threads over 1, 5 and 15 minutes before; Linux only
}

func thisMachine() machine {
	m := machine{Threads: runtime.GOMAXPROCS(0), Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(text)); len(f) >= 3 {
			m.Load = strings.Join(f[:3], " ")
		}
	}
	return m
}

func (m machine) String() string {
	s := fmt.Sprintf("%d threads, %s, %s", m.Threads, m.OS, m.Go)
	if m.CPU != "" {
		s = m.CPU + ", " + s
	}
	if m.Load != "" {
		s += ", load average before " + m.Load
	}
	return s
}

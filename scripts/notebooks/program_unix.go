//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// apart gives cmd a process group of its own, all of which is asked to end.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

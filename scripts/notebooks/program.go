package main

import (
	"context"
	"os/exec"
	"time"
)

// grace is the time that a program has to end after it was asked to.
const grace = 10 * time.Second

// program is a command that is asked to end when ctx is done, and killed when it does not. A Ctrl-C in the terminal
// reaches it through ctx only, so that it ends once.
func program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	apart(cmd)
	cmd.WaitDelay = grace
	return cmd
}

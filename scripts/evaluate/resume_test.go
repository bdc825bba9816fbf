package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asCommand in the environment makes the test program the command itself, to be killed.
const asCommand = "RATML_TEST_AS_EVALUATE"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process starts the command in a process of its own.
func process(t *testing.T, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, stderr = exec.Command(program, args...), new(bytes.Buffer)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, stderr
}

// parted returns the number of parts in a folder.
func parted(out string) int {
	found, _ := filepath.Glob(filepath.Join(out, "parts", "split*_*.npz"))
	return len(found)
}

// written returns the number of files in a folder and below.
func written(out string) int {
	n := 0
	filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), ".") {
			n++
		}
		return nil
	})
	return n
}

// A run that is killed again and again, whenever new files are there, ends in the bytes of
// one that is left alone.
func TestKilled(t *testing.T) {
	net, whole, out := tinyNet(t, 1), t.TempDir(), filepath.Join(t.TempDir(), "out")
	flags := []string{"--n_exps", "2", "--images", "80"} // two splits of 64 images in four chunks
	must(t, tiny(net, whole, flags...)...)
	kills, resumed := 0, 0
	for attempt := 0; ; attempt++ {
		if attempt == 100 {
			t.Fatal("the run comes to no end")
		}
		cmd, stderr := process(t, tiny(net, out, append(flags, "--resume")...)...)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		before, err := written(out), error(nil)
		for waiting := true; waiting; {
			select {
			case err = <-done:
				waiting = false
			case <-time.After(time.Millisecond):
				if now := written(out); now > before+attempt%4 || now < before {
					// Some kills come at once, when a part is half stored, others a little later.
					time.Sleep(time.Duration(attempt%3) * 5 * time.Millisecond)
					cmd.Process.Signal(syscall.SIGKILL)
					err = <-done
					waiting = false
				}
			}
		}
		if strings.Contains(stderr.String(), "resuming after") {
			resumed++
		}
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%v\n%s", err, stderr)
		}
		kills++
	}
	t.Logf("killed %d times, resumed %d times", kills, resumed)
	if kills < 3 || resumed < 3 {
		t.Errorf("killed %d times, resumed %d times: this tests nothing", kills, resumed)
	}
	sameFiles(t, outputs(t, out), outputs(t, whole))
}

// Ctrl-C keeps the parts, says how to go on, and gives the exit status of an interruption.
func TestInterrupted(t *testing.T) {
	net, whole, out := tinyNet(t, 1), t.TempDir(), t.TempDir()
	must(t, tiny(net, whole)...)
	cmd, stderr := process(t, tiny(net, out)...)
	for range 10000 {
		if parted(out) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cmd.Process.Signal(os.Interrupt)
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted || !strings.Contains(stderr.String(), "the same command with --resume") {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if _, err := os.Stat(filepath.Join(out, "scores.csv")); err == nil {
		t.Error("an interrupted run wrote scores.csv")
	}
	if status, _, message := evaluateWith(tiny(net, out)...); status != exitError || !strings.Contains(message, "add --resume") {
		t.Errorf("without --resume: status %d, %s", status, message)
	}
	if status, _, message := evaluateWith(tiny(net, out, "--seed", "4", "--resume")...); status != exitError || !strings.Contains(message, "another run") {
		t.Errorf("with another seed: status %d, %s", status, message)
	}
	_, message := must(t, tiny(net, out, "--resume")...)
	if !strings.Contains(message, "resuming after") {
		t.Errorf("nothing was resumed:\n%s", message)
	}
	sameFiles(t, outputs(t, out), outputs(t, whole))
	// Once more, there is nothing left to do.
	before := outputs(t, out)
	table, message := must(t, tiny(net, out, "--resume")...)
	if !strings.Contains(message, "finished run already") || !strings.Contains(table, "RR_fgsm") {
		t.Errorf("a finished run printed %s\n%s", table, message)
	}
	sameFiles(t, outputs(t, out), before)
}

// A part that was damaged is scored again.
func TestResumeAfterDamage(t *testing.T) {
	net, whole, out := tinyNet(t, 1), t.TempDir(), t.TempDir()
	must(t, tiny(net, whole, "--images", "32")...)
	must(t, tiny(net, out, "--images", "32", "--shard", "0/1")...)
	damaged(t, out)
	_, message := must(t, tiny(net, out, "--images", "32", "--resume")...)
	if !strings.Contains(message, "resuming after 16 of 32 images") {
		t.Errorf("the damaged part was not noticed:\n%s", message)
	}
	sameFiles(t, outputs(t, out), outputs(t, whole))
}

package checkpoint

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// child is the environment variable that tells the test binary to be another process, and which.
const child = "CHECKPOINT_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(child); what != "" {
		if err := children[what](os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// children are what other processes do to the folder path.
var children = map[string]func(path string) error{
	"open": func(path string) error {
		_, err := Open(path)
		return err
	},
	"train": train,
}

func process(what, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), child+"="+what)
	return cmd
}

// large returns a state that takes a while to write and depends on step.
func large(step int) *State {
	s := state(step)
	w := make([]float32, 1<<17)
	for i := range w {
		w[i] = float32(step + i%100)
	}
	s.Tensors["large"] = Tensor{[]int{len(w)}, w}
	return s
}

// train goes on from the latest checkpoint and saves one after the other, until it is killed.
func train(path string) error {
	d, err := Open(path)
	if err != nil {
		return err
	}
	step := 0
	switch s, warnings, err := d.Latest(); {
	case err == nil && len(warnings) == 0:
		step = s.Step
	case !errors.Is(err, ErrNone):
		return fmt.Errorf("%v, %v", warnings, err)
	}
	fmt.Println("from " + strconv.Itoa(step))
	w := &Writer{Dir: d, Failed: func(err error) { fmt.Fprintln(os.Stderr, err); os.Exit(1) }}
	for {
		step++
		w.Save(large(step), step%3 == 0)
	}
}

// TestKilled kills a process that writes checkpoints 20 times.
func TestKilled(t *testing.T) {
	path := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	pace := timeOfSave(t)
	last, interrupted := 0, 0
	for range 20 {
		cmd := process("train", path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var from int
		_, err = fmt.Fscanf(out, "from %d", &from)
		require.NoError(t, err)
		require.Equal(t, last, from)
		time.Sleep(time.Duration(6 * rng.Float64() * float64(pace)))
		require.NoError(t, cmd.Process.Kill())
		require.EqualError(t, cmd.Wait(), "signal: killed")

		before := len(names(t, path))
		d, err := Open(path)
		require.NoError(t, err)
		after := names(t, path)
		if len(after) < before {
			interrupted++
		}
		require.LessOrEqual(t, len(after), 4, "%v", after) // the newest two, one not yet pruned, the best
		s, warnings, err := d.Latest()
		if last > 0 || err == nil {
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.GreaterOrEqual(t, s.Step, last)
			require.Equal(t, large(s.Step).Tensors["large"], s.Tensors["large"])
			last = s.Step
		}
		if last >= 3 {
			best, err := Read(d.Best())
			require.NoError(t, err)
			require.Contains(t, []int{last - last%3, last + 1}, best.Step)
		}
		require.NoError(t, d.Close())
	}
	t.Logf("killed 20 times until step %d, %d of them while a file was written", last, interrupted)
	require.Greater(t, last, 5)
	require.Positive(t, interrupted, "never killed in the middle of a write")
}

// timeOfSave returns how long this machine takes for a checkpoint.
func timeOfSave(t *testing.T) time.Duration {
	d := open(t, t.TempDir())
	begin := time.Now()
	for step := range 5 {
		require.NoError(t, d.Save(large(step), false))
	}
	return time.Since(begin) / 5
}

func TestInUseByAnotherProcess(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	out, err := process("open", path).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), path+" is in use by another process")
	require.NoError(t, d.Close())
	out, err = process("open", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

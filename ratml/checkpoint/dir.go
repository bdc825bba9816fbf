package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// Dir is a folder of checkpoints, called checkpoint-00001234.safetensors after their steps, and best.safetensors.
type Dir struct {
	Keep int // newest checkpoints that are kept; 0 means 2

	path string
	lock *flock.Flock
	ours bool // the checkpoints that are there belong to this run
}

const (
	prefix   = "checkpoint-"
	suffix   = ".safetensors"
	bestName = "best" + suffix
	lockName = ".lock"
)

var (
	// ErrNone is what [Dir.Latest] returns, wrapped, when a folder has no checkpoints.
	ErrNone = errors.New("no checkpoint")
	// ErrInUse is what [Open] returns, wrapped, when another process uses the folder.
	ErrInUse = errors.New("in use by another process")
)

// Open makes a folder where there is none, locks it until Close or the end of the process, and removes what a killed
// process left half-written.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	d := &Dir{path: path, lock: flock.New(filepath.Join(path, lockName))}
	switch ok, err := d.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("checkpoint: locking %s: %w", path, err)
	case !ok:
		return nil, fmt.Errorf("checkpoint: %s is %w; wait for it, or choose another folder", path, ErrInUse)
	}
	if err := d.sweep(); err != nil {
		return nil, errors.Join(fmt.Errorf("checkpoint: %w", err), d.lock.Close())
	}
	return d, nil
}

// Close gives the folder free for others.
func (d *Dir) Close() error { return d.lock.Close() }

// Path returns the folder.
func (d *Dir) Path() string { return d.path }

// Best returns the path of the best checkpoint, whether it is there or not.
func (d *Dir) Best() string { return filepath.Join(d.path, bestName) }

// Steps returns the steps of the checkpoints that are there, ascending, without the best.
func (d *Dir) Steps() ([]int, error) {
	files, err := d.files()
	var steps []int
	for _, f := range files {
		steps = append(steps, f.step)
	}
	return steps, err
}

// Latest returns the newest checkpoint that can be read, the best one if there is no other. For each newer one that
// cannot be read there is a warning that names it and says why. The error is [ErrNone] if there is nothing to read, and
// another if nothing of what is there can be read.
func (d *Dir) Latest() (s *State, warnings []error, err error) {
	files, err := d.files()
	if err != nil {
		return nil, nil, fmt.Errorf("checkpoint: %w", err)
	}
	slices.Reverse(files)
	if _, err := os.Lstat(d.Best()); err == nil {
		files = append(files, file{path: d.Best()})
	}
	for _, f := range files {
		s, err := Read(f.path)
		if err != nil {
			warnings = append(warnings, err)
			continue
		}
		d.ours = true
		return s, warnings, nil
	}
	if len(files) > 0 {
		return nil, warnings, fmt.Errorf("checkpoint: none of the %d checkpoints in %s can be read: %w", len(files), d.path, warnings[0])
	}
	return nil, nil, fmt.Errorf("checkpoint: %w in %s", ErrNone, d.path)
}

// Save writes a checkpoint, which becomes the best one if best is true, and then removes the old ones. Those of later
// steps go too: training went back to before them when they could not be read. If it fails, the others are as they were.
//
// It refuses to write into a folder with checkpoints of which none was read with Latest: they belong to another run.
func (d *Dir) Save(s *State, best bool) error {
	if err := d.save(s, best); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

func (d *Dir) save(s *State, best bool) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := d.claim(); err != nil {
		return err
	}
	path := filepath.Join(d.path, fmt.Sprintf("%s%08d%s", prefix, s.Step, suffix))
	also := ""
	if best {
		also = d.Best()
	}
	if err := replace(path, also, func(w io.Writer) error { return write(w, s) }); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return d.prune(s.Step)
}

// claim returns an error if the checkpoints that are there belong to another run.
func (d *Dir) claim() error {
	if d.ours {
		return nil
	}
	files, err := d.files()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(d.Best()); err == nil || len(files) > 0 {
		return fmt.Errorf("%s has checkpoints of another run: resume it, or choose another folder", d.path)
	}
	d.ours = true
	return nil
}

// prune removes the checkpoints that are no longer needed once that of step is there.
func (d *Dir) prune(step int) error {
	files, err := d.files()
	if err != nil {
		return err
	}
	keep := d.Keep
	if keep <= 0 {
		keep = 2
	}
	n := 0 // those up to step
	for _, f := range files {
		if f.step <= step {
			n++
		}
	}
	for i, f := range files {
		if i < n-keep || i >= n {
			err = errors.Join(err, os.Remove(f.path))
		}
	}
	return err
}

type file struct {
	step int
	path string
}

// files returns the checkpoints by step, without the best.
func (d *Dir) files() ([]file, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), prefix)
		digits, isFile := strings.CutSuffix(digits, suffix)
		if step, err := strconv.Atoi(digits); ok && isFile && err == nil && step >= 0 {
			files = append(files, file{step, filepath.Join(d.path, e.Name())})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.step, b.step) })
	return files, nil
}

// sweep removes what replace leaves when the process is killed in the middle of it.
func (d *Dir) sweep() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+prefix) || strings.HasPrefix(e.Name(), "."+bestName) {
			err = errors.Join(err, os.Remove(filepath.Join(d.path, e.Name())))
		}
	}
	return err
}

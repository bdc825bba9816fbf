package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// state returns a small state that depends on step.
func state(step int) *State {
	w := make([]float32, 6)
	for i := range w {
		w[i] = float32(step) + float32(i)/8
	}
	return &State{
		Step: step,
		Tensors: map[string]Tensor{
			"weight":  {[]int{2, 3}, w},
			"count":   {nil, []int64{int64(step) << 40}},
			"labels":  {[]int{2}, []int32{-1, int32(step)}},
			"pixels":  {[]int{3}, []uint8{0, 128, 255}},
			"nothing": {[]int{0, 7}, []float32{}},
		},
		Blobs: map[string][]byte{"memory": []byte("seen"), "": {}},
		Meta:  json.RawMessage(fmt.Sprintf(`{"epoch":%d,"note":"ä \"sha256\" <&>"}`, step/10)),
	}
}

func open(t *testing.T, path string) *Dir {
	d, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// names returns the files of a folder without the lock.
func names(t *testing.T, path string) (list []string) {
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != lockName {
			list = append(list, e.Name())
		}
	}
	return list
}

func TestSaveAndRead(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "new", "folder"))
	want := state(1234)
	require.NoError(t, d.Save(want, true))
	got, warnings, err := d.Latest()
	require.NoError(t, err)
	require.Empty(t, warnings)
	scalar := got.Tensors["count"]
	require.Empty(t, scalar.Shape)
	scalar.Shape = nil
	got.Tensors["count"] = scalar
	require.Equal(t, want, got)
	require.Equal(t, []string{"best.safetensors", "checkpoint-00001234.safetensors"}, names(t, d.Path()))

	var again bytes.Buffer
	require.NoError(t, write(&again, state(1234)))
	file, err := os.ReadFile(d.Best())
	require.NoError(t, err)
	require.Equal(t, again.Bytes(), file, "the same state, other bytes")
}

func TestEmptyState(t *testing.T) {
	d := open(t, t.TempDir())
	require.NoError(t, d.Save(&State{}, false))
	s, _, err := d.Latest()
	require.NoError(t, err)
	require.Equal(t, &State{Tensors: map[string]Tensor{}, Blobs: map[string][]byte{}}, s)
}

func TestRefusedStates(t *testing.T) {
	d := open(t, t.TempDir())
	one := []float32{1}
	for want, s := range map[string]*State{
		"step -1":                 {Step: -1},
		"not JSON":                {Meta: json.RawMessage("{")},
		"values":                  {Tensors: map[string]Tensor{"a": {[]int{2}, one}}},
		"negative":                {Tensors: map[string]Tensor{"a": {[]int{-1, -1}, one}}},
		"float64":                 {Tensors: map[string]Tensor{"a": {[]int{1}, []float64{1}}}},
		"<nil>":                   {Tensors: map[string]Tensor{"a": {}}},
		`cannot be called "sha`:   {Tensors: map[string]Tensor{"sha256": {[]int{1}, one}}},
		`cannot be called "blob:`: {Tensors: map[string]Tensor{"blob:a": {[]int{1}, one}}},
		"__metadata__":            {Tensors: map[string]Tensor{"__metadata__": {[]int{1}, one}}},
		"UTF-8":                   {Blobs: map[string][]byte{"\xff": nil}},
	} {
		require.ErrorContains(t, d.Save(s, true), want)
	}
	require.Empty(t, names(t, d.Path()))
}

func TestKeep(t *testing.T) {
	d := open(t, t.TempDir())
	steps := func() []int {
		s, err := d.Steps()
		require.NoError(t, err)
		return s
	}
	for step := 1; step <= 5; step++ {
		require.NoError(t, d.Save(state(step), step == 2))
	}
	require.Equal(t, []int{4, 5}, steps())
	best, err := Read(d.Best())
	require.NoError(t, err)
	require.Equal(t, 2, best.Step)
	d.Keep = 1
	require.NoError(t, d.Save(state(6), true))
	require.Equal(t, []int{6}, steps())
	best, err = Read(d.Best())
	require.NoError(t, err)
	require.Equal(t, 6, best.Step)
	require.NoError(t, d.Save(state(6), true)) // the same step again, while best has another name for the file
	require.Equal(t, []string{"best.safetensors", "checkpoint-00000006.safetensors"}, names(t, d.Path()))
	require.NoError(t, d.Save(state(123456789), false))
	require.Equal(t, []int{123456789}, steps())
}

func TestNone(t *testing.T) {
	d := open(t, t.TempDir())
	_, _, err := d.Latest()
	require.ErrorIs(t, err, ErrNone)
	require.ErrorContains(t, err, d.Path())

	require.NoError(t, d.Save(state(1), false))
	file := filepath.Join(d.Path(), "checkpoint-00000001.safetensors")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, warnings, err := d.Latest()
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrNone, "a damaged checkpoint is not a new beginning")
	require.Len(t, warnings, 1)
	require.ErrorContains(t, err, file)
}

// TestDamage reads a folder whose newest checkpoint is cut or changed, everywhere.
func TestDamage(t *testing.T) {
	d := open(t, t.TempDir())
	require.NoError(t, d.Save(state(1), false))
	require.NoError(t, d.Save(state(2), false))
	path := filepath.Join(d.Path(), "checkpoint-00000002.safetensors")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	check := func(what string, damaged []byte) {
		require.NoError(t, os.WriteFile(path, damaged, 0o644))
		s, warnings, err := d.Latest()
		require.NoError(t, err, what)
		require.Len(t, warnings, 1, what)
		require.ErrorContains(t, warnings[0], path+": ", what)
		require.Equal(t, 1, s.Step, what)
	}
	for n := 0; n < len(whole); n += 97 {
		check(fmt.Sprintf("the first %d bytes", n), whole[:n])
	}
	check("a byte more", append(slices.Clone(whole), 0))
	for i := range whole {
		for _, bit := range []byte{1, 0x20, 0x80} {
			b := slices.Clone(whole)
			b[i] ^= bit
			check(fmt.Sprintf("byte %d with bit %#x flipped", i, bit), b)
		}
	}
	require.NoError(t, os.WriteFile(path, whole, 0o644))
	s, warnings, err := d.Latest()
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, 2, s.Step)
}

func TestDamagedIsReplaced(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	d.Keep = 1
	require.NoError(t, d.Save(state(10), true))
	require.NoError(t, d.Save(state(20), false))
	require.NoError(t, os.Truncate(filepath.Join(path, "checkpoint-00000020.safetensors"), 100))
	s, warnings, err := d.Latest()
	require.NoError(t, err)
	require.Equal(t, 10, s.Step, "the best is better than nothing")
	require.Len(t, warnings, 1)
	require.NoError(t, d.Save(state(15), false))
	steps, err := d.Steps()
	require.NoError(t, err)
	require.Equal(t, []int{15}, steps, "the damaged later one must not take the place of the new one")
}

func TestAnotherRun(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	require.NoError(t, d.Save(state(50), true))
	require.NoError(t, d.Close())
	d = open(t, path)
	require.ErrorContains(t, d.Save(state(1), false), "another run")
	require.NoError(t, os.Remove(filepath.Join(path, "checkpoint-00000050.safetensors")))
	require.ErrorContains(t, d.Save(state(1), true), "another run")
	_, _, err := d.Latest()
	require.NoError(t, err)
	require.NoError(t, d.Save(state(51), false))
}

func TestInUse(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	_, err := Open(path)
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, path)
	require.NoError(t, d.Close())
	open(t, path)
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for _, path := range []string{file, filepath.Join(file, "folder")} {
		_, err := Open(path)
		require.ErrorContains(t, err, file)
	}
}

func TestSweep(t *testing.T) {
	path := t.TempDir()
	for _, name := range []string{".checkpoint-00000001.safetensors123", ".best.safetensors.new", ".best.safetensors9", "notes.txt", ".keep"} {
		require.NoError(t, os.WriteFile(filepath.Join(path, name), []byte("x"), 0o644))
	}
	open(t, path)
	require.Equal(t, []string{".keep", "notes.txt"}, names(t, path))
}

// TestFailedWrite checks that a write that fails half-way leaves nothing behind.
func TestFailedWrite(t *testing.T) {
	d := open(t, t.TempDir())
	require.NoError(t, d.Save(state(1), true))
	path := filepath.Join(d.Path(), "checkpoint-00000001.safetensors")
	err := replace(path, d.Best(), func(w io.Writer) error {
		_, err := w.Write(make([]byte, 3<<20))
		return errors.Join(err, errors.New("disk on fire"))
	})
	require.ErrorContains(t, err, "disk on fire")
	require.Equal(t, []string{"best.safetensors", "checkpoint-00000001.safetensors"}, names(t, d.Path()))
	for _, p := range []string{path, d.Best()} {
		_, err := Read(p)
		require.NoError(t, err)
	}
}

func TestCopyWithoutLinks(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	require.NoError(t, os.WriteFile(a, []byte("new"), 0o644))
	require.NoError(t, os.WriteFile(b, []byte("old"), 0o644))
	require.NoError(t, copyFile(a, b))
	got, err := os.ReadFile(b)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))
}

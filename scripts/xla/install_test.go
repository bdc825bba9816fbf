package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/backend"
)

// home gives the test an empty home folder and returns the install folder in it.
func home(t *testing.T) string {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv(backend.PathVariable, filepath.Join(os.Getenv("HOME"), ".local", "lib", "go-xla"))
	dir, err := backend.InstallDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// with replaces the sources for one test.
func with(t *testing.T, s map[string]source) {
	t.Helper()
	old := sources
	sources = s
	t.Cleanup(func() { sources = old })
}

func writes(content string) source {
	return func(_ context.Context, _ io.Writer, dir string) (string, error) {
		path := filepath.Join(dir, "fetched")
		return path, os.WriteFile(path, []byte(content), 0o600)
	}
}

func fails(message string) source {
	return func(_ context.Context, _ io.Writer, dir string) (string, error) {
		// A source that breaks off leaves part of a file behind.
		return "", errors.Join(errors.New(message), os.WriteFile(filepath.Join(dir, "part"), []byte("x"), 0o600))
	}
}

// names lists what is in dir.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, e := range entries {
		s = append(s, e.Name())
	}
	return strings.Join(s, " ")
}

func TestInstallFallsBack(t *testing.T) {
	dir := home(t)
	with(t, map[string]source{"github": fails("no route"), "pip": writes("plugin")})
	var out bytes.Buffer
	path, err := install(t.Context(), &out, []string{"github", "pip"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "plugin" {
		t.Errorf("installed %q, %v", got, err)
	}
	if got := names(t, dir); got != pluginFile {
		t.Errorf("folder holds %q, want only %s", got, pluginFile)
	}
	for _, want := range []string{"Not from github: no route", "Trying pip"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output %q lacks %q", &out, want)
		}
	}
}

func TestInstallFailureLeavesNothing(t *testing.T) {
	dir := home(t)
	with(t, map[string]source{"github": fails("no route"), "pip": fails("no python")})
	_, err := install(t.Context(), io.Discard, []string{"github", "pip"})
	if err == nil || !strings.Contains(err.Error(), "no route") || !strings.Contains(err.Error(), "no python") {
		t.Errorf("error %v does not name both reasons", err)
	}
	if got := names(t, dir); got != "" {
		t.Errorf("folder holds %q after a failure", got)
	}
}

func TestInstallInterrupted(t *testing.T) {
	dir := home(t)
	ctx, cancel := context.WithCancel(t.Context())
	tried := 0
	cut := func(context.Context, io.Writer, string) (string, error) {
		tried++
		cancel()
		return "", context.Canceled
	}
	with(t, map[string]source{"github": cut, "pip": cut})
	_, err := install(ctx, io.Discard, []string{"github", "pip"})
	if err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("error %v", err)
	}
	if tried != 1 {
		t.Errorf("%d sources were tried after the interruption", tried)
	}
	if got := names(t, dir); got != "" {
		t.Errorf("folder holds %q", got)
	}
}

// A plugin that cannot be used is replaced, one that can is left alone.
func TestInstallCPUReplacesBroken(t *testing.T) {
	dir := home(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pluginFile), []byte("\x7fELF half"), 0o755); err != nil {
		t.Fatal(err)
	}
	with(t, map[string]source{"pip": writes("still no plugin")})
	err := installCPU(t.Context(), io.Discard, "pip")
	if err == nil {
		t.Fatal("a file that is no plugin passed the proof")
	}
	if got, _ := os.ReadFile(filepath.Join(dir, pluginFile)); string(got) != "still no plugin" {
		t.Errorf("the broken plugin is still there: %q", got)
	}
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "w.whl")
	content := bytes.Repeat([]byte("plugin "), 1<<20)
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	m, err := z.Create(wheelMember)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(dir, "out")
	if err := unpack(t.Context(), archive, wheelMember, path); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("unpacked %d bytes, %v; want %d", len(got), err, len(content))
	}
	if err := unpack(t.Context(), archive, "other.so", filepath.Join(dir, "out2")); err == nil {
		t.Error("a member that is not there: no error")
	}
	if err := unpack(t.Context(), archive, wheelMember, path); err == nil {
		t.Error("an existing file was overwritten")
	}
}

func TestVerify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "abc")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
	if err := verify(path, sum); err != nil {
		t.Error(err)
	}
	if err := verify(path, wheelSHA256); err == nil || !strings.Contains(err.Error(), sum) {
		t.Errorf("wrong sum: error %v", err)
	}
}

func TestListWithoutPlugins(t *testing.T) {
	t.Setenv(backend.PathVariable, t.TempDir())
	t.Setenv("GOMLX_BACKEND", "")
	var out bytes.Buffer
	if err := list(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{backend.Install, "go  ", "float32", "no backend is named, programs use go"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("list lacks %q:\n%s", want, &out)
		}
	}
}

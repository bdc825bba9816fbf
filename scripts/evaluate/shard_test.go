package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// evaluateWith runs a command line and returns its exit status and what it printed.
func evaluateWith(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = command(context.Background(), args, &out, &err)
	return status, out.String(), err.String()
}

// must runs a command line that has to succeed.
func must(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	status, stdout, stderr := evaluateWith(args...)
	if status != 0 {
		t.Fatalf("evaluate %s: status %d\n%s", strings.Join(args, " "), status, stderr)
	}
	return stdout, stderr
}

// outputs returns the files of a finished run by their names, and fails where something is left beside them.
func outputs(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sameFiles compares the files of two runs.
func sameFiles(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(want) < 4 || len(got) != len(want) {
		t.Errorf("%d files, want %d: %v", len(got), len(want), slices.Sorted(maps.Keys(got)))
	}
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s has %d bytes, other than the %d wanted", name, len(got[name]), len(data))
		}
	}
}

func TestShardsJoinToTheSameBytes(t *testing.T) {
	net, whole, merged := tinyNet(t, 1), t.TempDir(), t.TempDir()
	flags := []string{"--n_exps", "2", "--val_split", "0.2"}
	want, _ := must(t, tiny(net, whole, flags...)...)
	var dirs []string
	for _, shard := range []string{"0/3", "1/3", "2/3"} {
		dir := t.TempDir()
		stdout, stderr := must(t, tiny(net, dir, append(flags, "--shard", shard)...)...)
		if stdout != "" || !strings.Contains(stderr, "shard "+shard) {
			t.Errorf("shard %s printed %q and\n%s", shard, stdout, stderr)
		}
		dirs = append([]string{dir}, dirs...) // the order does not matter
	}
	got, _ := must(t, append(append([]string{"merge"}, dirs...), "--out", merged)...)
	if got != want || !strings.Contains(want, "±") {
		t.Errorf("the leaderboards differ:\n%s\n%s", got, want)
	}
	files := outputs(t, whole)
	sameFiles(t, outputs(t, merged), files)
	if _, ok := files[filepath.Join("split_2", "scores.npz")]; !ok {
		t.Errorf("the second split has no scores")
	}
	if files[filepath.Join("split_1", "scores.csv")] == files[filepath.Join("split_2", "scores.csv")] {
		t.Error("both splits are of the same images")
	}
}

// Images of a shifted data set are scored, sharded and judged with the others.
func TestShifted(t *testing.T) {
	net, whole, shared := tinyNet(t, 1), t.TempDir(), t.TempDir()
	flags := []string{"--images", "40", "--ood_dataset", "mnist", "--ood_data_dir", darker(t), "--confid_scores", "MSR", "NE"}
	want, _ := must(t, tiny(net, whole, flags...)...)
	if !strings.Contains(want, "mnist + mnist") {
		t.Errorf("no mixture in\n%s", want)
	}
	for _, shard := range []string{"0/2", "1/2"} {
		must(t, tiny(net, shared, append(flags, "--shard", shard)...)...)
	}
	merged := t.TempDir()
	if got, _ := must(t, "merge", shared, "--out", merged); got != want {
		t.Errorf("merge printed\n%s\nwant\n%s", got, want)
	}
	files := outputs(t, whole)
	sameFiles(t, outputs(t, merged), files)
	if n := strings.Count(files[filepath.Join("ood", "scores.csv")], "\n"); n != 201 || files["ood.json"] == "" {
		t.Errorf("%d lines of scores of shifted images, want 201", n)
	}
}

// Shards may share a folder, and a shard may be empty.
func TestShardsInOneFolder(t *testing.T) {
	net, whole, shared := tinyNet(t, 1), t.TempDir(), t.TempDir()
	few := []string{"--images", "24"} // two chunks
	must(t, tiny(net, whole, few...)...)
	for _, shard := range []string{"0/3", "1/3", "2/3"} {
		must(t, tiny(net, shared, append(few, "--shard", shard)...)...)
	}
	merged := t.TempDir()
	must(t, "merge", shared, "--out", merged)
	sameFiles(t, outputs(t, merged), outputs(t, whole))
}

func TestMergeRefuses(t *testing.T) {
	net, other := tinyNet(t, 1), tinyNet(t, 2)
	shard := func(net string, more ...string) string {
		dir := t.TempDir()
		must(t, tiny(net, dir, append([]string{"--images", "32", "--shard"}, more...)...)...)
		return dir
	}
	first, second := shard(net, "0/2"), shard(net, "1/2")
	finished := t.TempDir()
	must(t, tiny(net, finished, "--images", "8")...)
	for want, dirs := range map[string][]string{
		"images 16 to 31 of split 1 are in none":   {first},
		"images 0 to 15 of split 1 are in none":    {second},
		"images 0 to 15 of split 1 are in":         {first, second, shard(net, "0/2")},
		"is listed twice":                          {first, second, first + "/."},
		"weights_sha256":                           {first, shard(other, "1/2")},
		"seed 3 instead of 0":                      {first, shard(net, "1/2", "--seed", "3")},
		"protocol official instead of sound":       {first, shard(net, "1/2", "--protocol", "official", "--val_split", "0")},
		"scores":                                   {first, shard(net, "1/2", "--confid_scores", "MSR")},
		"images 24 instead of 32":                  {first, shard(net, "1/2", "--images", "24")},
		"data_sha256":                              {first, shard(net, "1/2", "--images", "32:64")},
		"resamples 21 instead of 20":               {first, shard(net, "1/2", "--resamples", "21")},
		"chunk_size 8 instead of 16":               {first, shard(net, "1/2", "--chunk_size", "8")},
		"holds no parts":                           {first, t.TempDir()},
		"holds a finished run":                     {first, finished},
		"sha256 is not the one that was written":   {first, damaged(t, shard(net, "1/2"))},
		"belongs to another run than the manifest": {first, mixed(t, shard(net, "1/2"), shard(other, "1/2"))},
		"DIR is required":                          {},
	} {
		out := filepath.Join(t.TempDir(), "out")
		status, _, stderr := evaluateWith(append(append([]string{"merge"}, dirs...), "--out", out)...)
		if status == 0 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("status %d and error %q, want one line with %q", status, stderr, want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: there is an --out folder", want)
		}
	}
}

// damaged changes a byte of the scores in a shard's part.
func damaged(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "parts", "split1_16.npz")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2]++
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mixed puts a part of another shard into dir.
func mixed(t *testing.T, dir, other string) string {
	t.Helper()
	for _, name := range []string{"split1_16.npz", "split1_16.json"} {
		data, err := os.ReadFile(filepath.Join(other, "parts", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "parts", name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestColumns(t *testing.T) {
	one := write(t, "one.csv", "correct,site,conf,entropy\n1,a,0.9,0.1\n1,a,0.8,0.2\n0,a,0.3,0.9\n1,b,0.7,0.4\n0,b,0.2,0.8\n")
	two := write(t, "two.csv", "label,prob_0,prob_1\n0,0.9,0.1\n1,0.2,0.8\n1,0.6,0.4\n")
	json := filepath.Join(t.TempDir(), "out.json")
	stdout, _ := must(t, "columns", one, "--uncertainty", "entropy", "--scores", "conf", "entropy", "--group", "site", "--resamples", "0", "--out", json)
	for _, want := range []string{"one", "5 images, 2 errors", "conf", "entropy", "site"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if text := readText(t, json); !strings.Contains(text, `"aurc"`) || !strings.Contains(text, `"conf"`) {
		t.Errorf("%s holds %s", json, text)
	}
	readText(t, filepath.Join(filepath.Dir(json), "out_groups1.json"))
	plain := write(t, "plain.csv", "correct,conf\n1,0.9\n0,0.2\n")
	stdout, _ = must(t, "columns", plain, two, "--resamples", "0")
	if !strings.Contains(stdout, "MSR") || !strings.Contains(stdout, "two") {
		t.Errorf("two files side by side:\n%s", stdout)
	}
}

// What a run wrote is judged from its columns as it was by the run.
func TestColumnsOfRun(t *testing.T) {
	net, out := tinyNet(t, 1), t.TempDir()
	table, _ := must(t, tiny(net, out)...)
	again, _ := must(t, "columns", filepath.Join(out, "scores.csv"), "--resamples", "20")
	for _, name := range []string{"MSR", "ODIN", "RR_fast", "RR_fgsm"} {
		a, b := row(table, name), row(again, name)
		// All but the cost, which a table of scores does not hold.
		if len(a) < 4 || len(b) != len(a) || strings.Join(a[:len(a)-1], " ") != strings.Join(b[:len(b)-1], " ") {
			t.Errorf("%s: the run has %v, its columns %v", name, a, b)
		}
	}
}

// row returns the words of the line that starts with name.
func row(table, name string) []string {
	for _, line := range strings.Split(table, "\n") {
		if words := strings.Fields(line); len(words) > 0 && words[0] == name {
			return words
		}
	}
	return nil
}

func TestColumnsRefuses(t *testing.T) {
	good := write(t, "good.csv", "correct,conf\n1,0.9\n0,0.1\n")
	for want, args := range map[string][]string{
		"FILE is required": {},
		"nowhere.csv":      {"nowhere.csv"},
		"nan.csv":          {write(t, "nan.csv", "correct,conf\n1,NaN\n0,0.1\n")},
		"text.csv":         {write(t, "text.csv", "hello\n")},
		".doc":             {write(t, "table.doc", "")},
		"--out":            {good, "--out", "/dev/null/out.json"},
		"--resamples":      {good, "--resamples", "-1"},
	} {
		status, stdout, stderr := evaluateWith(append([]string{"columns"}, args...)...)
		if status == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: status %d, printed %q\n%s", args, status, stdout, stderr)
		}
	}
	// Degenerate columns have a defined result.
	for name, text := range map[string]string{"constant": "correct,conf\n1,1\n0,1\n", "no errors": "correct,conf\n1,1\n1,2\n", "one class": "label,pred,conf\n0,0,1\n0,0,2\n"} {
		if status, stdout, stderr := evaluateWith("columns", write(t, "c.csv", text)); status != 0 || !strings.Contains(stdout, "conf") {
			t.Errorf("%s: status %d\n%s%s", name, status, stdout, stderr)
		}
	}
}

func TestSeeds(t *testing.T) {
	var dirs []string
	for seed := range uint64(2) {
		dir := t.TempDir()
		must(t, tiny(tinyNet(t, seed), dir, "--n_exps", "2")...)
		dirs = append(dirs, dir)
	}
	out := filepath.Join(t.TempDir(), "seeds.json")
	stdout, _ := must(t, "seeds", dirs[0], dirs[1], "--out", out)
	if !strings.Contains(stdout, "RR_fgsm") || !strings.Contains(stdout, "±") || !strings.Contains(readText(t, out), "aurc") {
		t.Errorf("seeds printed\n%s", stdout)
	}
	other := t.TempDir()
	must(t, tiny(tinyNet(t, 5), other, "--images", "50", "--n_exps", "2")...)
	for want, args := range map[string][]string{
		"are of the same weights":  {dirs[0], dirs[0]},
		"not of the same images":   {dirs[0], other},
		"folder of a finished run": {dirs[0], t.TempDir()},
	} {
		if status, _, stderr := evaluateWith(append([]string{"seeds"}, args...)...); status != exitError || !strings.Contains(stderr, want) {
			t.Errorf("status %d, want an error with %q:\n%s", status, want, stderr)
		}
	}
}

// Every attack of the official command scores, is stored and resumed.
func TestAttacks(t *testing.T) {
	net := tinyNet(t, 1)
	for column, flags := range map[string][]string{
		"RR_fgsml2":        {"--atk_type", "fgsml2"},
		"RR_fgsm_targeted": {"--targeted"},
		"RR_pgd":           {"--atk_type", "pgd", "--pgd_steps", "3", "--pgd_disable_random"},
		"RR_pgdl2_random":  {"--atk_type", "pgdl2", "--pgd_steps", "2"},
		"RR_deepfool":      {"--atk_type", "deepfool"},
		"RR_fab":           {"--atk_type", "fab"},
	} {
		out := t.TempDir()
		must(t, append([]string{"--dataset", "mnist", "--ckpt", net, "--images", "12", "--confid_scores", "MSR", "--robust_radius",
			"--backend", "go", "--val_split", "0.5", "--resamples", "0", "--out", out}, flags...)...)
		found := false
		for name := range readCSV(t, filepath.Join(out, "scores.csv")) {
			found = found || strings.HasPrefix(name, column)
		}
		if !found {
			t.Errorf("%v: no column %s", flags, column)
		}
	}
}

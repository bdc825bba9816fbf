package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/policy"
)

func shortest(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// golden are the flags for the golden network, which is right most of the time.
func golden(more ...string) []string {
	return append([]string{"--dataset", "cifar10", "--data_dir", goldenDir, "--backend", "xla:cpu",
		"--ckpt", filepath.Join(goldenDir, "weights_rat.safetensors")}, more...)
}

// A policy from one half of the images is applied to the other half, and to images that it was not made for.
func TestPolicyAndApply(t *testing.T) {
	dir := t.TempDir()
	file, table := filepath.Join(dir, "policy.json"), filepath.Join(dir, "applied.csv")
	stdout, _ := must(t, append([]string{"policy"}, golden("--arch", "wrn10_1_cifar10", "--images", "600", "--val_split", "0.25",
		"--score", "ODIN", "--risk", "0.2", "--out", file)...)...)
	if !strings.Contains(stdout, "accept where ODIN >=") || !strings.Contains(stdout, "with confidence 95 %") {
		t.Errorf("policy printed\n%s", stdout)
	}
	p, err := policy.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if p.Data.Images != 450 || p.Data.Dataset != "cifar10" || !strings.Contains(p.Data.Note, "apart from 150") || !strings.Contains(string(p.Score.Parameters), "Temperature") {
		t.Errorf("the policy says %+v of %+v", p.Data, p.Score)
	}
	stdout, stderr := must(t, append([]string{"apply", "--policy", file, "--strict"}, golden("--images", "600:1000", "--out", table)...)...)
	if !strings.Contains(stdout, "no drift: two-sample Kolmogorov-Smirnov") || strings.Contains(stderr, "warning") {
		t.Errorf("apply printed\n%s%s", stdout, stderr)
	}
	accepted := 0
	rows := readRows(t, table)
	for _, row := range rows[1:] {
		score, err := strconv.ParseFloat(row[3], 64)
		if err != nil || (row[4] == "1") != (score >= p.Threshold) {
			t.Fatalf("%v: accepted from %v on", row, p.Threshold)
		}
		if row[4] == "1" {
			accepted++
		}
	}
	if head := strings.Join(rows[0], ","); head != "index,label,pred,ODIN,accepted" || len(rows) != 401 || accepted == 0 || accepted == 400 {
		t.Errorf("%d lines under %s, %d accepted", len(rows)-1, head, accepted)
	}
	if want := "accepted " + strconv.Itoa(accepted) + " of 400 images"; !strings.Contains(stdout, want) {
		t.Errorf("apply did not say %q:\n%s", want, stdout)
	}
}

// readRows reads a table.
func readRows(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A policy from a stored run is the same as one from scoring the same images now, and drift is noticed.
func TestPolicyFromRun(t *testing.T) {
	net, out, dir := tinyNet(t, 1), t.TempDir(), t.TempDir()
	must(t, tiny(net, out, "--val_split", "0.2")...)
	stored, fresh, table := filepath.Join(dir, "stored.json"), filepath.Join(dir, "fresh.json"), filepath.Join(dir, "applied.csv")
	how := []string{"--score", "ODIN", "--method", "plain", "--risk", "0.95", "--alarm_rate", "0.001"}
	must(t, append([]string{"policy", "--from", out, "--out", stored}, how...)...)
	must(t, append([]string{"policy", "--dataset", "mnist", "--ckpt", net, "--images", "100", "--val_split", "0.2", "--backend", "go",
		"--batch_size", "8", "--out", fresh}, how...)...)
	a, b := readText(t, stored), readText(t, fresh)
	if a != b {
		t.Errorf("from a run:\n%s\nfrom scoring now:\n%s", a, b)
	}
	other := []string{"apply", "--policy", stored, "--ckpt", net, "--dataset", "synthetic", "--backend", "go", "--out", table}
	if status, _, stderr := evaluateWith(other...); status != exitError || !strings.Contains(stderr, "images are 16x16x1") {
		t.Errorf("images of another size: status %d\n%s", status, stderr)
	}
	shifted := []string{"apply", "--policy", stored, "--ckpt", net, "--dataset", "mnist", "--data_dir", darker(t), "--backend", "go", "--out", table}
	status, _, stderr := evaluateWith(append(shifted, "--strict")...)
	if status != exitDrift || !strings.Contains(stderr, "warning: the guarantee may not hold for these images: DRIFT: two-sample") {
		t.Errorf("status %d\n%s", status, stderr)
	}
	if status, _, _ := evaluateWith(shifted...); status != 0 || len(readRows(t, table)) != 201 {
		t.Errorf("without --strict: status %d", status)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// darker writes 200 images of noise as MNIST's test files.
func darker(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const n = 200
	images := append([]byte{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 28, 0, 0, 0, 28}, make([]byte, n*28*28)...)
	for i := range n * 28 * 28 {
		images[16+i] = byte(i * i / 7 % 251)
	}
	labels := append([]byte{0, 0, 8, 1, 0, 0, 0, n}, make([]byte, n)...)
	for name, data := range map[string][]byte{"t10k-images-idx3-ubyte": images, "t10k-labels-idx1-ubyte": labels} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPolicyRefuses(t *testing.T) {
	net, out, splits, dir := tinyNet(t, 1), t.TempDir(), t.TempDir(), t.TempDir()
	must(t, tiny(net, out)...)
	must(t, tiny(net, splits, "--n_exps", "2")...)
	file := filepath.Join(dir, "policy.json")
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	must(t, "policy", "--from", out, "--score", "MSR", "--method", "plain", "--risk", "0.99", "--out", file)
	for _, c := range []struct {
		line, want string
		status     int
	}{
		{"policy --from RUN --score MSR", "risk is required", exitUsage},
		{"policy --from RUN --score MSR --risk 0.01", "no threshold meets risk 0.01 by sgr on 100 images", exitError},
		{"policy --from RUN --score MSR --risk 2", "risk 2", exitError},
		{"policy --from RUN --score MSR --risk 0.9 --method magic", `"magic"`, exitError},
		{"policy --from RUN --risk 0.9", "want one of MSR, ODIN, RR_fast, RR_fgsm", exitUsage},
		{"policy --from RUN --score MSR --risk 0.9 --ckpt NET", "--from", exitUsage},
		{"policy --from SPLITS --score MSR --risk 0.9", "2 splits", exitError},
		{"policy --from DIR --score MSR --risk 0.9", "not the folder of a finished run", exitError},
		{"policy --risk 0.9", "--from", exitUsage},
		{"policy --risk 0.9 --ckpt NET --score BEST", `"BEST"`, exitError},
		{"policy --from RUN --score MSR --risk 0.9 --out DIR", "is a folder", exitError},
		{"apply --policy FILE --out NEW", "--policy and --ckpt are required", exitUsage},
		{"apply --ckpt NET", "--policy and --ckpt are required", exitUsage},
		{"apply --policy BROKEN --ckpt NET", "broken.json", exitError},
		{"apply --policy FILE --ckpt OTHER --out NEW", "is for other weights", exitError},
		{"apply --policy FILE --ckpt NET --out DIR/none/new.csv", "--out", exitError},
	} {
		fresh := filepath.Join(t.TempDir(), "new")
		args := strings.Fields(strings.NewReplacer("RUN", out, "SPLITS", splits, "DIR", dir, "BROKEN", broken, "FILE", file,
			"NET", net, "OTHER", tinyNet(t, 2), "NEW", fresh).Replace(c.line))
		if args[0] == "policy" && !strings.Contains(c.line, "--out") {
			args = append(args, "--out", fresh)
		}
		status, _, stderr := evaluateWith(args...)
		if status != c.status || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, want %d and %q\n%s", c.line, status, c.status, c.want, stderr)
		}
		if _, err := os.Stat(fresh); err == nil {
			t.Errorf("%s: wrote a file", c.line)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSpellOut(t *testing.T) {
	flags := flagNames(&options{})
	for line, want := range map[string]string{
		"--n_exp 3":              "--n_exps 3",
		"--n_exp=3":              "--n_exps=3",
		"--test_batch 64":        "--batch_size 64",
		"--test 64":              "--batch_size 64",
		"--te 0.5":               "--te could be --test_batch, --temp-test",
		"--data":                 "--data could be --dataset, --data-parallel",
		"--data-p":               "--data-parallel",
		"--data_d x":             "--data_dir x",
		"--robust":               "--robust_radius",
		"--r":                    "--robust_radius", // officially not ambiguous, though there is --resume
		"--resu":                 "--resume",
		"--res":                  "--res could be --resume, --resamples",
		"--s 1":                  "--seed 1",
		"--p x":                  "--p could be --plot, --path, --perturb_level, --pgd_steps, --pgd_disable_random, --prob-thres",
		"--pgd_s 1":              "--pgd_steps 1",
		"--h":                    "--help",
		"--perturb -1":           "--perturb_level -1",
		"--unknown 1 -x --":      "--unknown 1 -x --",
		"--ckpt f -- --n_exp":    "--ckpt f -- --n_exp",
		"--confid MSR --n_exp 3": "--confid_scores MSR --n_exps 3",
		"--pgd_disable_random":   "--pgd_disable_random",
	} {
		got, err := spellOut(strings.Fields(line), flags)
		text := strings.Join(got, " ")
		if err != nil {
			text = err.Error()
		}
		if strings.Contains(want, "could be") {
			// The order of the candidates is that of the flags.
			wanted := strings.Split(want, " ")
			for _, word := range wanted {
				if !strings.Contains(text, strings.TrimSuffix(word, ",")) {
					t.Errorf("%s: %s, want %s", line, text, want)
				}
			}
			continue
		}
		if text != want {
			t.Errorf("%s: %s, want %s", line, text, want)
		}
	}
	for _, f := range officialFlags {
		if name, ok := alias[f]; !slices.Contains(flags, f) && !(ok && slices.Contains(flags, name)) {
			t.Errorf("the official flag %s is not known", f)
		}
	}
}

// The official command line, with another network and few images, so that it ends soon.
func TestOfficialCommand(t *testing.T) {
	out := t.TempDir()
	line := "--robust_radius --arch smallcnn_mnist --dataset mnist --confid_scores MSR ODIN RR_fast --perturb_level -1 --n_exp 3 --data-parallel --ckpt"
	args := append(strings.Fields(line), tinyNet(t, 1), "--images", "60", "--test_batch", "16", "--backend", "go", "--out", out)
	stdout, _ := must(t, args...)
	for _, want := range []string{"over 3 splits", "MSR", "ODIN", "RR_fast", "RR_fgsm", "±"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	for _, split := range []string{"split_1", "split_2", "split_3"} {
		columns := readCSV(t, filepath.Join(out, split, "scores.csv"))
		if len(columns) != 4 || len(columns["MSR"]) != 48 {
			t.Errorf("%s has %d columns of %d images, want 4 of 48", split, len(columns), len(columns["MSR"]))
		}
	}
}

func TestUsage(t *testing.T) {
	net := tinyNet(t, 1)
	for _, c := range []struct {
		line, want string
		status     int
	}{
		{"--help", "", 0},
		{"policy --help", "", 0},
		{"apply --help", "", 0},
		{"merge --help", "", 0},
		{"", "--ckpt is required", exitUsage},
		{"--ckpt", "missing value", exitUsage},
		{"--ckpt NET --colour", "unknown argument --colour", exitUsage},
		{"--ckpt NET --te 3", "--te could be", exitUsage},
		{"--ckpt NET --shard 2/2", "0/2 to 1/2", exitUsage},
		{"--ckpt NET --shard 1", "want i/n", exitUsage},
		{"--ckpt NET --shard 1/2x", "want i/n", exitUsage},
		{"--ckpt NET --images 5:3", "want a number of images", exitUsage},
		{"--ckpt NET --images 0", "want a number of images", exitUsage},
		{"--ckpt NET --images 20000", "10000 test images", exitError},
		{"--ckpt NET --n_exps 0", "--n_exps", exitUsage},
		{"--ckpt NET --n_exps 2 --val_split 0", "need validation images", exitUsage},
		{"--ckpt NET --perturb_level -1 --val_split 0", "needs validation images", exitUsage},
		{"--ckpt NET --perturb_level NaN", "--perturb_level", exitUsage},
		{"--ckpt NET --chunk_size 0", "--chunk_size", exitUsage},
		{"--ckpt NET --robust_radius --atk_type wind", "--atk_type", exitUsage},
		{"--ckpt NET --robust_radius --atk_type fab --targeted", "--targeted", exitUsage},
		{"--ckpt NET --pgd_steps 0", "--pgd_steps", exitUsage},
		{"columns --help", "", 0},
		{"seeds --help", "", 0},
		{"--ckpt NET --images 8 --backend go --out OUT --ood_dataset svnh", "--ood_dataset", exitError},
		{"--ckpt NET --images 8 --backend go --out OUT --ood_dataset synthetic", "images of synthetic are 16x16x1", exitError},
		{"--ckpt NET --custom_model m", "--arch", exitUsage},
		{"--ckpt NET --temp-test 1 2", "--temp-test", exitUsage},
		{"--ckpt NET --robust_radius --min_noise 1e-5", "--min_noise", exitUsage},
		{"--ckpt NET --prob-thres 1", "--prob-thres", exitUsage},
		{"--ckpt NET --images 8 --backend go --out OUT --confid_scores MSR --prob-thres 0.99", "no image has a probability", exitError},
		{"--ckpt NET --out /dev/null/x", "--out", exitError},
	} {
		args := strings.Fields(strings.NewReplacer("NET", net, "OUT", t.TempDir()).Replace(c.line))
		status, stdout, stderr := evaluateWith(args...)
		last := stderr[strings.LastIndexByte(strings.TrimSuffix(stderr, "\n"), '\n')+1:]
		if status != c.status || !strings.Contains(last, c.want) || status != 0 && !strings.HasPrefix(last, "evaluate: ") {
			t.Errorf("%s: status %d, want %d\n%s", c.line, status, c.status, stderr)
		}
		if status == 0 && !strings.Contains(stdout, "--help") {
			t.Errorf("%s: no help:\n%s", c.line, stdout)
		}
	}
}

func TestProbabilityThreshold(t *testing.T) {
	net, out, all := tinyNet(t, 1), t.TempDir(), t.TempDir()
	must(t, tiny(net, all)...)
	most := slices.Sorted(slices.Values(readCSV(t, filepath.Join(all, "scores.csv"))["MSR"]))
	stdout, _ := must(t, tiny(net, out, "--prob-thres", shortest(most[60]), "--plot", "--tag", "the-tag", "--debug")...)
	if got := readCSV(t, filepath.Join(out, "scores.csv"))["MSR"]; len(got) != 40 || slices.Min(got) != most[60] {
		t.Errorf("%d images, the least likely at %v, want 40 from %v on", len(got), slices.Min(got), most[60])
	}
	if !strings.Contains(stdout, "the-tag on mnist: 40 images") {
		t.Errorf("the tag is not in\n%s", stdout)
	}
	for _, figure := range []string{"risk_coverage", "cost"} {
		for _, ending := range []string{".png", ".csv"} {
			if _, err := os.Stat(filepath.Join(out, figure+ending)); err != nil {
				t.Errorf("--plot: %v", err)
			}
		}
	}
}

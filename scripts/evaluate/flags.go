package main

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/ratml/rat/scripts/evaluate/internal/parts"
)

// source says which images a classifier is run on, and how.
type source struct {
	Dataset    string `arg:"--dataset" default:"mnist" help:"data set: mnist, fashion_mnist, cifar10, cifar100, svhn, imagenet, cub, places365, tiny_imagenet, cifar10c, cifar100c and imagenetc (also as cifar10c:fog:3), synthetic, or folder:DIR, csv:FILE, npz:FILE, packed:DIR; go run ./scripts/data list tells the files"`
	DataDir    string `arg:"--data_dir" help:"folder of the data set [default: $DATASET_ROOT_DIR, or where the set is found by itself]"`
	Images     span   `arg:"--images" help:"which of the test images: n for the first n, a:b for numbers a to b-1 [default: all]"`
	Checkpoint string `arg:"--ckpt" help:"weights: safetensors, a file of torch.save (.pth, .pt, .ckpt, .pth.zip), or the official code's folder of OpenMix's networks"`
	Model      string `arg:"--model" placeholder:"FILE" help:"the same, of which the architecture is found out unless --arch names it, or an ONNX file"`
	Backend    string `arg:"--backend" help:"xla, xla:cuda, xla:/path/to/plugin.so, go [default: a plugin if one is installed, else go]"`
	BatchSize  int    `arg:"--batch_size" default:"128" help:"images of one pass; officially --test_batch"`
	Devices    string `arg:"--devices" default:"1" help:"devices over which a batch is spread, or all"`
	Seed       uint64 `arg:"--seed" default:"0" help:"seed of validation splits and the bootstrap"`
	corruption
	network
}

// fitting says what is done before scores are judged.
type fitting struct {
	Arch     string   `arg:"--arch" help:"architecture, such as wrn28_10_cifar10 [default: the small net of the data set]"`
	ValSplit *float64 `arg:"--val_split" help:"share of the test images on which temperatures and other parameters are fitted; the rest is judged [default: 0, and 0.2 under --protocol official, with --perturb_level -1 and with --n_exps]"`
	Perturb  float64  `arg:"--perturb_level" default:"0" help:"move images by this much along the gradient of a score before computing it, -1 for the best of the official levels on validation images"`
	Protocol string   `arg:"--protocol" default:"sound" help:"sound, or official: the official code's numbers, quirks included"`
}

// options are the flags of the command without a job.
type options struct {
	source
	fitting
	Scores       []string    `arg:"--confid_scores" help:"scores, separated by spaces, or all that need nothing but a classifier, those of the official code alone under its protocol [default: all]"`
	RobustRadius bool        `arg:"--robust_radius" help:"run the boundary search RR-BS too (column RR_fgsm)"`
	Splits       int         `arg:"--n_exps" default:"1" help:"repeat on so many validation splits"`
	Resamples    int         `arg:"--resamples" default:"1000" help:"bootstrap resamples behind the intervals, 0 for none"`
	Out          string      `arg:"--out" default:"evaluation" help:"folder for scores.csv, scores.npz, metrics.json and run.json"`
	Shard        parts.Shard `arg:"--shard" placeholder:"I/N" help:"score only part I (from 0) of N; evaluate merge joins them"`
	Resume       bool        `arg:"--resume" help:"go on with the run that was interrupted in --out"`
	Plan         bool        `arg:"--plan" help:"show what would be computed and what it costs, and compute nothing"`
	ChunkSize    int         `arg:"--chunk_size" default:"1024" help:"images scored between two savings"`
	paging
	official
}

// official are flags of the official command that say little or nothing here.
type official struct {
	Plot         bool      `arg:"--plot" help:"draw risk_coverage.png and cost.png too"`
	Tag          string    `arg:"--tag" help:"name of the run in titles [default: the architecture]"`
	Threshold    float64   `arg:"--prob-thres" default:"0" help:"judge only images whose largest probability is at least this"`
	DataParallel bool      `arg:"--data-parallel" help:"use all devices"`
	Debug        bool      `arg:"--debug" help:"accepted for official command lines: nothing is ever uploaded"`
	Attack       string    `arg:"--atk_type" default:"fgsm" help:"how --robust_radius moves images: fgsm, fgsml2, pgd, pgdl2, deepfool or fab"`
	Targeted     bool      `arg:"--targeted" help:"move images towards the runner-up"`
	MinNoise     float64   `arg:"--min_noise" default:"1e-6" help:"where the official search starts: 1e-6"`
	PGDSteps     int       `arg:"--pgd_steps" default:"10" help:"steps of pgd and pgdl2"`
	PGDCentre    bool      `arg:"--pgd_disable_random" help:"start pgd and pgdl2 from the image, not from a random place"`
	Temperatures []float64 `arg:"--temp-test" help:"refused: temperatures are fitted"`
	Shifted      string    `arg:"--ood_dataset" help:"score the test images of this data set too, and judge the mixture, in which every prediction for them is an error"`
	ShiftedDir   string    `arg:"--ood_data_dir" help:"folder of that data set [default: that of --data_dir]"`
	CustomModel  string    `arg:"--custom_model" help:"openmix: the network in third_party/openmix/checkpoints or --ckpt; others are named by --arch"`
	Path         string    `arg:"--path" help:"refused: see --ckpt"`
}

func (options) Description() string {
	return "Scores the test images of a data set and judges how well each score tells wrong predictions from right ones."
}

func (options) Epilogue() string {
	return "Other jobs: evaluate policy, evaluate apply, evaluate columns, evaluate seeds, evaluate merge; each has its --help."
}

// check refuses what no scoring can be made of, and official flags without a meaning here.
func (o official) check(robustRadius bool) error {
	switch {
	case o.Path != "":
		return usagef("--path names networks of the official repository; name the architecture by --arch and the weights by --ckpt")
	case len(o.Temperatures) > 0:
		return usagef("--temp-test: a table over temperatures is not offered; --val_split fits them")
	case o.PGDSteps < 1:
		return usagef("--pgd_steps %d: want at least 1", o.PGDSteps)
	case o.MinNoise != 1e-6 && robustRadius:
		return usagef("--min_noise %g: the official search starts at 1e-6, the sound one needs no start", o.MinNoise)
	case !(o.Threshold >= 0 && o.Threshold < 1):
		return usagef("--prob-thres %g: want a probability below 1", o.Threshold)
	}
	return nil
}

// span is a range of images: from first to one before last, or to the end where last is 0.
type span struct{ first, last int }

// UnmarshalText reads "n" or "a:b".
func (s *span) UnmarshalText(text []byte) error {
	var in span
	var err error
	if strings.Contains(string(text), ":") {
		_, err = fmt.Sscanf(string(text), "%d:%d", &in.first, &in.last)
	} else {
		_, err = fmt.Sscanf(string(text), "%d", &in.last)
	}
	if err != nil || in.first < 0 || in.last <= in.first || in.String() != string(text) {
		return fmt.Errorf("images %q: want a number of images, or a range such as 500:1000", text)
	}
	*s = in
	return nil
}

// String returns what UnmarshalText reads.
func (s span) String() string {
	if s.first == 0 {
		return fmt.Sprint(s.last)
	}
	return fmt.Sprintf("%d:%d", s.first, s.last)
}

// alias are official spellings of flags that are called otherwise here.
var alias = map[string]string{"--test_batch": "--batch_size"}

// officialFlags are those of the official command. An abbreviation of one of them means it, as it does there, whatever
// other flags there are here.
var officialFlags = []string{
	"--dataset", "--arch", "--ood_dataset", "--test_batch", "--plot", "--custom_model", "--path", "--ckpt",
	"--confid_scores", "--seed", "--perturb_level", "--val_split", "--n_exps", "--robust_radius", "--debug",
	"--min_noise", "--atk_type", "--targeted", "--pgd_steps", "--pgd_disable_random", "--data-parallel", "--temp-test",
	"--prob-thres", "--tag", "--help",
}

// spellOut replaces abbreviations of flags by the flags, as Python's argparse reads them. Flags that are unknown are
// left as they are.
func spellOut(args, flags []string) ([]string, error) {
	var known []string // official flags that this job has
	for _, f := range officialFlags {
		if name, ok := alias[f]; ok && slices.Contains(flags, name) || slices.Contains(flags, f) {
			known = append(known, f)
		}
	}
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...), nil
		}
		name, value, hasValue := strings.Cut(a, "=")
		if len(name) < 3 || !strings.HasPrefix(name, "--") {
			out = append(out, a)
			continue
		}
		if !slices.Contains(flags, name) {
			full, err := completion(name, known, flags)
			if err != nil {
				return nil, err
			}
			name = full
		}
		if hasValue {
			name += "=" + value
		}
		out = append(out, name)
	}
	return out, nil
}

// completion returns the flag that name abbreviates, or name itself where there is none.
func completion(name string, preferred, all []string) (string, error) {
	for _, flags := range [][]string{preferred, all} {
		matches := slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return !strings.HasPrefix(f, name) })
		if slices.Contains(matches, name) {
			matches = []string{name}
		}
		if len(matches) > 1 {
			return "", fmt.Errorf("%s could be %s", name, strings.Join(matches, ", "))
		}
		if len(matches) == 1 {
			if full, ok := alias[matches[0]]; ok {
				return full, nil
			}
			return matches[0], nil
		}
	}
	return name, nil
}

// flagNames returns the flags of options.
func flagNames(dst any) []string {
	names := []string{"--help"}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(dst).Elem()) {
		for _, key := range strings.Split(f.Tag.Get("arg"), ",") {
			if strings.HasPrefix(key, "--") {
				names = append(names, key)
			}
		}
	}
	return names
}

// share returns the part of the test images that is for validation.
func (o fitting) share(splits int) (float64, error) {
	if math.IsNaN(o.Perturb) || o.Perturb > 1 {
		return 0, usagef("--perturb_level %g: want a step in pixel units, 0, or -1 to search it", o.Perturb)
	}
	if o.ValSplit == nil {
		if o.Protocol == "official" || o.Perturb < 0 || splits > 1 {
			return 0.2, nil
		}
		return 0, nil
	}
	if s := *o.ValSplit; !(s >= 0 && s < 1) {
		return 0, usagef("--val_split %v: want a share of the test images, at least 0 and below 1", s)
	}
	return *o.ValSplit, nil
}

package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/train"
)

// flags reads a command line as main does.
func flags(t *testing.T, args ...string) options {
	t.Helper()
	o, err := parse(args)
	require.NoError(t, err)
	return o
}

// settingsOf returns what a command line, which must be right, says.
func settingsOf(t *testing.T, args ...string) settings {
	t.Helper()
	s, err := flags(t, args...).settings()
	require.NoError(t, err)
	return s
}

// rate returns the learning rate at an epoch.
func (s settings) rate(epoch float64) float64 {
	return s.Schedule(s.LearningRate, epoch, float64(s.Epochs))
}

func TestDefaults(t *testing.T) {
	s := settingsOf(t)
	require.Equal(t, []any{"rat", "mnist", "smallcnn_mnist", 64}, []any{s.kind, s.dataset, s.arch, s.perDevice})
	require.NotNil(t, s.Schedule)
	s.Schedule = nil
	require.Equal(t, train.Config{Objective: train.RAT{StepSize: 0.001}, Epochs: 10, Optimizer: train.SGD{}}, s.Config)
	require.Equal(t, "wrn16_2_cifar10", settingsOf(t, "--dataset", "cifar10").arch)
	require.Equal(t, "smallcnn_fashion_mnist", settingsOf(t, "--dataset", "fashion_mnist").arch)
}

// official is the command of the official README, after "python models/train.py".
var official = strings.Fields("--weight_decay 0.0001 --max_epochs 500 --step_size 0.001 --batch_size 64 --scheduler cosine " +
	"--ori_lam 1.0 --flex_direction --learning_rate 0.2 --dataset cifar10 --model wrn28_10_cifar10 --from_scratch " +
	"--optimizer sgd --mixup --mixup_alpha 1.0 --final_epochs_no_mixup 10 --warmup_epochs 5")

// TestOfficialCommand compares the official command with the recipe that was written down by hand.
func TestOfficialCommand(t *testing.T) {
	s, recipe := settingsOf(t, official...), settingsOf(t, "--recipe", "rat_cifar10_wrn28_10")
	require.Equal(t, "wrn28_10_cifar10", s.arch)
	require.Equal(t, "cifar10", s.dataset)
	require.Empty(t, s.notes)
	s.Devices = 2
	require.NoError(t, s.fitBatch(flags(t, official...), 50_000))
	require.Equal(t, 128, s.BatchSize, "the batch size is that of each device")
	require.Equal(t, train.RAT{StepSize: 0.001, OriginalLambda: 1, Mixup: train.Mixup{Alpha: 1}}, s.Objective)
	require.Equal(t, train.RAT{StepSize: 0.001, OriginalLambda: 1}, s.FinalObjective)
	require.Equal(t, []string{"crop_flip"}, s.augment)
	for _, x := range []settings{s, recipe} {
		require.Equal(t, []any{500, 10, 0.2, 1e-4, train.SGD{}}, []any{x.Epochs, x.FinalEpochs, x.LearningRate, x.WeightDecay, x.Optimizer})
		require.NotNil(t, x.Augment)
	}
	require.InDelta(t, 0.2*(1-math.Cos(0.1*math.Pi))/2, s.rate(0.5), 1e-7, "every step has its rate")
	require.InDelta(t, 1e-8, recipe.rate(0.5), 1e-12)

	quirks := settingsOf(t, append([]string{"--protocol", "official"}, official...)...)
	require.InDelta(t, 1e-8, quirks.rate(0.5), 1e-12, "the rate changes between epochs only")
	require.True(t, quirks.LocalBatchNorm)
	require.False(t, s.LocalBatchNorm)
	require.False(t, quirks.DropLast)
	for epoch := 0.25; epoch < 500; epoch += 7.5 {
		require.Equal(t, recipe.rate(epoch), quirks.rate(epoch), "epoch %v", epoch)
	}
}

// TestObjectiveIsTold checks which objective is meant where --objective is not given.
func TestObjectiveIsTold(t *testing.T) {
	at := train.RAT{StepSize: 0.01, NoFlex: true}
	for _, c := range []struct {
		args string
		want train.Objective
		note string
	}{
		{"--step_size 0.01", train.RAT{StepSize: 0.01}, ""},
		{"--step_size 0.01 --flex_direction", train.RAT{StepSize: 0.01}, ""},
		{"--step_size 0.01 --arch smallcnn_mnist --epochs 3", train.RAT{StepSize: 0.01}, ""},
		{"--step_size 0.01 --model smallcnn_mnist", at, "adversarial training, as the official command"},
		{"--step_size 0.01 --max_epochs=3", at, "adversarial training"},
		{"--step_size 0.01 --from_scratch", at, "adversarial training"},
		{"--step_size 0.01 --from_scratch --flex_direction", train.RAT{StepSize: 0.01}, ""},
		{"--step_size 0.01 --from_scratch --objective rat", train.RAT{StepSize: 0.01}, ""},
		{"--protocol official --from_scratch", at, "adversarial training"},
		{"--protocol official --from_scratch --flex_direction", train.RAT{StepSize: 0.01}, ""},
		{"--recipe rat_mnist_smallcnn --max_epochs 3", train.RAT{StepSize: 0.01, Lambda: 0.5, OriginalLambda: 0.5}, ""},
		{"--recipe logitnorm_cifar10_wrn40_2", train.LogitNorm{Temperature: 0.04}, ""},
	} {
		s := settingsOf(t, strings.Fields(c.args)...)
		require.Equal(t, c.want, s.Objective, c.args)
		if c.note == "" {
			require.Empty(t, s.notes, c.args)
		} else {
			require.Contains(t, strings.Join(s.notes, "\n"), c.note, c.args)
		}
	}
}

// TestProtocolOfficial checks the defaults of models/train.py.
func TestProtocolOfficial(t *testing.T) {
	s := settingsOf(t, "--protocol", "official", "--from_scratch", "--pgd", "--warmup_epochs", "2")
	require.Equal(t, []any{"imagenet", "resnet18", 128, 100}, []any{s.dataset, s.arch, s.perDevice, s.Epochs})
	require.Equal(t, train.RAT{StepSize: 0.01, NoFlex: true, PGD: &train.PGD{RawGradient: true}}, s.Objective)
	require.Equal(t, []any{train.AdamW{}, 5e-5, 1e-4}, []any{s.Optimizer, s.LearningRate, s.WeightDecay})
	require.InDeltaSlice(t, []float64{1e-8, 5e-5, 5e-5}, []float64{s.rate(0.9), s.rate(2), s.rate(99.9)}, 1e-15)
	require.False(t, settingsOf(t, "--protocol", "official", "--from_scratch", "--sync_bn").LocalBatchNorm)
	require.Equal(t, 5e-5, settingsOf(t, "--protocol", "official", "--from_scratch", "--optimizer", "adam").LearningRate)
}

func TestFlags(t *testing.T) {
	rat := train.RAT{StepSize: 0.001}
	objective := func(want train.Objective) func(t *testing.T, s settings) {
		return func(t *testing.T, s settings) { require.Equal(t, want, s.Objective) }
	}
	rates := func(want ...float64) func(t *testing.T, s settings) { // at epochs 0, 3, 6, 9.5 of 10
		return func(t *testing.T, s settings) {
			require.InDeltaSlice(t, want, []float64{s.rate(0), s.rate(3), s.rate(6), s.rate(9.5)}, 1e-9)
		}
	}
	cosine := func(t float64) float64 { return 0.5 * (1 + math.Cos(math.Pi*t)) }
	for args, check := range map[string]func(t *testing.T, s settings){
		"--objective plain": objective(train.Plain{}),
		"--objective at":    objective(train.RAT{StepSize: 0.001, NoFlex: true}),
		"--objective plain --mixup --mixup_alpha 0.3": objective(train.Plain{Mixup: train.Mixup{Alpha: 0.3}}),
		"--reverse_at --lam 2 --ori_lam 0":            objective(train.RAT{StepSize: 0.001, Lambda: 2, OriginalLambda: train.Off, Reverse: true}),
		"--mixup --clean_direction --final_epochs_no_mixup 2": func(t *testing.T, s settings) {
			require.Equal(t, train.RAT{StepSize: 0.001, Mixup: train.Mixup{Alpha: 1}, CleanDirection: true}, s.Objective)
			require.Equal(t, 2, s.FinalEpochs)
			require.Equal(t, rat, s.FinalObjective)
		},
		"--mixup --final_epochs_no_mixup 12": func(t *testing.T, s settings) {
			require.Equal(t, 10, s.FinalEpochs)
			require.Equal(t, []string{"the last 12 epochs are without mixup, so all 10 are"}, s.notes)
		},
		"--pgd": objective(train.RAT{StepSize: 0.001, PGD: &train.PGD{}}),
		"--pgd --pgd_steps 3 --pgd_step_size 0.0005":              objective(train.RAT{StepSize: 0.001, PGD: &train.PGD{Steps: 3, StepSize: 0.0005}}),
		"--objective crl --rank_target margin --rank_weight 2":    objective(train.CRL{Weight: 2, Target: train.RankMargin}),
		"--objective sam --rho 0.1":                               objective(train.SAM{Rho: 0.1}),
		"--objective logitnorm --temperature 0.1":                 objective(train.LogitNorm{Temperature: 0.1}),
		"--objective regmixup --regmixup_alpha 3 --regmixup_mean": objective(train.RegMixup{Alpha: 3, Mean: true}),
		"--objective openmix --outliers synthetic":                objective(train.OpenMix{}),
		"--objective fmfp --epochs 20 --rho_adaptive": func(t *testing.T, s settings) {
			require.Equal(t, train.SAM{Adaptive: true}, s.Objective)
			require.Equal(t, []any{train.SWA{From: 12}, 128, 0, 5e-4}, []any{s.Averaging, s.BatchSize, s.perDevice, s.WeightDecay})
			require.Equal(t, 0.05, s.rate(19))
		},
		"--optimizer adamw": func(t *testing.T, s settings) { require.Equal(t, train.AdamW{}, s.Optimizer) },
		"--momentum 0 --weight_decay 0": func(t *testing.T, s settings) {
			require.Equal(t, []any{train.SGD{Momentum: train.Off}, -1.0}, []any{s.Optimizer, s.WeightDecay})
		},
		"--nesterov --momentum 0.8": func(t *testing.T, s settings) {
			require.Equal(t, train.SGD{Momentum: 0.8, Nesterov: true}, s.Optimizer)
		},
		"--no_decay_norm --clip_norm 2 --accumulate 4 --label_smoothing 0.1 --mixed_precision --drop_last --num_workers 3": func(t *testing.T, s settings) {
			require.True(t, s.DecayWeightsOnly && s.BFloat16 && s.DropLast)
			require.Equal(t, []any{2.0, 4, 0.1, 3}, []any{s.ClipNorm, s.Accumulate, s.LabelSmoothing, s.Workers})
		},
		"--bf16":                        func(t *testing.T, s settings) { require.True(t, s.BFloat16) },
		"--ema 0.9":                     func(t *testing.T, s settings) { require.Equal(t, train.EMA{Decay: 0.9}, s.Averaging) },
		"--swa_from 7":                  func(t *testing.T, s settings) { require.Equal(t, train.SWA{From: 7}, s.Averaging) },
		"--local_bn":                    func(t *testing.T, s settings) { require.True(t, s.LocalBatchNorm) },
		"--learning_rate 1":             rates(1, cosine(0.3), cosine(0.6), cosine(0.95)),
		"--learning_rate 1 --per_epoch": rates(1, cosine(0.3), cosine(0.6), cosine(0.9)),
		"--learning_rate 1 --scheduler constant --warmup_epochs 6":                 rates(1e-8, 0.5+5e-9, 1, 1),
		"--learning_rate 1 --scheduler none":                                       rates(1, 1, 1, 1),
		"--learning_rate 1 --scheduler linear":                                     rates(1, 0.7, 0.4, 0.05),
		"--learning_rate 1 --scheduler step --decay_every 3 --gamma 0.5":           rates(1, 0.5, 0.25, 0.125),
		"--learning_rate 1 --scheduler multistep --milestones 3 9 --gamma 0.5":     rates(1, 0.5, 0.5, 0.25),
		"--learning_rate 1 --scheduler onecycle":                                   rates(0.04, 1, train.OneCycle{}.Rate(1, 6, 10), train.OneCycle{}.Rate(1, 9.5, 10)),
		"--learning_rate 1 --scheduler none --swa_from 4 --swa_lr 0.3 --epochs 20": rates(1, 1, 0.3+0.7*cosine(0.2), 0.3+0.7*cosine(0.55)),
		"--augment none": func(t *testing.T, s settings) { require.Nil(t, s.Augment) },
		"--dataset cifar10 --augment none": func(t *testing.T, s settings) {
			require.Nil(t, s.Augment)
			require.Empty(t, s.augment)
		},
		"--dataset cifar10 --rand_erase 0.25": func(t *testing.T, s settings) {
			require.Equal(t, []string{"crop_flip", "erasing", "p=0.25"}, s.augment)
		},
		"--recipe fmfp_cifar10_wrn28_10 --objective plain": func(t *testing.T, s settings) {
			require.Equal(t, train.Plain{}, s.Objective)
			require.Equal(t, 0.05, s.rate(190), "the rest is the recipe's")
		},
		"--recipe fmfp_cifar10_wrn28_10 --scheduler linear": func(t *testing.T, s settings) {
			require.InDelta(t, 0.005, s.rate(190), 1e-9)
		},
		"--recipe rat_cifar10_wrn28_10 --step_size 0.01 --epochs 100": func(t *testing.T, s settings) {
			require.Equal(t, train.RAT{StepSize: 0.01, Mixup: train.Mixup{Alpha: 1}}, s.Objective)
			require.Equal(t, train.RAT{StepSize: 0.01}, s.FinalObjective)
			require.Equal(t, []any{100, 10, 128}, []any{s.Epochs, s.FinalEpochs, s.BatchSize})
		},
		"--recipe rat_cifar10_wrn28_10 --mixup=false --batch_size 32 --augment flip": func(t *testing.T, s settings) {
			require.Equal(t, rat, s.Objective)
			require.Equal(t, []any{0, 32}, []any{s.FinalEpochs, s.perDevice})
			require.Equal(t, []string{"flip"}, s.augment)
		},
		"--recipe crl_cifar10_wrn28_10 --dataset mnist": func(t *testing.T, s settings) {
			require.Equal(t, "smallcnn_mnist", s.arch)
		},
	} {
		t.Run(args, func(t *testing.T) { check(t, settingsOf(t, strings.Fields(args)...)) })
	}
}

// TestEveryFlagIsHelped checks that --help has a text for every flag, and all recipes are listed.
func TestEveryFlagIsHelped(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, command(t.Context(), []string{"--help"}, &out, &out))
	groups := reflect.TypeFor[options]()
	n := 0
	for _, f := range reflect.VisibleFields(groups) {
		if name := f.Tag.Get("arg"); name != "" {
			n++
			require.NotEmpty(t, f.Tag.Get("help"), name)
			require.Regexp(t, `(?m)^  `+name+`\b`, out.String())
		}
	}
	require.Greater(t, n, 70)
	for _, line := range strings.Split(out.String(), "\n") {
		require.LessOrEqual(t, len(line), 120)
	}
	for _, k := range kinds {
		require.Contains(t, flagHelp("Objective"), k.name)
		for _, flag := range k.flags {
			require.Contains(t, out.String(), "\n  "+flag)
		}
	}
	out.Reset()
	require.Zero(t, command(t.Context(), []string{"--recipes"}, &out, &out))
	for _, r := range train.Recipes() {
		require.Contains(t, out.String(), r.Name+" ")
		require.Contains(t, out.String(), "source: "+r.Source)
	}
}

func flagHelp(field string) string {
	f, _ := reflect.TypeFor[options]().FieldByName(field)
	return f.Tag.Get("help")
}

// TestBadFlags checks the one line that tells what is wrong, and the exit status.
func TestBadFlags(t *testing.T) {
	for _, c := range []struct {
		args   string
		want   string
		status int
	}{
		{"--nonsense", "unknown argument --nonsense", exitUsage},
		{"--epochs many", "error processing --epochs", exitUsage},
		{"--objective mixup", `--objective "mixup": want one of plain, at, rat, crl`, exitUsage},
		{"--objective at --flex_direction", "--flex_direction says nothing to --objective at: it is of rat", exitUsage},
		{"--objective rat --flex_direction=false", "without flexible direction it is --objective at", exitUsage},
		{"--objective plain --step_size 0.1", "--step_size says nothing to --objective plain: it is of at, rat", exitUsage},
		{"--rho 0.1", "--rho says nothing to --objective rat: it is of sam, fmfp", exitUsage},
		{"--objective logitnorm --mixup", "--mixup says nothing to --objective logitnorm", exitUsage},
		{"--recipe crl_cifar10_wrn28_10 --temperature 1", "--temperature says nothing to --objective crl", exitUsage},
		{"--mixup_alpha 2", "say nothing without --mixup", exitUsage},
		{"--mixup --mixup_alpha 0", "--mixup_alpha 0: want a positive number", exitUsage},
		{"--clean_direction", "--clean_direction says nothing without --mixup", exitUsage},
		{"--pgd_steps 3", "say nothing without --pgd", exitUsage},
		{"--pgd --pgd_steps 0", "--pgd_steps 0", exitUsage},
		{"--objective openmix", "say of which data set with --outliers", exitUsage},
		{"--outliers mnist", "--outliers says nothing to --objective rat", exitUsage},
		{"--objective crl --rank_target msr", `--rank_target "msr"`, exitUsage},
		{"--optimizer lamb", `--optimizer "lamb": want sgd, adamw or adam`, exitUsage},
		{"--optimizer adam --nesterov", "are of --optimizer sgd", exitUsage},
		{"--nesterov --momentum 0", "--nesterov needs a --momentum", exitUsage},
		{"--momentum 2", "--momentum 2: want a number in [0,1]", exitUsage},
		{"--scheduler cosine_epoch", `--scheduler "cosine_epoch": want cosine, linear`, exitUsage},
		{"--scheduler multistep", "--scheduler multistep and --milestones belong together", exitUsage},
		{"--scheduler multistep --milestones 5 3", "want epochs, ascending", exitUsage},
		{"--gamma 0.2", "--gamma is of --scheduler step and multistep", exitUsage},
		{"--decay_every 3", "--decay_every is of --scheduler step", exitUsage},
		{"--scheduler onecycle --warmup_epochs 1", "--warmup_epochs is not of --scheduler onecycle", exitUsage},
		{"--warmup_epochs 10", "--warmup_epochs 10: want a number from 0 to less than the 10 epochs", exitUsage},
		{"--swa_lr 0.1", "--swa_lr says nothing without --swa_from", exitUsage},
		{"--swa_from 10", "--swa_from 10: want a number from 0 to less than the 10 epochs", exitUsage},
		{"--recipe fmfp_cifar10_wrn28_10 --epochs 20", "--swa_from 120: want a number from 0 to less than the 20 epochs", exitUsage},
		{"--ema 1", "--ema 1: want", exitUsage},
		{"--ema 0.9 --swa_from 2", "--ema and --swa_from", exitUsage},
		{"--local_bn --sync_bn", "--local_bn and --sync_bn exclude each other", exitUsage},
		{"--augment mosaic", `--augment "mosaic"`, exitUsage},
		{"--augment crop,,flip", "an empty name in the list", exitUsage},
		{"--augment erasing --rand_erase 2", "--rand_erase 2: want a probability", exitUsage},
		{"--cutout_size 8", "cutout in --augment", exitUsage},
		{"--label_smoothing 1", "--label_smoothing 1: want a number from 0 to less than 1", exitUsage},
		{"--learning_rate -0.1", "--learning_rate -0.1: want a positive number", exitUsage},
		{"--learning_rate NaN", "--learning_rate NaN", exitUsage},
		{"--epochs 0", "--epochs 0", exitUsage},
		{"--batch_size -1", "--batch_size -1", exitUsage},
		{"--step_size 0", "--step_size 0: want a positive number", exitUsage},
		{"--lam +Inf", "--lam +Inf", exitUsage},
		{"--protocol nonsense", `--protocol "nonsense": want sound or official`, exitUsage},
		{"--protocol official", "without --from_scratch begins with pretrained weights", exitUsage},
		{"--protocol official --recipe rat_mnist_smallcnn", "give one of them", exitUsage},
		{"--recipe nonsense", `unknown recipe "nonsense"; known are rat_cifar10_wrn28_10`, exitUsage},
		{"--init a --ckpt b", "give one of them", exitUsage},
		{"--from_scratch --ckpt b", "give one of them", exitUsage},
		{"--log_every 0", "--log_every be positive", exitUsage},
		{"--dataset synthetic --val_size 9 --val_split 0.1", "--val_size and --val_split say the same", exitUsage},
		{"--dataset synthetic --val_split 1", "--val_split be from 0 to less than 1", exitUsage},
		{"--dataset synthetic --backend go --devices many", `--devices "many": want a number`, exitUsage},
		{"--dataset synthetic --backend go --devices 2", "--devices 2: the backend go has 1", exitError},
		{"--dataset synthetic --val_check_interval 5", "--val_check_interval without images to validate on", exitError},
		{"--arch resnet", `unknown architecture "resnet"`, exitError},
		{"--dataset mmist", `unknown data set "mmist"`, exitError},
		{"--dataset cifar10 --data_dir /nowhere", "/nowhere", exitError},
		{"--dataset synthetic --val_size 2000", "0 images to train on (--train_size) and 2000 for validation", exitError},
		{"--dataset synthetic --train_size 3000", "there are 2000", exitError},
		{"--dataset synthetic --backend nonsense", "unknown backend", exitError},
		{"--dataset synthetic --backend go --train_size 20 --batch_size 32", "a step takes 32 images (--batch_size times --devices), but there are only 20", exitError},
		{"--dataset synthetic --backend go --init /nowhere/w.safetensors", "/nowhere/w.safetensors", exitError},
		{"--dataset synthetic --backend go --ckpt /nowhere/w.safetensors", "--ckpt: weights: open /nowhere/w.safetensors", exitError},
		{"--dataset synthetic --backend go --ckpt flags_test.go", "want a checkpoint of this command, or weights as safetensors or of torch.save", exitError},
		{"--dataset synthetic --objective openmix --outliers cifar10 --outliers_dir /nowhere", "--outliers: ", exitError},
		{"--dataset synthetic --backend go --out /dev/null/x", "--out: ", exitError},
	} {
		args := append([]string{"--out", t.TempDir()}, strings.Fields(c.args)...)
		var out, errs bytes.Buffer
		status := command(t.Context(), args, &out, &errs)
		lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
		last := lines[len(lines)-1]
		require.Contains(t, last, c.want, c.args)
		require.Equal(t, c.status, status, "%s: %s", c.args, last)
		require.Equal(t, 1, strings.Count(errs.String(), "train: "), "one error: %s", errs.String())
		require.Empty(t, out.String())
	}
}

// TestAugment checks that changes are made in the order of the list, with their settings.
func TestAugment(t *testing.T) {
	shape := dataset.Shape{Height: 28, Width: 28, Channels: 1}
	white := func() []float32 {
		image := make([]float32, shape.Size())
		for i := range image {
			image[i] = 1
		}
		return image
	}
	count := func(image []float32, value float32) int {
		n := 0
		for _, v := range image {
			if v == value {
				n++
			}
		}
		return n
	}
	cutout := settingsOf(t, "--augment", "cutout", "--cutout_size", "6")
	for range 20 {
		image := white()
		cutout.Augment(rng, shape, image)
		n := count(image, 0.1307)
		require.Equal(t, shape.Size(), n+count(image, 1))
		require.True(t, n >= 9 && n <= 36, "%d pixels", n)
	}
	erased := 0
	erasing := settingsOf(t, "--augment", "none", "--rand_erase", "0.3")
	for range 400 {
		image := white()
		erasing.Augment(rng, shape, image)
		if count(image, 0) > 0 {
			erased++
		}
	}
	require.InDelta(t, 120, erased, 45)
	both := settingsOf(t, "--augment", "crop,cutout,flip").Augment
	image := white()
	both(rng, shape, image)
	require.Equal(t, shape.Size(), count(image, 1)+count(image, 0)+count(image, 0.1307))
}

var rng = rand.New(rand.NewPCG(1, 2))

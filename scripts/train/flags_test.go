package main

import (
	"math"
	"testing"

	"github.com/alexflint/go-arg"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/train"
)

// parse reads a command line as main does.
func parse(t *testing.T, args ...string) options {
	t.Helper()
	var o options
	p, err := arg.NewParser(arg.Config{}, &o)
	require.NoError(t, err)
	require.NoError(t, p.Parse(aliases(args)))
	return o
}

func TestDefaults(t *testing.T) {
	o := parse(t, "--out", "x")
	require.Equal(t, "smallcnn_mnist", o.arch())
	cfg, err := o.config()
	require.NoError(t, err)
	require.Equal(t, train.RAT{StepSize: 0.001, Lambda: 1, OriginalLambda: 1}, cfg.Objective)
	require.Nil(t, cfg.Augment)
	cfg.Objective = nil
	require.Equal(t, train.Config{Epochs: 10, BatchSize: 64, LearningRate: 0.1, Optimizer: train.SGD{Momentum: 0.9}, WeightDecay: 1e-4}, cfg)
}

// TestOfficialCommand reads the official README's command for RAT, without its flags for mixup.
func TestOfficialCommand(t *testing.T) {
	o := parse(t, "--weight_decay", "0.0001", "--max_epochs", "500", "--step_size", "0.001", "--batch_size", "64",
		"--scheduler", "cosine", "--ori_lam", "1.0", "--flex_direction", "--learning_rate", "0.2", "--dataset", "cifar10",
		"--model=wrn28_10_cifar10", "--from_scratch", "--optimizer", "sgd", "--warmup_epochs", "5", "--out", "x")
	require.Equal(t, "wrn28_10_cifar10", o.arch())
	cfg, err := o.config()
	require.NoError(t, err)
	require.Equal(t, train.RAT{StepSize: 0.001, Lambda: 1, OriginalLambda: 1}, cfg.Objective)
	require.NotNil(t, cfg.Augment)
	require.Equal(t, []float64{500, 0.2, 5}, []float64{float64(cfg.Epochs), cfg.LearningRate, cfg.WarmupEpochs})
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args  []string
		check func(t *testing.T, cfg train.Config)
	}{
		{[]string{"--objective", "plain"}, func(t *testing.T, c train.Config) { require.Equal(t, train.Plain{}, c.Objective) }},
		{[]string{"--objective", "at", "--step_size", "0.01"}, func(t *testing.T, c train.Config) {
			require.Equal(t, train.RAT{StepSize: 0.01, Lambda: 1, OriginalLambda: 1, NoFlex: true}, c.Objective)
		}},
		{[]string{"--reverse_at", "--lam", "2", "--ori_lam", "0"}, func(t *testing.T, c train.Config) {
			require.Equal(t, train.RAT{StepSize: 0.001, Lambda: 2, OriginalLambda: train.Off, Reverse: true}, c.Objective)
		}},
		{[]string{"--momentum", "0", "--weight_decay", "0"}, func(t *testing.T, c train.Config) {
			require.Equal(t, []float64{train.Off, train.Off}, []float64{c.Optimizer.(train.SGD).Momentum, c.WeightDecay})
		}},
		{[]string{"--scheduler", "constant"}, func(t *testing.T, c train.Config) {
			require.Equal(t, 1.0, c.Schedule(1, 9, 10))
		}},
		{[]string{"--scheduler", "cosine_epoch"}, func(t *testing.T, c train.Config) {
			require.InDelta(t, (1+math.Cos(0.9*math.Pi))/2, c.Schedule(1, 9.5, 10), 1e-12)
		}},
		{[]string{"--augment", "crop"}, func(t *testing.T, c train.Config) { require.NotNil(t, c.Augment) }},
		{[]string{"--dataset", "cifar10", "--augment", "none"}, func(t *testing.T, c train.Config) { require.Nil(t, c.Augment) }},
	} {
		cfg, err := parse(t, append(c.args, "--out", "x")...).config()
		require.NoError(t, err)
		c.check(t, cfg)
	}
}

func TestBadFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--objective", "mixup"}, `--objective "mixup"`},
		{[]string{"--objective", "at", "--flex_direction"}, "--flex_direction is --objective rat"},
		{[]string{"--optimizer", "adam"}, `--optimizer "adam": want sgd`},
		{[]string{"--scheduler", "step"}, `--scheduler "step"`},
		{[]string{"--augment", "mosaic"}, `--augment "mosaic"`},
		{[]string{"--learning_rate", "-0.1"}, "--learning_rate must be positive"},
		{[]string{"--learning_rate", "NaN"}, "--learning_rate must be positive"},
		{[]string{"--epochs", "0"}, "--epochs"},
		{[]string{"--batch_size", "-1"}, "--batch_size"},
		{[]string{"--step_size", "0"}, "--step_size and --lam must be positive"},
		{[]string{"--lam", "+Inf"}, "--lam"},
		{[]string{"--warmup_epochs", "10"}, "want less than the 10 epochs"},
		{[]string{"--arch", "resnet"}, `unknown architecture "resnet"`},
		{[]string{"--dataset", "mmist"}, `unknown data set "mmist"`},
		{[]string{"--dataset", "cifar10", "--data_dir", "/nowhere"}, "/nowhere"},
		{[]string{"--dataset", "synthetic", "--val_size", "9", "--val_split", "0.1"}, "--val_size and --val_split say the same"},
		{[]string{"--dataset", "synthetic", "--val_split", "1"}, "--val_split be from 0 to less than 1"},
		{[]string{"--dataset", "synthetic", "--val_size", "2000"}, "0 images to train on and 2000 for validation"},
		{[]string{"--dataset", "synthetic", "--train_size", "3000"}, "there are 2000"},
		{[]string{"--dataset", "synthetic", "--backend", "nonsense"}, "unknown backend"},
		{[]string{"--dataset", "synthetic", "--backend", "go", "--init", "/nowhere/w.safetensors"}, "/nowhere/w.safetensors"},
		{[]string{"--dataset", "synthetic", "--backend", "go", "--out", "/dev/null/x"}, "--out"},
	} {
		args := append([]string{"--out", t.TempDir()}, c.args...)
		require.ErrorContains(t, silent(t.Context(), parse(t, args...)), c.want, "%q", c.args)
	}
}

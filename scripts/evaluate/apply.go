package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/google/renameio/v2"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/policy"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
	"github.com/ratml/rat/scripts/internal/progress"
)

// errDrift is what apply --strict ends with.
var errDrift = errors.New("the scores have drifted")

// applyOptions are the flags of evaluate apply.
type applyOptions struct {
	Policy string `arg:"--policy" placeholder:"FILE" help:"policy file that evaluate policy wrote"`
	Out    string `arg:"--out" default:"applied.csv" help:"table to write: a line an image with the score and whether it is accepted"`
	Strict bool   `arg:"--strict" help:"exit with status 3 where the scores have drifted"`
	source
}

func (applyOptions) Description() string {
	return "Scores new images with the classifier of a policy and accepts or rejects each prediction. Warns where the scores are distributed otherwise than those the policy was made from: its guarantee does not hold then."
}

func apply(ctx context.Context, o applyOptions, stdout, stderr io.Writer) error {
	if o.Policy == "" || o.Checkpoint == "" && o.Model == "" {
		return usagef("--policy and --ckpt are required: the policy, and the weights that it is for")
	}
	if o.BatchSize < 1 {
		return usagef("batch size %d: want at least 1", o.BatchSize)
	}
	p, err := policy.Load(o.Policy)
	if err != nil {
		return err
	}
	if err := writableFile(o.Out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	run, err := o.score(ctx, p, stderr)
	if err != nil {
		return err
	}
	scores := run.Scores[0].Values
	drift, err := p.Drift(scores)
	if err != nil {
		return err
	}
	var table bytes.Buffer
	if err := decisions(&table, p, run); err != nil {
		return err
	}
	if err := renameio.WriteFile(o.Out, table.Bytes(), 0o644, renameio.WithTempDir(filepath.Dir(o.Out))); err != nil {
		return err
	}
	summarize(stdout, p, run)
	if !drift.Drifted {
		fmt.Fprintln(stdout, drift)
		return nil
	}
	fmt.Fprintf(stderr, "warning: the guarantee may not hold for these images: %v\n", drift)
	if o.Strict {
		return errDrift
	}
	return nil
}

// score computes the policy's score for the new images.
func (o applyOptions) score(ctx context.Context, p *policy.Policy, stderr io.Writer) (*misd.Run, error) {
	protocol, err := protocol(p.Score.Protocol)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Policy, err)
	}
	arch := p.Classifier.Arch
	if err := o.settle(&arch); err != nil {
		return nil, err
	}
	sum, err := parts.FileSum(o.Checkpoint)
	if err != nil {
		return nil, err
	}
	if sum != p.Classifier.Weights {
		return nil, fmt.Errorf("%s is for other weights than %s (sha256 %.12s, here %.12s)", o.Policy, o.Checkpoint, p.Classifier.Weights, sum)
	}
	c, err := o.classifier(arch, stderr)
	if err != nil {
		return nil, err
	}
	images, err := o.test(c.Arch)
	if err != nil {
		return nil, err
	}
	s := &scoring{src: o.source, stderr: stderr, protocol: protocol, images: images, classifier: c}
	f, err := s.function(ctx, p.Score)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Policy, err)
	}
	bar := progress.New("scoring", images.Len())
	defer bar.Finish()
	return s.scorer(bar.Func()).Run(ctx, c, images, f)
}

// function makes the score of a policy.
func (s *scoring) function(ctx context.Context, score policy.Score) (confidence.Function, error) {
	var err error
	if slices.Contains(featureScores, score.Name) {
		if s.statistics, err = confidence.LoadStatistics(statisticsOf(s.src.Checkpoint)); err != nil {
			return nil, err
		}
	}
	fs, err := s.remake([]parts.Score{{Name: score.Name, Function: score.Parameters}})
	if err != nil {
		return nil, err
	}
	if name := fs[0].Name(); name != score.Name {
		return nil, fmt.Errorf("the policy is for score %s, its parameters are of %s", score.Name, name)
	}
	return fs[0], nil
}

// decisions writes a line an image.
func decisions(w io.Writer, p *policy.Policy, run *misd.Run) error {
	c := csv.NewWriter(w)
	c.Write([]string{"index", "label", "pred", p.Score.Name, "accepted"}) // csv.Writer keeps the first error
	for i, score := range run.Scores[0].Values {
		accepted := "0"
		if p.Accept(score) {
			accepted = "1"
		}
		c.Write([]string{strconv.Itoa(i), strconv.Itoa(run.Label[i]), strconv.Itoa(run.Pred[i]), strconv.FormatFloat(score, 'g', -1, 64), accepted})
	}
	c.Flush()
	return c.Error()
}

// summarize prints the counts, and the errors that the labels of the data set show.
func summarize(w io.Writer, p *policy.Policy, run *misd.Run) {
	accepted, wrong := 0, 0
	correct := run.Correct()
	for i, score := range run.Scores[0].Values {
		if p.Accept(score) {
			accepted++
			if !correct[i] {
				wrong++
			}
		}
	}
	n := run.Len()
	fmt.Fprintf(w, "accepted %d of %d images (%.1f %%), rejected %d; by the labels of %s %d of the accepted are wrong\n",
		accepted, n, 100*float64(accepted)/float64(n), n-accepted, run.Dataset, wrong)
	fmt.Fprintf(w, "guarantee on data like %s (%s): %v\n", p.Data.Dataset, p.Data.Note, p.Guarantee)
}

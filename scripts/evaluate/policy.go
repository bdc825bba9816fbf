package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/policy"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
	"github.com/ratml/rat/scripts/internal/progress"
)

// policyOptions are the flags of evaluate policy.
type policyOptions struct {
	From  string `arg:"--from" placeholder:"DIR" help:"take the scores of a finished run in this folder, instead of scoring images now"`
	Score string `arg:"--score" help:"score that decides, such as RR_fgsm [default: MSR, or the only one of --from]"`

	Method    string  `arg:"--method" default:"sgr" help:"sgr (the error rate among accepted, with confidence 1-delta), crc (the share accepted and wrong, on average) or plain (no guarantee)"`
	Risk      float64 `arg:"--risk" help:"largest risk wanted, such as 0.05"`
	Delta     float64 `arg:"--delta" default:"0.05" help:"probability that the guarantee of sgr fails"`
	AlarmRate float64 `arg:"--alarm_rate" default:"0.01" help:"probability that evaluate apply warns of drift without drift"`
	Out       string  `arg:"--out" default:"policy.json" help:"policy file to write"`

	source
	fitting
}

func (policyOptions) Description() string {
	return "Chooses the threshold of a score from labelled images and writes it to a policy file, with what it guarantees. The images must have been used for nothing else: not for training, not for choosing the score; with --val_split the parameters of the score are fitted on images apart."
}

func makePolicy(ctx context.Context, o policyOptions, stdout, stderr io.Writer) error {
	if o.Risk == 0 {
		return usagef("--risk is required: the largest risk wanted, such as 0.05")
	}
	if err := writableFile(o.Out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	basis, err := o.basis(ctx, stderr)
	if err != nil {
		return err
	}
	p, err := policy.New(basis.run.Score(basis.score.Name).Values, basis.run.Correct(), policy.Options{
		Method: policy.Method(o.Method), Risk: o.Risk, Delta: o.Delta, AlarmRate: o.AlarmRate,
	})
	if err != nil {
		return err
	}
	p.Score, p.Classifier = basis.score, basis.classifier
	p.Data.Dataset, p.Data.Note = basis.run.Dataset, basis.note
	if err := p.Save(o.Out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: accept where %s >= %g\n", o.Out, p.Score.Name, p.Threshold)
	fmt.Fprintf(stdout, "accepts %d of %d images, %d of them wrong; %v\n", p.Data.Accepted, p.Data.Images, p.Data.Wrong, p.Guarantee)
	return nil
}

// basis is what a policy is made from.
type basis struct {
	run        *misd.Run
	score      policy.Score
	classifier policy.Classifier
	note       string
}

func (o policyOptions) basis(ctx context.Context, stderr io.Writer) (*basis, error) {
	if o.From == "" {
		return o.fresh(ctx, stderr)
	}
	if o.Checkpoint != "" || o.Model != "" || o.Arch != "" {
		return nil, usagef("--from takes the scores of a run; --arch and --ckpt are for scoring images now")
	}
	return o.stored()
}

// stored takes the scores of a finished run.
func (o policyOptions) stored() (*basis, error) {
	record, err := parts.ReadRecord(o.From)
	if err != nil {
		return nil, fmt.Errorf("--from %s: it is not the folder of a finished run: %w", o.From, err)
	}
	m := record.Manifest
	if len(record.Fitted) != 1 {
		return nil, fmt.Errorf("--from %s: the run has %d splits that share images; a policy needs a run with --n_exps 1", o.From, len(record.Fitted))
	}
	run, err := report.ReadScoresNPZ(filepath.Join(o.From, "scores.npz"))
	if err != nil {
		return nil, err
	}
	run.Dataset = m.Dataset
	var names []string
	for i, s := range record.Fitted[0] {
		names = append(names, s.Name)
		if s.Name == o.Score || o.Score == "" && len(record.Fitted[0]) == 1 {
			if i >= len(run.Scores) || run.Scores[i].Name != s.Name {
				return nil, fmt.Errorf("--from %s: scores.npz and run.json are of different runs", o.From)
			}
			return &basis{run, policy.Score{Name: s.Name, Protocol: m.Protocol, Parameters: s.Function},
				policy.Classifier{Arch: m.Arch, Weights: m.Weights}, note(run.Len(), m.Validation, m.Seed)}, nil
		}
	}
	return nil, usagef("--score %q: want one of %s", o.Score, strings.Join(names, ", "))
}

// fresh fits and scores now.
func (o policyOptions) fresh(ctx context.Context, stderr io.Writer) (*basis, error) {
	if o.Checkpoint == "" && o.Model == "" {
		return nil, usagef("want --from with a finished run, or --ckpt with the weights to score images with")
	}
	if o.BatchSize < 1 {
		return nil, usagef("batch size %d: want at least 1", o.BatchSize)
	}
	if o.Score == "" {
		o.Score = "MSR"
	}
	functions, err := o.functions()
	if err != nil {
		return nil, err
	}
	if err := o.settle(&o.Arch); err != nil {
		return nil, err
	}
	s, err := open(o.source, o.fitting, 1, functions, stderr)
	if err != nil {
		return nil, err
	}
	if err := s.needStatistics(ctx); err != nil {
		return nil, err
	}
	validation, test, err := s.split(0)
	if err != nil {
		return nil, err
	}
	fitted, err := s.fit(ctx, validation)
	if err != nil {
		return nil, err
	}
	bar := progress.New("scoring", test.Len())
	run, err := s.scorer(bar.Func()).Run(ctx, s.classifier, test, fitted[0].Function)
	bar.Finish()
	if err != nil {
		return nil, err
	}
	return s.basis(run, fitted[0].Function)
}

func (o policyOptions) functions() ([]confidence.Function, error) {
	p, err := protocol(o.Protocol)
	if err != nil {
		return nil, err
	}
	return options{fitting: o.fitting, Scores: []string{o.Score}}.functions(p)
}

func (s *scoring) basis(run *misd.Run, f confidence.Function) (*basis, error) {
	parameters, err := confidence.Encode(f)
	if err != nil {
		return nil, err
	}
	sum, err := parts.FileSum(s.src.Checkpoint)
	if err != nil {
		return nil, err
	}
	return &basis{run, policy.Score{Name: f.Name(), Protocol: s.protocol.String(), Parameters: parameters},
		policy.Classifier{Arch: s.classifier.Arch.Name, Weights: sum}, note(run.Len(), s.validation, s.src.Seed)}, nil
}

func note(images, validation int, seed uint64) string {
	if validation == 0 {
		return fmt.Sprintf("%d test images", images)
	}
	return fmt.Sprintf("%d test images, apart from %d that the score was fitted on (seed %d)", images, validation, seed)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
)

// functions returns the scores that the options name, each once, perturbed where that is asked for.
func (o options) functions(p radius.Protocol) ([]confidence.Function, error) {
	names := o.Scores
	if len(names) == 0 || slices.Equal(names, []string{"all"}) {
		names = everything(p)
	}
	var fs []confidence.Function
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return nil, usagef("--confid_scores: score %s is listed twice", n)
		}
		f, err := confidence.ByName(n, p)
		if err != nil {
			return nil, fmt.Errorf("--confid_scores: %w", err)
		}
		fs = append(fs, f)
	}
	if o.RobustRadius {
		search, err := o.search(p)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, search.Name()) {
			fs = append(fs, search)
		}
	}
	return confidence.Perturb(o.Perturb, p, fs...), nil
}

// everything names all scores that need no search, those of the official code only where its protocol is followed.
func everything(p radius.Protocol) []string {
	search := radius.BoundarySearch{}.Name()
	all := confidence.All(p)
	if p == radius.Sound {
		all = append(all, confidence.More()...)
	}
	var names []string
	for _, f := range all {
		if f.Name() != search {
			names = append(names, f.Name())
		}
	}
	return names
}

// describe returns what is needed to make the functions again, and how they were fitted.
func describe(fits []confidence.Fitted) ([]parts.Score, error) {
	var out []parts.Score
	for _, f := range fits {
		data, err := confidence.Encode(f.Function)
		if err != nil {
			return nil, err
		}
		s := parts.Score{Name: f.Function.Name(), Function: data}
		if f.Objective != "" {
			s.Fit = &parts.Fit{Objective: f.Objective, Value: misd.Float(f.Value), Candidates: f.Candidates, Data: f.Data, Images: f.Images}
		}
		out = append(out, s)
	}
	return out, nil
}

// unfitted returns functions as they are.
func unfitted(functions []confidence.Function) []confidence.Fitted {
	var out []confidence.Fitted
	for _, f := range functions {
		out = append(out, confidence.Fitted{Function: f})
	}
	return out
}

// remake returns the functions that describe was given.
func (s *scoring) remake(scores []parts.Score) ([]confidence.Function, error) {
	var out []confidence.Function
	for _, d := range scores {
		f, err := confidence.Decode(d.Function, s.prototypes()...)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// prototypes returns the scores that hold more than their parameters, and those that have no name of their own.
func (s *scoring) prototypes() []confidence.Function {
	var out []confidence.Function
	for _, f := range s.requested {
		switch f.(type) {
		case radius.AttackSearch, radius.DeepFool, radius.FAB:
			out = append(out, f)
		}
	}
	if s.statistics != nil {
		out = append(out, s.ofFeatures()...)
	}
	return out
}

func (s *scoring) ofFeatures() []confidence.Function {
	return []confidence.Function{confidence.Mahalanobis{Statistics: s.statistics}, confidence.Neighbours{Statistics: s.statistics}}
}

// featureScores are the scores that need statistics of the training set.
var featureScores = []string{confidence.Mahalanobis{}.Name(), confidence.Neighbours{}.Name()}

// needStatistics fills in the training set's statistics where a score needs them: those stored beside the weights, or
// else new ones, which are stored there.
func (s *scoring) needStatistics(ctx context.Context) error {
	if !slices.ContainsFunc(s.requested, func(f confidence.Function) bool { return slices.Contains(featureScores, f.Name()) }) {
		return nil
	}
	path := statisticsOf(s.src.Checkpoint)
	var err error
	s.statistics, err = confidence.LoadStatistics(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.statistics, err = s.collect(ctx, path)
	}
	if err != nil {
		return err
	}
	for i, f := range s.requested {
		for _, p := range s.ofFeatures() {
			if f.Name() == p.Name() {
				s.requested[i] = p
			}
		}
	}
	return nil
}

// statisticsOf returns where the statistics of features lie that belong to weights.
func statisticsOf(weights string) string { return weights + ".statistics" }

func (s *scoring) collect(ctx context.Context, path string) (*confidence.Statistics, error) {
	data, err := dataset.Open(s.src.Dataset, dataset.Config{Dir: s.src.DataDir, Seed: s.src.Seed, Preprocess: s.classifier.Arch.Preparation()})
	if err != nil {
		return nil, err
	}
	training, err := data.Training()
	if err != nil {
		return nil, fmt.Errorf("the statistics of features for %v: %w", featureScores, err)
	}
	fmt.Fprintf(s.stderr, "collecting statistics of features of %d training images, to be kept in %s\n", training.Len(), path)
	st, err := confidence.CollectStatistics(ctx, s.classifier, training, 0)
	if err != nil {
		return nil, err
	}
	return st, st.Save(path)
}

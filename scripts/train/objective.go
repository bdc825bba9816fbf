package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/train"
)

// A kind is a way of training that --objective names.
type kind struct {
	name string
	// flags are those that it understands, of all that are about objectives.
	flags []string
	// make returns the objective: base, if it is of this kind, with what the flags say.
	make func(o options, base train.Objective) (train.Objective, error)
}

var (
	mixing = []string{"--mixup", "--mixup_alpha", "--final_epochs_no_mixup"}
	moving = append([]string{"--step_size", "--lam", "--ori_lam", "--reverse_at", "--pgd", "--pgd_steps", "--pgd_step_size",
		"--clean_direction"}, mixing...)
	sharpness = []string{"--rho", "--rho_adaptive"}
)

var kinds = []kind{
	{"plain", mixing, options.plain},
	{"at", moving, options.adversarial},
	{"rat", append([]string{"--flex_direction"}, moving...), options.rat},
	{"crl", []string{"--rank_weight", "--rank_target", "--rank_proportion"}, options.crl},
	{"sam", sharpness, options.sam},
	{"fmfp", sharpness, options.sam},
	{"openmix", []string{"--outliers", "--outliers_dir", "--outlier_alpha", "--outlier_weight"}, options.openMix},
	{"logitnorm", []string{"--temperature"}, options.logitNorm},
	{"regmixup", []string{"--regmixup_alpha", "--regmixup_weight", "--regmixup_mean"}, options.regMixup},
}

// kindOf returns the name of the kind of a recipe.
func kindOf(c train.Config) string {
	switch o := c.Objective.(type) {
	case train.RAT:
		if o.NoFlex {
			return "at"
		}
		return "rat"
	case train.CRL:
		return "crl"
	case train.SAM:
		if _, averages := c.Averaging.(train.SWA); averages {
			return "fmfp"
		}
		return "sam"
	case train.OpenMix:
		return "openmix"
	case train.LogitNorm:
		return "logitnorm"
	case train.RegMixup:
		return "regmixup"
	}
	return "plain"
}

// objective finds out what is minimised, and makes it.
func (o options) objective(s *settings) error {
	before := s.kind
	s.kind = o.kindFor(s)
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == s.kind })
	if i < 0 {
		var names []string
		for _, k := range kinds {
			names = append(names, k.name)
		}
		return fmt.Errorf("--objective %q: want one of %s", s.kind, strings.Join(names, ", "))
	}
	if err := o.understood(kinds[i]); err != nil {
		return err
	}
	if s.kind != before {
		s.FinalEpochs = 0
		if s.kind == "fmfp" {
			s.flatMinima(o)
		}
	}
	objective, err := kinds[i].make(o, s.Objective)
	if err != nil {
		return err
	}
	s.Objective = objective
	return setShare("--label_smoothing", o.LabelSmooth, &s.LabelSmoothing)
}

// kindFor returns the kind that flags, recipe or protocol choose.
func (o options) kindFor(s *settings) string {
	flex := o.FlexDirection != nil && *o.FlexDirection
	switch {
	case o.Objective != "":
		return o.Objective
	case flex && (s.kind == "at" || s.kind == "rat"):
		return "rat"
	case o.Recipe == "" && o.officialCommand:
		s.notes = append(s.notes, "adversarial training, as the official command without --flex_direction; --objective says otherwise")
		return "at"
	}
	return s.kind
}

// flatMinima makes the other settings those of FMFP.
func (s *settings) flatMinima(o options) {
	c := train.FMFP(s.Epochs)
	s.LearningRate, s.WeightDecay, s.Optimizer = c.LearningRate, c.WeightDecay, c.Optimizer
	s.Schedule, s.Averaging, s.scheduler = c.Schedule, c.Averaging, ""
	if o.BatchSize == nil {
		s.BatchSize, s.perDevice = c.BatchSize, 0
	}
}

// understood returns an error if a flag was given that only other objectives understand.
func (o options) understood(k kind) error {
	for _, flag := range given(o) {
		var of []string
		for _, other := range kinds {
			if slices.Contains(other.flags, flag) {
				of = append(of, other.name)
			}
		}
		if len(of) > 0 && !slices.Contains(k.flags, flag) {
			return fmt.Errorf("%s says nothing to --objective %s: it is of %s", flag, k.name, strings.Join(of, ", "))
		}
	}
	return nil
}

// given lists the flags with a pointer or a text that were given.
func given(o options) []string {
	var flags []string
	v := reflect.ValueOf(o)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if k := f.Type.Kind(); (k == reflect.Pointer || k == reflect.String) && !v.FieldByIndex(f.Index).IsZero() {
			flags = append(flags, f.Tag.Get("arg"))
		}
	}
	return flags
}

func (o options) plain(base train.Objective) (train.Objective, error) {
	p, _ := base.(train.Plain)
	return p, nil
}

func (o options) adversarial(base train.Objective) (train.Objective, error) {
	return o.moved(base, true)
}

func (o options) rat(base train.Objective) (train.Objective, error) {
	if o.FlexDirection != nil && !*o.FlexDirection {
		return nil, errors.New("--flex_direction=false and --objective rat: without flexible direction it is --objective at")
	}
	return o.moved(base, false)
}

// moved returns RAT, or adversarial training.
func (o options) moved(base train.Objective, noFlex bool) (train.Objective, error) {
	r, _ := base.(train.RAT)
	r.NoFlex = noFlex
	if r.StepSize == 0 {
		r.StepSize = 0.001
	}
	if err := setNumbers(
		number{"--step_size", o.StepSize, false, &r.StepSize},
		number{"--lam", o.Lambda, false, &r.Lambda},
		number{"--ori_lam", o.OriginalLambda, true, &r.OriginalLambda},
	); err != nil {
		return nil, err
	}
	set(&r.Reverse, o.Reverse)
	set(&r.CleanDirection, o.CleanDirection)
	pgd, err := o.pgd(r.PGD)
	r.PGD = pgd
	return r, err
}

func (o options) pgd(base *train.PGD) (*train.PGD, error) {
	if o.PGD != nil {
		base = nil
		if *o.PGD {
			base = &train.PGD{}
		}
	}
	if base == nil {
		if o.PGDSteps != nil || o.PGDStepSize != nil {
			return nil, errors.New("--pgd_steps and --pgd_step_size say nothing without --pgd")
		}
		return nil, nil
	}
	p := *base
	p.RawGradient = o.Protocol == "official"
	if o.PGDSteps != nil {
		if p.Steps = *o.PGDSteps; p.Steps < 1 {
			return nil, fmt.Errorf("--pgd_steps %d: want a number from 1 on", p.Steps)
		}
	}
	return &p, setNumbers(number{"--pgd_step_size", o.PGDStepSize, false, &p.StepSize})
}

func (o options) crl(base train.Objective) (train.Objective, error) {
	c, _ := base.(train.CRL)
	set(&c.Proportion, o.RankProportion)
	if o.RankTarget != nil {
		targets := []train.RankTarget{train.RankSoftmax, train.RankMargin, train.RankEntropy}
		i := slices.IndexFunc(targets, func(r train.RankTarget) bool { return r.String() == *o.RankTarget })
		if i < 0 {
			return nil, fmt.Errorf("--rank_target %q: want softmax, margin or entropy", *o.RankTarget)
		}
		c.Target = targets[i]
	}
	return c, setNumbers(number{"--rank_weight", o.RankWeight, false, &c.Weight})
}

func (o options) sam(base train.Objective) (train.Objective, error) {
	m, _ := base.(train.SAM)
	set(&m.Adaptive, o.RhoAdaptive)
	return m, setNumbers(number{"--rho", o.Rho, false, &m.Rho})
}

func (o options) openMix(base train.Objective) (train.Objective, error) {
	m, _ := base.(train.OpenMix)
	if o.Outliers == "" {
		return nil, errors.New("--objective openmix mixes images with outliers: say of which data set with --outliers")
	}
	return m, setNumbers(
		number{"--outlier_alpha", o.OutlierAlpha, false, &m.Alpha},
		number{"--outlier_weight", o.OutlierWeight, false, &m.Weight},
	)
}

func (o options) logitNorm(base train.Objective) (train.Objective, error) {
	n, _ := base.(train.LogitNorm)
	return n, setNumbers(number{"--temperature", o.Temperature, false, &n.Temperature})
}

func (o options) regMixup(base train.Objective) (train.Objective, error) {
	m, _ := base.(train.RegMixup)
	set(&m.Mean, o.RegMixupMean)
	return m, setNumbers(
		number{"--regmixup_alpha", o.RegMixupAlpha, false, &m.Alpha},
		number{"--regmixup_weight", o.RegMixupWeight, false, &m.Weight},
	)
}

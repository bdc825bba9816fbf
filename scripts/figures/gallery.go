package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/report"
)

// need is what a figure is made of.
type need int

const (
	scores  need = 1 << iota // of the test images
	metrics                  // of all scores, with intervals
	noise                    // scores of images with noise
	margins                  // along rays
	pixels                   // of the test images
	planes                   // of the picture of the method
)

// A drawing is one figure of the gallery.
type drawing struct {
	name, about string
	needs       need
	draw        func(*material, figures.Options) (*figures.Figure, error)
}

// board is the name of the tables with all metrics.
const board = "leaderboard"

func gallery() []drawing {
	return []drawing{
		{"method", "robust radii in a toy plane, plain beside RAT", planes, method},
		{"risk_coverage", "selective risk over coverage, with 95 % intervals", scores, banded(figures.RiskCoverage)},
		{"generalized_risk", "generalized risk over coverage, with 95 % intervals", scores, banded(figures.GeneralizedRisk)},
		{"radius_histogram", "histograms of the radius of right and wrong predictions", scores, plainly(figures.RadiusHistogram)},
		{"radius_density", "densities of the radius of right and wrong predictions", scores, plainly(figures.RadiusDensity)},
		{"radius_agreement", "RR-BS against RR-Fast, with their rank correlation", scores, plainly(figures.RadiusAgreement)},
		{"rays", "logit margin along the ray of single images", scores | margins, drawRays},
		{"aurc", "AURC of all scores, with 95 % intervals", scores | metrics, plainly(figures.AURCBars)},
		{"cost", "AURC over the cost of an image", scores | metrics, cost},
		{"roc", "ROC of scores as detectors of errors", scores, plainly(figures.ROC)},
		{"precision_recall", "precision of scores as detectors of errors over recall", scores, plainly(figures.PrecisionRecall)},
		{"confidence_histogram", "histograms of the largest probability of right and wrong predictions", scores, plainly(figures.ConfidenceHistogram)},
		{"reliability", "accuracy over confidence, with 95 % intervals", scores, plainly(figures.Reliability)},
		{"corruption", fmt.Sprintf("risk at 80 %% coverage over the severity of Gaussian noise on the first %d test images, with 95 %% intervals", noisyImages), scores | noise, corruption},
		{"images", "worst confident mistakes and least confident right predictions, with their radii", scores | pixels, tiles},
	}
}

// elsewhere are figures of other commands.
var elsewhere = []drawing{
	{name: "ablation", about: "metrics of several ways of training, over seeds: go run ./scripts/study"},
	{name: "sweep", about: "metrics over the step size of RAT, over seeds: go run ./scripts/study"},
}

// names returns what --only may name.
func names() []string {
	var out []string
	for _, d := range gallery() {
		out = append(out, d.name)
	}
	return append(out, board)
}

// needs returns what the figures that are wanted are made of.
func (o options) needs() need {
	var all need
	for _, d := range gallery() {
		if o.wants(d.name) {
			all |= d.needs
		}
	}
	if o.wants(board) {
		all |= scores | metrics
	}
	return all
}

// list writes the names of all figures with what they show.
func list(stdout io.Writer) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	all := append(gallery(), drawing{name: board, about: "every score by every metric, as .md, .csv and .json, and on standard output"})
	for _, d := range append(all, elsewhere...) {
		fmt.Fprintf(w, "%s\t%s\n", d.name, d.about)
	}
	return w.Flush()
}

type reportsFunc func([]*report.Report, figures.Options) (*figures.Figure, error)

func plainly(f reportsFunc) func(*material, figures.Options) (*figures.Figure, error) {
	return func(m *material, opts figures.Options) (*figures.Figure, error) { return f(m.reports, opts) }
}

func banded(f reportsFunc) func(*material, figures.Options) (*figures.Figure, error) {
	return func(m *material, opts figures.Options) (*figures.Figure, error) {
		opts.Band = true
		return f(m.reports, opts)
	}
}

func method(m *material, opts figures.Options) (*figures.Figure, error) {
	return figures.Method(m.planes, opts)
}

func cost(m *material, opts figures.Options) (*figures.Figure, error) {
	return figures.CostQuality(m.reports, nil, opts)
}

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/report"
)

// markdown is the text of table.md.
func (s *study) markdown(all []*summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Ways of training compared\n\n```\n%s\n```\n\n", s.command())
	fmt.Fprintf(&b, "Mean ± standard deviation over seeds, on test images. AURC ×1000 (lower is better), AUROC in %% (higher is better), "+
		"FPR95-error in %% (lower is better), accuracy in %%. Differences are paired: each treatment starts from the same weights and sees the "+
		"same images in the same order as the one it is compared with. \"p seeds\" is a paired t-test over seeds, \"p images\" a paired bootstrap "+
		"over test images (%d resamples) with the nets given; both are two-sided and corrected by Holm for all comparisons of the same score and "+
		"metric on a data set. Differences in **bold** have p ≤ 0.05 in both.\n\n", s.Resamples)
	fmt.Fprintf(&b, "AT and RAT minimise the sum of two losses, as in the paper, which doubles the gradients at the same learning rate; "+
		"plain_x2 counts every image twice, as RAT with steps of size 0 would; rat_mean halves RAT's sum. Backend: %s.\n", s.be.Kind())
	for _, sum := range all {
		s.dataset(&b, sum)
	}
	return b.String()
}

func (s *study) dataset(b *strings.Builder, sum *summary) {
	_, augment := s.augment(sum.source)
	fmt.Fprintf(b, "\n## %s\n\n", sum.source.name)
	fmt.Fprintf(b, "%s, %d training images, epochs: %d, in batches of %d, SGD with momentum 0.9, learning rate %g (warm-up of %g epochs, then a "+
		"cosine), weight decay %g, augmentation: %s; %d validation images, others for each seed; %d test images.\n",
		sum.arch.Name, s.images(sum.source), s.Epochs, s.BatchSize, s.LearningRate, s.WarmupEpochs, s.WeightDecay, augment, s.ValSize, sum.images)
	s.choice(b, sum)
	for _, score := range scores {
		scoreTable(b, sum, score)
	}
	furtherTable(b, sum, s.Figures)
	for _, r := range sum.rows {
		if r.diverged > 0 || r.missing > 0 {
			fmt.Fprintf(b, "\n%s: the training diverged from %d seeds; %d are missing.\n", way(r.treatment, r.step), r.diverged, r.missing)
		}
	}
}

// choice tells how the step size was chosen.
func (s *study) choice(b *strings.Builder, sum *summary) {
	if sum.trials != nil {
		fmt.Fprintf(b, "\n| RAT step size | AURC ×1000 of %s on validation images |\n| ---: | ---: |\n", s.ChooseBy)
		for _, t := range sum.trials {
			mean, sd := t.spread()
			fmt.Fprintf(b, "| %g | %s |\n", t.Step, plusMinus(1000*mean, 1000*sd))
		}
	}
	switch {
	case s.StepSize != 0:
		fmt.Fprintf(b, "\nThe step size of all others, %g, was given.\n", s.StepSize)
	case sum.step != 0:
		fmt.Fprintf(b, "\nThe step size of all others, %g, is the one with the lowest of these means. Test images played no part.\n", sum.step)
	}
}

// scoreTable shows what all ways of training gave by one score.
func scoreTable(b *strings.Builder, sum *summary, score string) {
	fmt.Fprintf(b, "\n### %s\n\n| training | step size | seeds |", score)
	rule := "| --- | ---: | ---: |"
	for _, m := range headline {
		fmt.Fprintf(b, " %s |", report.Label(m))
		rule += " ---: |"
	}
	fmt.Fprintf(b, " AURC − plain | p seeds | p images |\n%s ---: | ---: | ---: |\n", rule)
	for _, r := range sum.rows {
		fmt.Fprintf(b, "| %s | %s | %d |", r.name, stepText(r.step), len(r.seeds))
		for _, m := range headline {
			mean, sd := r.spread(score, m)
			fmt.Fprintf(b, " %s |", plusMinus(report.Scale(m)*mean, report.Scale(m)*sd))
		}
		c, ok := sum.against(r, "plain", score, "aurc")
		b.WriteString(differenceText(c, ok) + "\n")
	}
}

// furtherTable shows the other comparisons, by some scores and by accuracy.
func furtherTable(b *strings.Builder, sum *summary, names []string) {
	head, rule := "| training | step size | against |", "| --- | ---: | --- |"
	for _, score := range names {
		head += fmt.Sprintf(" AURC of %s | p seeds | p images |", score)
		rule += " ---: | ---: | ---: |"
	}
	fmt.Fprintf(b, "\n### Differences\n\n%s accuracy | p seeds | p images |\n%s ---: | ---: | ---: |\n", head, rule)
	for _, r := range sum.rows {
		for _, name := range r.treatment.against {
			if _, ok := sum.against(r, name, "", "accuracy"); !ok {
				continue
			}
			fmt.Fprintf(b, "| %s | %s | %s |", r.name, stepText(r.step), name)
			for _, score := range names {
				c, ok := sum.against(r, name, score, "aurc")
				b.WriteString(differenceText(c, ok))
			}
			c, ok := sum.against(r, name, "", "accuracy")
			b.WriteString(differenceText(c, ok) + "\n")
		}
	}
	b.WriteString("\nOther scores and metrics are in comparisons.csv.\n")
}

// differenceText is three cells: the difference and its p-values.
func differenceText(c comparison, ok bool) string {
	if !ok {
		return " – | – | – |"
	}
	d := fmt.Sprintf("%+.2f", report.Scale(c.metric)*c.difference)
	if math.IsNaN(c.difference) {
		d = "–"
	}
	if c.overSeeds.Holm <= .05 && c.overImages.Holm <= .05 {
		d = "**" + d + "**"
	}
	return fmt.Sprintf(" %s | %s | %s |", d, pText(c.overSeeds.Holm), pText(c.overImages.Holm))
}

func plusMinus(mean, sd float64) string {
	switch {
	case math.IsNaN(mean):
		return "–"
	case math.IsInf(mean, 0):
		return "diverged"
	case math.IsNaN(sd):
		return fmt.Sprintf("%.2f", mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", mean, sd)
}

func pText(p float64) string {
	switch {
	case math.IsNaN(p):
		return "–"
	case p < .001:
		return "<0.001"
	}
	return strconv.FormatFloat(p, 'g', 2, 64)
}

func stepText(step float64) string {
	if step == 0 {
		return "–"
	}
	return strconv.FormatFloat(step, 'g', -1, 64)
}

// Package figures draws what a report holds: one function a figure, one style for all.
//
//	fig, err := figures.RiskCoverage([]*report.Report{plain, rat}, figures.Options{Size: figures.Column})
//	err = fig.Save("rc.png") // and rc.csv with the numbers in it
//
// Figures are made for papers and slides: colours that colour-blind readers tell apart, fonts of legible size, a legend
// above the data and never on it.
package figures

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// Options say how a figure is made. The zero value is usable.
type Options struct {
	// Size is the format; zero means [Column] for one panel and [Page] for several.
	Size Size
	// Scores are the scores to draw, under their official names; nil means the figure's own choice among those there.
	Scores []string
	// Metric is what [AURCBars] and [CostQuality] show, aurc if empty, and [CorruptionRisk], risk_at_coverage_80 if empty.
	Metric string
	// Band adds to [RiskCoverage] and [GeneralizedRisk] the pointwise 95 % bootstrap interval of each curve.
	Band bool
	// Positive is what [ROC] and [PrecisionRecall] look for; zero means errors.
	Positive misd.Positive
	// Seed is that of the resamples of a band and of the choice of points where not all can be shown.
	Seed uint64
	// Command, if set, is noted in the file of data beside the figure.
	Command string
}

// check returns an error unless there are reports, each with its run.
func check(reports []*report.Report) error {
	if len(reports) == 0 {
		return errors.New("there are no reports to draw")
	}
	for i, r := range reports {
		if r == nil || r.Run == nil || r.Run.Len() == 0 {
			return fmt.Errorf("report %d of %d holds no images", i+1, len(reports))
		}
		if err := r.Run.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// choose returns the scores asked for, or those of wanted that the first report has, at most n of them. Every report
// must have them all.
func (o Options) choose(reports []*report.Report, wanted []string, n int) ([]string, error) {
	names := o.Scores
	if names == nil {
		for _, name := range wanted {
			if reports[0].Run.Score(name) != nil && len(names) < n {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has none of the scores %v; name some in Options.Scores", title(reports[0].Run), wanted)
	}
	for _, r := range reports {
		for _, name := range names {
			if r.Run.Score(name) == nil {
				return nil, fmt.Errorf("%s has no score %s", title(r.Run), name)
			}
		}
	}
	return names, nil
}

// title names a run in a legend, above a panel and in error messages, shortened to what fits there.
func title(run *misd.Run) string { return shorten(cmp.Or(run.Model, run.Dataset, "the run")) }

// shorten cuts a name to what fits above a panel.
func shorten(name string) string {
	const longest = 24
	runes := []rune(name)
	if len(runes) > longest {
		runes = append(runes[:longest-1:longest-1], '…')
	}
	return string(runes)
}

// display returns the name of a score as papers print it.
func display(score string) string {
	if name, ok := paperNames[score]; ok {
		return name
	}
	return score
}

var paperNames = map[string]string{
	"RR_fgsm": "RR-BS", "RR_fast": "RR-Fast", "RR_exp": "RR-Exp", "RR_soft": "RR-Soft",
	"DOCTOR": "Doctor", "tfDOCTOR": "Doctor (tf)",
}

// ranked lists scores whose ranking is shown unless others are named, the first ones first.
var ranked = []string{"RR_fgsm", "MSR", "RR_fast", "DOCTOR", "ODIN", "MLS", "NE"}

// radii lists radius scores, the best known first.
var radii = []string{"RR_fgsm", "RR_fast", "RR_exp", "RR_soft"}

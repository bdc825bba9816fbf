package figures

import "github.com/ratml/rat/ratml/report"

var generalized = riskKind{"generalized risk", "Generalized risk (%)", "generalized_risk", func(coverage, risk float64) float64 { return coverage * risk }}

// GeneralizedRisk draws the generalized risk over the coverage: the share of all images that are accepted and wrong
// (Traub et al. 2024, "Overcoming Common Flaws in the Evaluation of Selective Classification Systems"). It grows from 0
// to the error rate; a good score keeps it low for long. The area under a curve is the metric augrc. Otherwise it is
// drawn as [RiskCoverage] is, with the same options and errors.
func GeneralizedRisk(reports []*report.Report, opts Options) (*Figure, error) {
	return riskFigure(reports, opts, generalized)
}

package misd

import "fmt"

// Metric describes one number that judges a score or probabilities.
type Metric struct {
	Name               string // as in JSON and in the columns of tables
	Doc                string // one line
	HigherIsBetter     bool
	NeedsProbabilities bool // judges the probabilities of the classifier and is the same for every score
	TieSafe            bool // does not depend on the order of the input, even where confidences tie

	needs requirement
	value func(judged) float64
}

// judged is what metrics look at; calibration is nil where no probabilities are known.
type judged struct {
	curve       *Curve
	calibration *Calibration
}

// requirement is what the input must have for a metric to exist.
type requirement int

const (
	needsOne requirement = iota // a prediction
	needsTwo                    // two predictions
	needsBothClasses
	needsTwoThresholds
)

// Metrics lists all metrics in the order in which tables show them, those of probabilities last.
func Metrics() []Metric {
	return append([]Metric(nil), metrics...)
}

// LookupMetric returns the metric called name, and whether there is one.
func LookupMetric(name string) (Metric, bool) {
	for _, m := range metrics {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

var metrics = allMetrics()

func allMetrics() []Metric {
	all := []Metric{
		curveMetric("aurc", "area under the risk-coverage curve, mean of R(k) with ties averaged", (*Curve).AURC),
		curveMetric("aurc_riemann", "mean of R(k) in the order of the data (OpenMix, CRL)", (*Curve).AURCRiemann).orderDependent(),
		curveMetric("aurc_threshold", "mean risk at each prediction's own threshold (Geifman et al. 2019)", (*Curve).AURCThreshold),
		curveMetric("aurc_trapezoid", "trapezoids between distinct thresholds (fd-shifts)", (*Curve).AURCTrapezoid),
		curveMetric("aurc_rat", "as the RAT code computes it", (*Curve).AURCRAT).orderDependent(),
		curveMetric("aurc_tu", "trapezoids on [1/n,1], rescaled (torch-uncertainty)", (*Curve).AURCTU).orderDependent().needing(needsTwo),
		curveMetric("aurc_relu", "trapezoids from the first threshold up (relative-uncertainty)", (*Curve).AURCRelU).needing(needsTwoThresholds),
		curveMetric("aurc_achievable", "thresholds on the ROC hull only, mixed at random (fd-shifts)", (*Curve).AURCAchievable),
		curveMetric("eaurc", "aurc minus that of a perfect ranking", (*Curve).EAURC),
		curveMetric("eaurc_asymptotic", "aurc_riemann minus r+(1-r)ln(1-r) (OpenMix)", (*Curve).EAURCAsymptotic).orderDependent(),
		curveMetric("augrc", "area under the generalised-risk-coverage curve (Traub et al. 2024)", (*Curve).AUGRC),
		curveMetric("augrc_tu", "trapezoids on [1/n,1], rescaled (torch-uncertainty)", (*Curve).AUGRCTU).orderDependent().needing(needsTwo),
		curveMetric("auroc", "probability that a right prediction is more confident than a wrong one", (*Curve).AUROC).higher().needing(needsBothClasses),
		curveMetric("aupr_success", "average precision at finding right predictions",
			func(c *Curve) float64 { return c.AveragePrecision(PositiveSuccess) }).higher().needing(needsBothClasses),
		curveMetric("aupr_success_trapezoid", "trapezoids under precision-recall for right predictions (OpenMix)",
			func(c *Curve) float64 { return c.AUPRTrapezoid(PositiveSuccess) }).higher().needing(needsBothClasses),
		curveMetric("aupr_error", "average precision at finding errors",
			func(c *Curve) float64 { return c.AveragePrecision(PositiveError) }).higher().needing(needsBothClasses),
		curveMetric("aupr_error_trapezoid", "trapezoids under precision-recall for errors",
			func(c *Curve) float64 { return c.AUPRTrapezoid(PositiveError) }).higher().needing(needsBothClasses),
		curveMetric("fpr95_error", "right predictions flagged when 95 % of the errors are caught",
			func(c *Curve) float64 { return c.FPRAtTPR(PositiveError, 0.95) }).needing(needsBothClasses),
		curveMetric("fpr95_error_rat", "fpr95_error over the points that scikit-learn keeps (RAT)", (*Curve).FPR95ErrorRAT).needing(needsBothClasses),
		curveMetric("fpr95_success", "errors accepted when 95 % of the right predictions are",
			func(c *Curve) float64 { return c.FPRAtTPR(PositiveSuccess, 0.95) }).needing(needsBothClasses),
		curveMetric("fpr95_success_openmix", "errors accepted at the TPR nearest to 95 % (OpenMix)", (*Curve).FPR95SuccessOpenMix).needing(needsBothClasses),
		curveMetric("fpr95_success_fdshifts", "errors accepted at TPR of at least 94.95 % (fd-shifts)", (*Curve).FPR95SuccessFDShifts).needing(needsBothClasses),
		curveMetric("fpr95_error_tu", "right predictions flagged at the recall nearest to 95 % (torch-uncertainty before 0.13)", (*Curve).FPR95ErrorTU).needing(needsBothClasses),
	}
	for _, percent := range []int{70, 80, 90, 95} {
		all = append(all, curveMetric(fmt.Sprintf("risk_at_coverage_%d", percent),
			fmt.Sprintf("error rate of the accepted at a coverage of at least %d %%", percent),
			func(c *Curve) float64 { return c.RiskAtCoverage(ratio(percent, 100)).Risk }))
	}
	for _, percent := range []int{1, 2, 5, 10} {
		all = append(all, curveMetric(fmt.Sprintf("coverage_at_risk_%d", percent),
			fmt.Sprintf("largest coverage with an error rate of at most %d %%", percent),
			func(c *Curve) float64 { return c.CoverageAtRisk(ratio(percent, 100)).Coverage }).higher())
	}
	return append(all,
		probabilityMetric("accuracy", "share of right predictions", (*Calibration).Accuracy).higher(),
		probabilityMetric("nll", "mean negative log-likelihood, in nats", (*Calibration).NLL),
		probabilityMetric("brier", "mean squared distance to the one-hot label, summed over classes", (*Calibration).Brier),
		probabilityMetric("ece", "expected calibration error over 15 equal bins", func(c *Calibration) float64 { return c.ECE(15) }),
	)
}

func curveMetric(name, doc string, value func(*Curve) float64) Metric {
	return Metric{Name: name, Doc: doc, TieSafe: true, value: func(j judged) float64 { return value(j.curve) }}
}

func probabilityMetric(name, doc string, value func(*Calibration) float64) Metric {
	return Metric{Name: name, Doc: doc, TieSafe: true, NeedsProbabilities: true,
		value: func(j judged) float64 { return value(j.calibration) }}
}

func (m Metric) higher() Metric               { m.HigherIsBetter = true; return m }
func (m Metric) orderDependent() Metric       { m.TieSafe = false; return m }
func (m Metric) needing(r requirement) Metric { m.needs = r; return m }

// undefined says why m does not exist for j, or "" if it does.
func (m Metric) undefined(j judged) string {
	c := j.curve
	if m.NeedsProbabilities {
		if j.calibration.Len() == 0 {
			return "no predictions"
		}
		return ""
	}
	switch {
	case c.Len() == 0:
		return "no predictions"
	case m.needs == needsTwo && c.Len() < 2:
		return "needs at least two predictions"
	case m.needs == needsTwoThresholds && c.Groups() < 2:
		return "needs at least two distinct confidences"
	case m.needs == needsBothClasses && c.Errors() == 0:
		return "every prediction is right"
	case m.needs == needsBothClasses && c.Errors() == c.Len():
		return "every prediction is wrong"
	}
	return ""
}

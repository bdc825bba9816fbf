// Package misd judges confidence scores: given how confident a classifier was of each prediction and whether the
// prediction was right, it says how well the confidence separates right from wrong. It needs nothing but these two
// columns (and, for calibration, probabilities), so it serves any classifier.
//
// # From two columns to numbers
//
// [NewCurve] ranks the predictions; methods of [Curve] compute one metric each; [Metrics] lists all of them under
// their exact names; [Bootstrap.Evaluate] computes all of them at once with intervals; [Bootstrap.Difference] compares
// two scores on the same predictions. [NewCalibration] takes probabilities instead of a score. A [Run] holds the
// scores of one classifier, as files of scores store them; [GroupBy] and [Run.Subset] take it apart, [Mix] adds images
// that the classifier was not made for. [Bootstrap.Paired] and [Holm] tell differences from noise when many are looked
// at. [ClopperPearsonUpper], [Curve.SGR] and [Curve.ConformalRisk]
// choose thresholds with a guarantee.
//
// Larger confidence always means more confident. Confidences need no scale, only an order; infinities are legal, NaN
// is not. All metrics are raw fractions: papers often show AURC times 1000 and rates in percent.
//
// # One name, one convention
//
// Papers compute "AURC" and "FPR95" in ways that differ by more than the effects they report, so every convention
// here has a name of its own. With n predictions of which E are wrong (r = E/n), and Ecum(K) errors among the K most
// confident, the selective risk is R(K) = Ecum(K)/K, the coverage K/n and the generalised risk Ecum(K)/n.
//
//   - aurc, the headline: the mean of R(1)...R(n), in expectation over the order of predictions with equal confidence.
//   - aurc_riemann: the same sum for the order of the data (OpenMix, CRL); equal to aurc where no confidences tie.
//   - aurc_threshold: the mean over predictions of the risk at their own threshold (Geifman et al. 2019).
//   - aurc_trapezoid: trapezoids between distinct thresholds, flat from the first to coverage 0 (fd-shifts).
//   - aurc_rat: the RAT code, an older fd-shifts rule that reads a tie group after its first member.
//   - aurc_tu: trapezoids on coverages [1/n,1], rescaled (torch-uncertainty).
//   - aurc_relu: trapezoids between distinct thresholds, nothing below the first (relative-uncertainty).
//   - aurc_achievable: only thresholds on the ROC hull, interpolated exactly (fd-shifts).
//   - eaurc and eaurc_asymptotic: aurc and aurc_riemann minus the value of a perfect ranking, the former exactly for n,
//     the latter in the limit of large n (OpenMix).
//   - augrc: the area under the generalised risk, (1-AUROC) r (1-r) + r²/2 (Traub et al. 2024).
//   - fpr95_error: the share of right predictions flagged when at least 95 % of the errors are caught.
//   - fpr95_success: the share of errors accepted when at least 95 % of the right predictions are accepted.
//
// A softmax in float32 saturates at 1 for many images, so ties are the normal case. Metrics marked [Metric.TieSafe] do
// not depend on the order of the data; the others follow the code they are named after and do.
//
// # What is undefined
//
// A metric that does not exist for its input is NaN, and [Estimate.Reason] says why: every metric without
// predictions; AUROC, AUPR and FPR95 where all predictions are right or all are wrong; aurc_tu and augrc_tu of a single
// prediction; aurc_relu of a single threshold. In JSON, NaN is null (see [Float]).
package misd

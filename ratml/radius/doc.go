// Package radius estimates the robust radius of a classifier's predictions: the L-infinity distance, in pixel units
// with images in [0,1], from an image to the nearest point where the prediction changes. Right predictions lie farther
// from the decision boundary than wrong ones, so the radius is a confidence score (Yan & Weng, arXiv 2503.14783).
//
//   - [BoundarySearch] (RR-BS) follows the sign-gradient direction and brackets the distance at which the prediction
//     flips.
//   - [Fast] (RR-Fast) extrapolates from one small step along the same direction.
//   - [Margin] and [SoftMargin] divide a logit margin by the L1 norm of its gradient; [Exact] and [Full] do so for all
//     other classes, the latter within images in [0,1].
//   - [AttackSearch] searches along or under any [Attack]: FGSM, PGD, in two norms, targeted or not.
//   - [DeepFool], [FAB] and [FMN] look for the nearest other prediction by themselves.
//
// Attacks in the L2 norm give the radius in that norm. Where no other prediction was found a result says so, and the
// radius is the largest distance that two images can have.
//
// Every estimator with a Protocol comes in two: [Sound], the zero value, is meant to be right; [Official] reproduces the
// numbers of github.com/Trustworthy-ML-Lab/RAT_MisD, quirks included. The quirks are in official.go, or with the type
// where it says so.
//
// Estimators are run by package confidence, which shares the forward pass and the gradients between them.
package radius

// Protocol says whose numbers an estimator computes.
type Protocol int

const (
	Sound    Protocol = iota // right, see the estimators
	Official                 // as the official code computes them
)

// String returns "sound" or "official".
func (p Protocol) String() string {
	if p == Official {
		return "official"
	}
	return "sound"
}

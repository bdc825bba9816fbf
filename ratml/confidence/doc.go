// Package confidence computes confidence scores of a classifier's predictions over a data set.
//
//   - Scores of logits: [MSR], [ODIN], [DOCTOR], [MLS], ... of the official code ([All]), and [RelU], [Energy], [GEN],
//     [NormalizedMaxLogit], [StandardizedMaxLogit], [Calibrated] ([More]).
//   - Scores of features, with statistics of the training set ([CollectStatistics]): [Mahalanobis], [Neighbours].
//   - Scores of several passes: [TestTime], [MCDropout], and an [Ensemble] of several networks.
//   - The radii of package radius, and [Perturbed], a score of logits at a changed image.
//   - Scores of scores: [Cascade] searches the radius only where a cheap score is in doubt, [Stack] is a logistic
//     regression on any others.
//
// A [Scorer] runs any of them. What several scores of one run share (the forward pass, gradients, searches) is computed
// once; [Plan] tells what a run would cost. Parameters are chosen on validation data by [Scorer.Fits] and kept in a file
// by [SaveFits].
//
// Larger scores always mean more confident. Names and defaults are those of the official code
// (RAT_MisD:utils/ConfidenceScores.py) where it has the score, so that tables can be compared.
package confidence

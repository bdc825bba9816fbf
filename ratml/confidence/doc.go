// Package confidence computes confidence scores of a classifier's predictions over a data set: the scores that need
// nothing but logits, here, and the radius scores of package radius. What several scores of one run share (the forward
// pass, gradients) is computed once.
//
// Larger scores always mean more confident. Names and defaults are those of the official code
// (RAT_MisD:utils/ConfidenceScores.py), so that tables can be compared.
package confidence

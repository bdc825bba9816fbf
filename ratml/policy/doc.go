// Package policy keeps a threshold together with what it guarantees, so that a service can apply it to new
// predictions and notice when they are no longer of the kind that the guarantee speaks of.
//
//	p, err := policy.New(scores, correct, policy.Options{Method: policy.SGR, Risk: 0.05})
//	err = p.Save("policy.json")
//	...
//	p, err := policy.Load("policy.json")
//	if p.Accept(score) { ... }          // accept the prediction, or hand the image to a person
//	drift, err := p.Drift(newScores)    // two-sample Kolmogorov-Smirnov test against validation
//
// The labelled predictions that a policy is made from must have been used for nothing else: not for training, not for
// fitting the score's parameters, not for choosing among scores. The guarantee holds for predictions drawn as those
// were. The test for drift compares distributions of scores; a change that leaves them alike goes unseen.
//
// The package is pure Go and needs nothing but numbers: scores may come from any tool.
package policy

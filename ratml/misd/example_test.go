package misd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/ratml/rat/ratml/misd"
)

// Ten predictions, how confident the classifier was, and whether it was right.
var (
	confidence = []float64{0.99, 0.97, 0.95, 0.90, 0.85, 0.80, 0.70, 0.60, 0.55, 0.40}
	correct    = []bool{true, true, true, false, true, true, false, true, false, false}
)

// Two columns in, metrics out.
func Example() {
	c, err := misd.NewCurve(confidence, correct)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("AURC %.4f, above a perfect ranking by %.4f\n", c.AURC(), c.EAURC())
	fmt.Printf("AUROC %.4f, AUGRC %.4f\n", c.AUROC(), c.AUGRC())
	fmt.Printf("to catch 95 %% of the errors, %.0f %% of the right predictions are flagged too\n",
		100*c.FPRAtTPR(misd.PositiveError, 0.95))
	// Output:
	// AURC 0.1886, above a perfect ranking by 0.0760
	// AUROC 0.8333, AUGRC 0.1200
	// to catch 95 % of the errors, 50 % of the right predictions are flagged too
}

// Ties are the normal case: this softmax saturates at 1. The conventions of other code then depend on the order of the
// data.
func Example_ties() {
	k := []float64{1, 1, 1, 1, 1, 0.8, 0.6, 0.5}
	for _, right := range [][]bool{
		{false, true, true, true, true, true, false, false},
		{true, true, true, true, false, true, false, false},
	} {
		c, err := misd.NewCurve(k, right)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("aurc %.4f, aurc_riemann %.4f, aurc_rat %.4f\n", c.AURC(), c.AURCRiemann(), c.AURCRAT())
	}
	// Output:
	// aurc 0.2284, aurc_riemann 0.3888, aurc_rat 0.1050
	// aurc 0.2284, aurc_riemann 0.1284, aurc_rat 0.2144
}

func ExampleBootstrap_Evaluate() {
	c, err := misd.NewCurve(confidence, correct)
	if err != nil {
		log.Fatal(err)
	}
	e, err := misd.Bootstrap{Resamples: 500, Seed: 1}.Evaluate(context.Background(), c, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range misd.Metrics() {
		if v, ok := e[m.Name]; ok && (m.Name == "aurc" || m.Name == "auroc") {
			fmt.Printf("%s: %.3f, interval contains it: %v\n", m.Name, v.Value, v.Lower <= v.Value && v.Value <= v.Upper)
		}
	}
	// Output:
	// aurc: 0.189, interval contains it: true
	// auroc: 0.833, interval contains it: true
}

// How much better is a score than another on the same predictions, here its reverse?
func ExampleBootstrap_Difference() {
	reversed := make([]float64, len(confidence))
	for i, k := range confidence {
		reversed[i] = -k
	}
	x, err := misd.NewCurve(confidence, correct)
	if err != nil {
		log.Fatal(err)
	}
	y, err := misd.NewCurve(reversed, correct)
	if err != nil {
		log.Fatal(err)
	}
	d, err := misd.Bootstrap{}.Difference(context.Background(), x, y)
	if err != nil {
		log.Fatal(err)
	}
	v := d["auroc"]
	fmt.Printf("AUROC is higher by %.3f; can ten predictions tell? %v\n", v.Value, v.Lower > 0)
	// Output:
	// AUROC is higher by 0.667; can ten predictions tell? false
}

// A metric that does not exist says why, and is null in JSON.
func ExampleEstimate() {
	c, err := misd.NewCurve([]float64{0.9, 0.8}, []bool{true, true})
	if err != nil {
		log.Fatal(err)
	}
	e, err := misd.Bootstrap{Resamples: -1}.Evaluate(context.Background(), c, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"aurc", "auroc"} {
		data, err := json.Marshal(e[name])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, string(data))
	}
	// Output:
	// aurc {"value":0}
	// auroc {"value":null,"reason":"every prediction is right"}
}

func ExampleCurve_RiskCoverage() {
	c, err := misd.NewCurve([]float64{0.9, 0.8, 0.8, 0.5}, []bool{true, true, false, false})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range c.RiskCoverage() {
		fmt.Printf("coverage %.2f risk %.2f threshold %.1f\n", p.Coverage, p.Risk, p.Threshold)
	}
	// Output:
	// coverage 1.00 risk 0.50 threshold 0.5
	// coverage 0.75 risk 0.33 threshold 0.8
	// coverage 0.25 risk 0.00 threshold 0.9
	// coverage 0.00 risk 0.00 threshold NaN
}

func ExampleCurve_CoverageAtRisk() {
	c, err := misd.NewCurve(confidence, correct)
	if err != nil {
		log.Fatal(err)
	}
	p := c.CoverageAtRisk(0.25)
	fmt.Printf("accepting confidence >= %.2f covers %.0f %% at an error rate of %.0f %%\n",
		p.Threshold, 100*p.Coverage, 100*p.Risk)
	// Output:
	// accepting confidence >= 0.60 covers 80 % at an error rate of 25 %
}

func ExampleNewCalibration() {
	probs := []float64{
		0.7, 0.2, 0.1,
		0.1, 0.8, 0.1,
		0.4, 0.35, 0.25,
	}
	c, err := misd.NewCalibration(probs, []int{0, 1, 1}, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accuracy %.3f, NLL %.3f, Brier %.3f, ECE %.3f\n", c.Accuracy(), c.NLL(), c.Brier(), c.ECE(15))
	for _, b := range c.Reliability(5) {
		fmt.Printf("(%.1f,%.1f] %d predictions\n", b.Lower, b.Upper, b.N)
	}
	// Output:
	// accuracy 0.667, NLL 0.543, Brier 0.282, ECE 0.300
	// (0.0,0.2] 0 predictions
	// (0.2,0.4] 1 predictions
	// (0.4,0.6] 0 predictions
	// (0.6,0.8] 2 predictions
	// (0.8,1.0] 0 predictions
}

func ExampleClopperPearsonUpper() {
	b, err := misd.ClopperPearsonUpper(5, 100, 0.05)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("after 5 errors in 100, the error rate is below %.4f with 95 %% confidence\n", b)
	// Output:
	// after 5 errors in 100, the error rate is below 0.1023 with 95 % confidence
}

// A threshold with a guarantee, as a service can load it.
func ExampleCurve_SGR() {
	k, ok := make([]float64, 200), make([]bool, 200)
	for i := range k {
		k[i], ok[i] = 1-float64(i)/200, i < 150 || i%3 == 0
	}
	c, err := misd.NewCurve(k, ok)
	if err != nil {
		log.Fatal(err)
	}
	s, err := c.SGR(0.1, 0.05)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accept confidence >= %.3f: %d of %d, error rate below %.3f\n", s.Threshold, s.Accepted, s.N, s.Bound)
	fmt.Println(s.Accept(0.9), s.Accept(0.1))
	// Output:
	// accept confidence >= 0.205: 160 of 200, error rate below 0.093
	// true false
}

func ExampleRun_Curve() {
	run := &misd.Run{
		Label: []int{0, 1, 1}, Pred: []int{0, 1, 0}, Classes: 2,
		Logits: []float32{2, 0, 0, 3, 1, 0.5},
		Scores: []misd.Score{{Name: "MLS", Values: []float64{2, 3, 1}}},
	}
	c, err := run.Curve("MLS")
	if err != nil {
		log.Fatal(err)
	}
	p, err := run.Calibration()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("AUROC %.1f, accuracy %.3f\n", c.AUROC(), p.Accuracy())
	// Output:
	// AUROC 1.0, accuracy 0.667
}

// Two scores of the same images: is the difference more than noise?
func ExampleBootstrap_Paired() {
	var right []bool
	var sharp, dull []float64
	for i := range 300 {
		right = append(right, i%4 != 0 || i%3 == 0)
		noise := float64(i*7919%300) / 300
		sharp = append(sharp, noise)
		dull = append(dull, float64(i*104729%300)/300)
		if right[i] {
			sharp[i] += 0.3
		}
	}
	var curves []*misd.Curve
	for _, k := range [][]float64{sharp, dull} {
		c, err := misd.NewCurve(k, right)
		if err != nil {
			log.Fatal(err)
		}
		curves = append(curves, c)
	}
	p, err := misd.Bootstrap{Resamples: 999}.Paired(context.Background(), curves, "aurc", "auroc")
	if err != nil {
		log.Fatal(err)
	}
	aurc, auroc := p.Difference("aurc", 0, 1), p.Difference("auroc", 0, 1)
	holm := misd.Holm([]float64{aurc.P, auroc.P})
	fmt.Printf("AUROC %+.2f, p = %.3f, corrected for two comparisons %.3f\n", auroc.Value, auroc.P, holm[1])
	// Output:
	// AUROC +0.26, p = 0.002, corrected for two comparisons 0.004
}

// A street scene that shows no digit at all is a failure whatever the prediction, and another kind of failure than a
// misread digit.
func ExampleMix() {
	digits := &misd.Run{Dataset: "digits", Classes: 10, Label: []int{3, 1, 4, 1}, Pred: []int{3, 1, 4, 7},
		Scores: []misd.Score{{Name: "MSR", Values: []float64{0.9, 0.8, 0.7, 0.6}}}}
	streets := &misd.Run{Dataset: "streets", Classes: 10, Pred: []int{8, 1},
		Scores: []misd.Score{{Name: "MSR", Values: []float64{0.75, 0.2}}}}
	m, err := misd.Mix(misd.Joint, digits, misd.Shift{Run: streets, Novel: true})
	if err != nil {
		log.Fatal(err)
	}
	parts, err := m.Parts("MSR")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d failures, AURC %.3f = %.3f misclassified + %.3f under shift\n", m.Run.Dataset, parts.All.Errors(),
		parts.All.AURC(), parts.Misclassified.AURC(), parts.FailedUnderShift.AURC())
	// Output:
	// digits + streets: 3 failures, AURC 0.247 = 0.061 misclassified + 0.186 under shift
}

func ExampleGroupBy() {
	run := &misd.Run{Label: []int{0, 1, 1}, Pred: []int{0, 1, 0}, Classes: 2, Scores: []misd.Score{{Name: "MSR", Values: []float64{0.9, 0.8, 0.6}}}}
	for _, g := range misd.GroupBy([]string{"fog 10", "fog 2", "fog 2"}) {
		part, err := run.Subset(g.Rows)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(g.Name, part.Scores[0].Values, part.Correct())
	}
	// Output:
	// fog 2 [0.8 0.6] [true false]
	// fog 10 [0.9] [true]
}

func ExampleHolm() {
	for _, p := range misd.Holm([]float64{0.01, 0.04, 0.03, 0.005}) {
		fmt.Printf("%.2f ", p)
	}
	// Output: 0.03 0.06 0.06 0.02
}

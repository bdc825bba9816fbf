package report_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// simulated returns a run of 500 images in which confident predictions are more often right.
func simulated(model string, seed uint64) *misd.Run {
	rng := rand.New(rand.NewPCG(seed, 0))
	run := &misd.Run{Dataset: "simulated", Model: model, Classes: 2}
	msr, radius := misd.Score{Name: "MSR", Cost: 1}, misd.Score{Name: "RR_fast", Cost: 4}
	for range 500 {
		easy := rng.Float64()
		pred := 1
		if rng.Float64() < easy*3 {
			pred = 0
		}
		run.Label, run.Pred = append(run.Label, 0), append(run.Pred, pred)
		msr.Values = append(msr.Values, easy+.3*rng.NormFloat64())
		radius.Values = append(radius.Values, easy+.2*rng.NormFloat64())
	}
	run.Scores = []misd.Score{msr, radius}
	return run
}

func ExampleEvaluate() {
	rep, err := report.Evaluate(simulated("net", 1), report.Options{Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rep)
	// Output:
	// net on simulated: 500 images, 90 errors
	// score    AURC ×1000         AUGRC ×1000        AUROC %            FPR95-error %      FPR95-success %    cost
	// ────────────────────────────────────────────────────────────────────────────────────────────────────────────
	// RR_fast  40.95*[29.0 55.4]  33.33 [24.5 44.1]  88.40 [85.0 91.5]  40.49*[23.8 55.6]  63.33 [47.0 74.8]  4
	// MSR      41.49 [29.2 55.8]  33.28*[24.2 43.8]  88.43*[84.9 91.5]  40.98 [30.4 61.1]  55.56*[41.6 66.7]  1
	// * best.
	// Lower is better: AURC, AUGRC, FPR95-error, FPR95-success. Higher is better: AUROC.
	// [low high]: 95 % interval over images, 1000 bootstrap resamples, seed 7. cost: forward equivalents an image.
}

func ExampleCompare() {
	plain, err := report.Evaluate(simulated("plain", 1), report.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	rat, err := report.Evaluate(simulated("RAT", 2), report.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	both, err := report.Compare(plain, rat)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(both)
	// Output:
	// plain on simulated: 500 images, 90 errors
	// RAT on simulated: 500 images, 79 errors
	//          AURC ×1000            AUGRC ×1000     AUROC %         FPR95-error %   FPR95-success %
	// score    plain      RAT        plain   RAT     plain   RAT     plain   RAT     plain   RAT      cost
	// ────────────────────────────────────────────────────────────────────────────────────────────────────
	// RR_fast  40.95*±13  33.13*±11  33.33   27.82*  88.40   88.47*  40.49*  36.34*  63.33   70.89*   4
	// MSR      41.49 ±13  49.91 ±18  33.28*  36.31   88.43*  82.09   40.98   61.28   55.56*  72.15    1
	// * best score for that classifier.
	// Lower is better: AURC, AUGRC, FPR95-error, FPR95-success. Higher is better: AUROC.
	// ±: half the width of the 95 % interval over images, 1000 bootstrap resamples. cost: forward equivalents an image.
}

func ExampleWriteScoresCSV() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	run := &misd.Run{Label: []int{7, 2}, Pred: []int{7, 3}, Classes: 10,
		Scores: []misd.Score{{Name: "MSR", Values: []float64{0.98, 0.51}}, {Name: "RR_fast", Values: []float64{0.021, 0.0004}}}}
	path := filepath.Join(dir, "scores.csv")
	if err := report.WriteScoresCSV(path, run); err != nil {
		fmt.Println(err)
		return
	}
	text, _ := os.ReadFile(path)
	fmt.Print(string(text))
	back, err := report.ReadScoresCSV(path)
	fmt.Println(back.Score("RR_fast").Values, err)
	// Output:
	// index,label,pred,correct,MSR,RR_fast
	// 0,7,7,1,0.98,0.021
	// 1,2,3,0,0.51,0.0004
	// [0.021 0.0004] <nil>
}

// Scores of another tool: a table with a line an image.
func ExampleReadColumns() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "theirs.csv")
	table := "confidence,margin,correct\n0.99,3.1,1\n0.97,0.2,0\n0.8,0.9,1\n0.6,0.1,0\n"
	if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	run, err := report.ReadColumns(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	rep, err := report.Evaluate(run, report.Options{Resamples: -1, Headline: []string{"aurc", "auroc"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rep)
	// Output:
	// theirs: 4 images, 2 errors
	// score       AURC ×1000  AUROC %  cost
	// ─────────────────────────────────────
	// margin      208.3*      100.0*   –
	// confidence  333.3       75.00    –
	// * best.
	// Lower is better: AURC. Higher is better: AUROC. cost: forward equivalents an image.
}

// A score that means the opposite, and a column to group by.
func ExampleColumns_Read() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "theirs.csv")
	table := "label,prob_0,prob_1,entropy,weather\n0,0.9,0.1,0.33,fog\n1,0.6,0.4,0.67,clear\n"
	if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	run, groups, err := report.Columns{Uncertainty: []string{"entropy"}, Groups: []string{"weather"}}.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range run.Scores {
		fmt.Println(s.Name, s.Values)
	}
	fmt.Println(run.Pred, run.Correct(), groups["weather"])
	// Output:
	// MSR [0.9 0.6]
	// entropy [-0.33 -0.67]
	// [0 0] [true false] [fog clear]
}

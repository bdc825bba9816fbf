package figures_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// simulated evaluates a run of 2,000 images whose radius tells right from wrong predictions.
func simulated(model string, seed uint64) *report.Report {
	rng := rand.New(rand.NewPCG(seed, 0))
	run := &misd.Run{Dataset: "simulated", Model: model, Classes: 2}
	msr, fast, bs := misd.Score{Name: "MSR", Cost: 1}, misd.Score{Name: "RR_fast", Cost: 4}, misd.Score{Name: "RR_fgsm", Cost: 7}
	for range 2000 {
		margin := 3 * rng.ExpFloat64()
		pred := 0
		if rng.Float64() < 1/(1+math.Exp(margin)) {
			pred = 1
		}
		run.Label, run.Pred = append(run.Label, 0), append(run.Pred, pred)
		run.Logits = append(run.Logits, float32((1-pred))*float32(margin), float32(pred)*float32(margin))
		msr.Values = append(msr.Values, 1/(1+math.Exp(-margin)))
		fast.Values = append(fast.Values, margin/100)
		bs.Values = append(bs.Values, margin/100*math.Exp(.1*rng.NormFloat64()))
	}
	run.Scores = []misd.Score{msr, fast, bs}
	rep, err := report.Evaluate(run, report.Options{Resamples: 100})
	if err != nil {
		panic(err)
	}
	return rep
}

// save saves the figure in a temporary folder and tells what was written.
func save(fig *figures.Figure, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := fig.Save(filepath.Join(dir, "figure.png")); err != nil {
		fmt.Println(err)
		return
	}
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		fmt.Println(f.Name())
	}
	fmt.Println(fig.Data.Header)
}

func ExampleRiskCoverage() {
	plain, rat := simulated("plain", 1), simulated("RAT", 2)
	save(figures.RiskCoverage([]*report.Report{plain, rat}, figures.Options{Size: figures.Column}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score coverage risk low high]
}

func ExampleRadiusHistogram() {
	plain, rat := simulated("plain", 1), simulated("RAT", 2)
	save(figures.RadiusHistogram([]*report.Report{plain, rat}, figures.Options{Size: figures.Page}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score prediction radius_low radius_high images share]
}

func ExampleReliability() {
	save(figures.Reliability([]*report.Report{simulated("plain", 1)}, figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model confidence_low confidence_high images confidence accuracy low high]
}

func ExampleRadiusAgreement() {
	save(figures.RadiusAgreement([]*report.Report{simulated("plain", 1)}, figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model index prediction RR_fgsm RR_fast]
}

func ExampleAURCBars() {
	plain, rat := simulated("plain", 1), simulated("RAT", 2)
	save(figures.AURCBars([]*report.Report{plain, rat}, figures.Options{Command: "go run ./scripts/figures"}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score aurc low high]
}

func ExampleCostQuality() {
	cascade := figures.Trade{Name: "Cascade", Cost: []float64{1, 2, 4}, Quality: []float64{.06, .05, .05}}
	save(figures.CostQuality([]*report.Report{simulated("plain", 1)}, []figures.Trade{cascade}, figures.Options{}))
	// Output:
	// figure.csv
	// figure.png
	// [dataset model score cost aurc undominated]
}

package report_test

import (
	"context"
	"fmt"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// Three trainings, each judged on two halves of its images.
func ExampleRepeat() {
	var seeds [][]*report.Report
	for seed := range uint64(3) {
		run := simulated("net", 10+seed)
		var splits []*report.Report
		for half := range 2 {
			var rows []int
			for i := half; i < run.Len(); i += 2 {
				rows = append(rows, i)
			}
			part, err := run.Subset(rows)
			if err != nil {
				fmt.Println(err)
				return
			}
			rep, err := report.Evaluate(part, report.Options{Resamples: -1, Headline: []string{"aurc", "auroc"}})
			if err != nil {
				fmt.Println(err)
				return
			}
			splits = append(splits, rep)
		}
		seeds = append(seeds, splits)
	}
	all, err := report.Repeat(seeds)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(all)
	// Output:
	// net on simulated: 3 training seeds, 2 splits
	//          AURC ×1000              AUROC %
	// score    mean ± seeds  ± splits  mean ± seeds  ± splits  cost
	// ─────────────────────────────────────────────────────────────
	// RR_fast  29.46*±8.4    4.8       89.95*±1.2    3.5       4
	// MSR      44.81 ±23      11       83.43 ±4.8    3.3       1
	// * best mean.
	// Lower is better: AURC. Higher is better: AUROC.
	// ± seeds: standard deviation over 3 trainings.
	// ± splits: standard deviation over 2 splits into validation and test images, of one training. cost: forward equivalents an image.
}

func ExampleCompareScores() {
	d, err := report.CompareScores(context.Background(), simulated("net", 2), "MSR", report.Options{Headline: []string{"aurc", "auroc"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d)
	// Output:
	// net on simulated: paired differences
	//                AURC ×1000                    AUROC %
	// difference     difference            p       difference          p
	// ───────────────────────────────────────────────────────────────────────
	// RR_fast − MSR  -16.78*[-32.1 -4.48]  0.005   +6.386*[1.25 11.9]  0.008
	// * p at most 0.05 after correction.
	// Lower is better: AURC. Higher is better: AUROC.
	// [low high]: 95 % interval over images, not corrected; p: two-sided, Holm-corrected for 1 difference a metric; 2000 paired resamples, seed 0.
}

func ExampleCompareNets() {
	plain, rat := simulated("plain", 1), simulated("RAT", 2)
	d, err := report.CompareNets(context.Background(), plain, []*misd.Run{rat}, report.Options{Headline: []string{"aurc", "auroc"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d)
	// Output:
	// plain on simulated: paired differences
	//                       AURC ×1000                  AUROC %
	// difference            difference           p      difference              p
	// ────────────────────────────────────────────────────────────────────────────────
	// MSR: RAT − plain      +8.427 [-13.0 31.5]  0.74    -6.339 [-12.3 -0.339]  0.072
	// RR_fast: RAT − plain  -7.816 [-26.2 10.4]  0.74   +0.0766 [-4.41   4.86]   0.94
	// * p at most 0.05 after correction.
	// Lower is better: AURC. Higher is better: AUROC.
	// [low high]: 95 % interval over images, not corrected; p: two-sided, Holm-corrected for 2 differences a metric; 2000 paired resamples, seed 0.
}

func ExampleRank() {
	var reports []*report.Report
	for i, name := range []string{"digits", "fashion", "birds"} {
		run := simulated("net", uint64(i+1))
		run.Dataset = name
		rep, err := report.Evaluate(run, report.Options{Resamples: -1})
		if err != nil {
			fmt.Println(err)
			return
		}
		reports = append(reports, rep)
	}
	ranks, err := report.Rank("aurc", reports...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ranks)
	// Output:
	// Ranks by AURC ×1000 over 3 data sets
	// score    mean rank  wins  digits  fashion  birds
	// ────────────────────────────────────────────────
	// RR_fast  1.00       3     1*      1*       1*
	// MSR      2.00       0     2       2        2
	// * no score is better there.
	// Rank 1 is best; equally good scores share the mean of their ranks, and each counts the win.
	// Friedman's test that all scores are equally good: p = 0.083.
}

// Which kinds of image does the score fail on?
func ExampleEvaluateGroups() {
	run := simulated("net", 1)
	weather := make([]string, run.Len())
	for i := range weather {
		weather[i] = []string{"clear", "fog 1", "fog 2", "clear"}[i%4]
	}
	copy(weather, []string{"hail", "hail", "hail"})
	g, err := report.EvaluateGroups(context.Background(), run, "weather", weather, report.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(g)
	// Output:
	// net on simulated by weather
	//                                            AURC ×1000
	// weather           images  errors  error %  MSR        RR_fast
	// ───────────────────────────────────────────────────────────────
	// clear             249     45      18.1     44.63*±21  48.29 ±22
	// fog 1             124     22      17.7     39.65 ±25  38.06*±23
	// fog 2             124     23      18.5     37.79 ±27  33.38*±22
	// hail †              3      0         0         0 ±0       0 ±0
	// mean of 4 groups                  13.6     30.52      29.93*
	// all images        500     90      18.0     41.49 ±14  40.95*±14
	// * best score of the line.
	// Lower is better: AURC.
	// ±: half the width of the 95 % interval over images, 1000 bootstrap resamples, seed 1.
	// † fewer than 10 wrong or right predictions: mostly luck, intervals too short.
}

// Street scenes among digits: every prediction on them is a failure.
func ExampleEvaluateShift() {
	digits, streets := simulated("net", 1), simulated("net", 9)
	digits.Dataset, streets.Dataset, streets.Label = "digits", "streets", nil
	s, err := report.EvaluateShift(context.Background(), misd.Joint, digits, []misd.Shift{{Run: streets, Novel: true}}, report.Options{Resamples: 200})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s)
	fmt.Println(s.LaTeX())
	// Output:
	// net on digits + streets, protocol: joint
	// digits: 410 images right, 90 misclassified
	// streets: 0 images right, 500 failures under shift
	//          AURC ×1000                    AUROC %                        FPR95-error %
	// score    all        misclass.  shift   all         misclass.  shift   all         misclass.  shift   cost
	// ─────────────────────────────────────────────────────────────────────────────────────────────────────────
	// MSR      518.4*±46  20.67      497.8*  62.00*±3.7  88.43*     57.25*  93.41*±4.3  40.98      94.88*  1
	// RR_fast  542.7 ±44  20.02*     522.7   59.66 ±3.9  88.40      54.49   95.61 ±3.7  40.49*     96.34   4
	// * best.
	// Lower is better: AURC, FPR95-error. Higher is better: AUROC.
	// ±: half the width of the 95 % interval over images, 200 bootstrap resamples, seed 0. cost: forward equivalents an image.
	// AURC: what misclassified images and failures under shift contribute, adding up to all. AUROC, FPR95: right predictions against either kind.
	// % Needs \usepackage{booktabs}.
	// % net on digits + streets, protocol: joint
	// % digits: 410 images right, 90 misclassified
	// % streets: 0 images right, 500 failures under shift
	// \begin{tabular}{lrrrrrrrrrr}
	// \toprule
	//  & \multicolumn{3}{c}{AURC $\times$1000} & \multicolumn{3}{c}{AUROC \%} & \multicolumn{3}{c}{FPR95-error \%} &  \\
	// \cmidrule(lr){2-4}\cmidrule(lr){5-7}\cmidrule(lr){8-10}
	// score & all & misclass. & shift & all & misclass. & shift & all & misclass. & shift & cost \\
	// \midrule
	// MSR & \textbf{518.4} {\scriptsize $\pm$ 46} & 20.67 & \textbf{497.8} & \textbf{62.00} {\scriptsize $\pm$ 3.7} & \textbf{88.43} & \textbf{57.25} & \textbf{93.41} {\scriptsize $\pm$ 4.3} & 40.98 & \textbf{94.88} & 1 \\
	// RR\_fast & 542.7 {\scriptsize $\pm$ 44} & \textbf{20.02} & 522.7 & 59.66 {\scriptsize $\pm$ 3.9} & 88.40 & 54.49 & 95.61 {\scriptsize $\pm$ 3.7} & \textbf{40.49} & 96.34 & 4 \\
	// \bottomrule
	// \end{tabular}
	// % bold: best.
	// % Lower is better: AURC, FPR95-error. Higher is better: AUROC.
	// % ±: half the width of the 95 % interval over images, 200 bootstrap resamples, seed 0. cost: forward equivalents an image.
	// % AURC: what misclassified images and failures under shift contribute, adding up to all. AUROC, FPR95: right predictions against either kind.
}

package main

import (
	"path/filepath"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/report"
)

// draw writes risk_coverage.png, and cost.png with the curve of a cascade where its two scores are there.
func draw(dir string, r *report.Report) error {
	curves, err := figures.RiskCoverage([]*report.Report{r}, figures.Options{})
	if err != nil {
		return err
	}
	if err := curves.Save(filepath.Join(dir, "risk_coverage.png")); err != nil {
		return err
	}
	cost, err := figures.CostQuality([]*report.Report{r}, cascades(r), figures.Options{})
	if err != nil {
		return err
	}
	return cost.Save(filepath.Join(dir, "cost.png"))
}

// cascades returns the curve of AURC against cost of the cascade from logit difference to RR-BS, or nothing where a
// score is missing or the cascade cannot be learned, as from images without errors.
func cascades(r *report.Report) []figures.Trade {
	var c confidence.Cascade
	for _, f := range c.Needs() {
		if r.Run.Score(f.Name()) == nil {
			return nil
		}
	}
	points, err := c.Curve(r.Run)
	if err != nil {
		return nil
	}
	// The band is chosen on the images that it is judged on.
	t := figures.Trade{Name: "cascade to RR-BS"}
	for _, p := range points {
		t.Cost = append(t.Cost, p.Cost)
		t.Quality = append(t.Quality, p.AURC)
	}
	return []figures.Trade{t}
}

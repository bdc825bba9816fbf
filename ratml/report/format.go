package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// unit is how a metric is shown to people; files hold the plain fraction.
type unit struct {
	factor float64
	suffix string // of the heading
}

// unitOf follows the papers of the field: areas under risk curves times 1000, other rates in percent.
func unitOf(metric string) unit {
	switch {
	case metric == "nll" || metric == "brier":
		return unit{1, ""}
	case strings.HasPrefix(metric, "aurc") || strings.HasPrefix(metric, "eaurc") || strings.HasPrefix(metric, "augrc"):
		return unit{1000, "×1000"}
	}
	return unit{100, "%"}
}

var labels = map[string]string{
	"fpr95_error": "FPR95-error", "fpr95_success": "FPR95-success", "eaurc": "E-AURC", "brier": "Brier score",
	"accuracy": "accuracy", "nll": "NLL", "ece": "ECE",
}

// Label returns the name of a metric for headings and axes, with its unit: "AURC ×1000", "FPR95-error %".
func Label(metric string) string {
	name := labels[metric]
	if name == "" {
		head, rest, ok := strings.Cut(metric, "_")
		name = strings.ToUpper(head)
		if head == "risk" || head == "coverage" { // risk_at_coverage_90: "risk % at coverage 90 %"
			return head + " % " + strings.ReplaceAll(rest, "_", " ") + " %"
		}
		if ok {
			name += " (" + strings.ReplaceAll(rest, "_", " ") + ")"
		}
	}
	return strings.TrimSpace(name + " " + unitOf(metric).suffix)
}

// Scale returns the factor by which people expect to see a metric multiplied: 1000 for areas under risk curves, 100
// for rates, 1 for nll and brier.
func Scale(metric string) float64 { return unitOf(metric).factor }

// cell is one entry of a table.
type cell struct {
	value, low, high string // low and high empty where there is no interval
	best             bool
}

const undefined = "–"

func newCell(metric string, e misd.Estimate, best bool) cell {
	f := unitOf(metric).factor
	c := cell{value: significant(e.Value*f, 4), best: best}
	if e.HasInterval() {
		c.low, c.high = significant(e.Lower*f, 3), significant(e.Upper*f, 3)
	}
	return c
}

// significant writes v with so many significant digits and no exponent, NaN as a dash.
func significant(v float64, digits int) string {
	switch {
	case math.IsNaN(v):
		return undefined
	case math.IsInf(v, 0):
		return strings.Replace(fmt.Sprintf("%+.0f", v), "Inf", "∞", 1)
	case v == 0:
		return "0"
	}
	// Rounding may add a digit: 9.9996 with four digits is 10.00.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	whole := int(math.Floor(math.Log10(math.Abs(rounded)))) + 1
	return strconv.FormatFloat(v, 'f', max(0, min(digits-whole, digits)), 64)
}

// formatP writes a p-value, NaN as a dash.
func formatP(p float64) string {
	switch {
	case math.IsNaN(p):
		return undefined
	case p < 0.001:
		return "<0.001"
	}
	return strconv.FormatFloat(p, 'g', 2, 64)
}

package report

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/ratml/rat/ratml/misd"
)

// ShiftReport judges scores on a data set with others mixed in ([misd.Mix]) and tells the two kinds of failure apart:
// misclassified images of the data set itself, and failures under shift.
type ShiftReport struct {
	Mixture  *misd.Mixture
	Protocol misd.Protocol
	Options  Options // as used
	Rows     []ShiftRow
}

// ShiftRow is what a mixture says of one score.
type ShiftRow struct {
	Score string
	Cost  float64
	All   misd.Evaluation // right predictions against all failures
	// Misclassified and UnderShift judge right predictions against one kind of failure, the other kind left out.
	Misclassified, UnderShift misd.Evaluation
	// Parts splits the areas that are sums over errors, aurc and augrc, by the kind of failure: what one kind
	// contributes to the area of All. NaN where there are no images.
	Parts map[string]ShiftParts
}

// ShiftParts adds up to the value in [ShiftRow.All].
type ShiftParts struct{ Misclassified, UnderShift float64 }

var splitMetrics = []string{"aurc", "augrc"}

// EvaluateShift mixes the shifted data sets into run under the protocol and judges every score that all of them have. It
// returns an error as [misd.Mix] and [Evaluate] do.
func EvaluateShift(ctx context.Context, protocol misd.Protocol, run *misd.Run, shifts []misd.Shift, opts Options) (*ShiftReport, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	m, err := misd.Mix(protocol, run, shifts...)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	s := &ShiftReport{Mixture: m, Protocol: protocol, Options: opts}
	for i, score := range m.Run.Scores {
		row, err := evaluateShift(ctx, m, score, opts.bootstrap())
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		s.Rows = append(s.Rows, row)
		if opts.Progress != nil {
			opts.Progress(i+1, len(m.Run.Scores), score.Name)
		}
	}
	return s, nil
}

func evaluateShift(ctx context.Context, m *misd.Mixture, score misd.Score, b misd.Bootstrap) (ShiftRow, error) {
	row := ShiftRow{Score: score.Name, Cost: score.Cost, Parts: map[string]ShiftParts{}}
	parts, err := m.Parts(score.Name)
	if err != nil {
		return row, err
	}
	if row.All, err = b.Evaluate(ctx, parts.All, nil); err != nil {
		return row, err
	}
	row.Parts["aurc"] = ShiftParts{parts.Misclassified.AURC(), parts.FailedUnderShift.AURC()}
	row.Parts["augrc"] = ShiftParts{parts.Misclassified.AUGRC(), parts.FailedUnderShift.AUGRC()}
	for kind, to := range map[misd.Failure]*misd.Evaluation{misd.Misclassified: &row.Misclassified, misd.FailedUnderShift: &row.UnderShift} {
		c, err := m.Against(score.Name, kind)
		if err != nil {
			return row, err
		}
		if *to, err = b.Evaluate(ctx, c, nil); err != nil {
			return row, err
		}
	}
	return row, nil
}

// String returns the report as text, best first by AURC: AURC and what either kind of failure contributes to it, then
// AUROC and FPR95 against all failures and against either kind.
func (s *ShiftReport) String() string { return s.grid().text() }

// Markdown returns the report as a Markdown table, the best values in bold.
func (s *ShiftReport) Markdown() string { return s.grid().markdown() }

// HTML returns the report as an HTML table, the best values in bold.
func (s *ShiftReport) HTML() string { return s.grid().html() }

// LaTeX returns the report as a tabular for the booktabs package.
func (s *ShiftReport) LaTeX() string { return s.grid().latex() }

// Save writes the report in the format that the ending of path names, as [Report.Save] does; .json and .csv hold every
// metric.
func (s *ShiftReport) Save(path string) error { return save(path, s) }

// shiftMetrics are the metrics of tables.
var shiftMetrics = []string{"aurc", "auroc", "fpr95_error"}

func (s *ShiftReport) grid() grid {
	g := grid{title: s.title(), best: "best", columns: []column{{name: "score"}}}
	for _, m := range shiftMetrics {
		for _, kind := range []string{"all", "misclass.", "shift"} {
			g.columns = append(g.columns, column{group: Label(m), name: kind, right: true})
		}
	}
	g.columns = append(g.columns, column{name: "cost", right: true})
	for _, row := range ranked(s.Rows, "aurc", func(row ShiftRow) float64 { return row.All["aurc"].Value }) {
		cells := []cell{{value: row.Score}}
		for _, m := range shiftMetrics {
			for kind := range 3 {
				best := ranked(s.Rows, m, func(row ShiftRow) float64 { return row.shown(m, kind).Value })[0].shown(m, kind).Value
				e := row.shown(m, kind)
				cells = append(cells, comparedCell(m, e, len(s.Rows) > 1 && same(e.Value, best), kind == 0))
			}
		}
		g.rows = append(g.rows, append(cells, cell{value: formatCost(row.Cost)}))
	}
	g.notes = s.notes()
	return g
}

// shown returns the value of a metric for all failures, misclassified images, and failures under shift: areas as parts
// of the whole, other metrics with the other kind left out.
func (row ShiftRow) shown(metric string, kind int) misd.Estimate {
	if kind == 0 {
		return row.All[metric]
	}
	if p, ok := row.Parts[metric]; ok {
		return misd.Estimate{Value: []float64{p.Misclassified, p.UnderShift}[kind-1], Lower: math.NaN(), Upper: math.NaN()}
	}
	return []misd.Evaluation{row.Misclassified, row.UnderShift}[kind-1][metric]
}

func (s *ShiftReport) title() []string {
	lines := []string{fmt.Sprintf("%s, protocol: %v", name(s.Mixture.Run), s.Protocol)}
	for source, label := range s.Mixture.Sources {
		right, wrong := s.count(source)
		kind := "failures under shift"
		if source == 0 {
			kind = "misclassified"
		}
		lines = append(lines, fmt.Sprintf("%s: %d images right, %d %s", label, right, wrong, kind))
	}
	return lines
}

// count returns how many predictions on a data set are right and wrong.
func (s *ShiftReport) count(source int) (right, wrong int) {
	for i, f := range s.Mixture.Failure {
		switch {
		case s.Mixture.Source[i] != source:
		case f == misd.None:
			right++
		default:
			wrong++
		}
	}
	return right, wrong
}

func (s *ShiftReport) notes() []string {
	notes := []string{direction(shiftMetrics)}
	if s.Options.Resamples > 0 {
		notes = append(notes, fmt.Sprintf("±: half the width of the %g %% interval over images, %d bootstrap resamples, seed %d.",
			100*s.Options.Level, s.Options.Resamples, s.Options.Seed))
	}
	notes[len(notes)-1] += " cost: forward equivalents an image."
	notes = append(notes, "AURC: what misclassified images and failures under shift contribute, adding up to all. AUROC, FPR95: right predictions against either kind.")
	switch s.Protocol {
	case misd.ShiftOnly:
		notes = append(notes, "Misclassified images of the data set itself are left out (fd-shifts' proposed mode).")
	case misd.Detection:
		notes = append(notes, "Misclassified images of the data set itself count as right (out-of-distribution detection, fd-shifts' original mode).")
	}
	var rows []Row
	for _, row := range s.Rows {
		rows = append(rows, Row{Metrics: row.All}, Row{Metrics: row.Misclassified}, Row{Metrics: row.UnderShift})
	}
	return append(notes, reasons(rows, shiftMetrics)...)
}

// MarshalJSON implements [json.Marshaler]: protocol, the sources with their counts, and under "scores" by score the
// metrics against all failures, misclassified and under_shift, and the parts of aurc and augrc.
func (s *ShiftReport) MarshalJSON() ([]byte, error) {
	type sourceJSON struct {
		Name  string `json:"name"`
		Right int    `json:"right"`
		Wrong int    `json:"wrong"`
	}
	type partsJSON struct {
		Misclassified misd.Float `json:"misclassified"`
		UnderShift    misd.Float `json:"under_shift"`
	}
	type rowJSON struct {
		All           map[string]estimateJSON `json:"all"`
		Misclassified map[string]estimateJSON `json:"misclassified"`
		UnderShift    map[string]estimateJSON `json:"under_shift"`
		Parts         map[string]partsJSON    `json:"parts"`
	}
	out := struct {
		Dataset   string             `json:"dataset"`
		Model     string             `json:"model"`
		Protocol  string             `json:"protocol"`
		Bootstrap bootstrapJSON      `json:"bootstrap"`
		Sources   []sourceJSON       `json:"sources"`
		Scores    map[string]rowJSON `json:"scores"`
	}{s.Mixture.Run.Dataset, s.Mixture.Run.Model, s.Protocol.String(),
		bootstrapJSON{max(s.Options.Resamples, 0), s.Options.Level, s.Options.Seed}, nil, map[string]rowJSON{}}
	for i, label := range s.Mixture.Sources {
		right, wrong := s.count(i)
		out.Sources = append(out.Sources, sourceJSON{label, right, wrong})
	}
	for _, row := range s.Rows {
		j := rowJSON{evaluationJSON(row.All), evaluationJSON(row.Misclassified), evaluationJSON(row.UnderShift), map[string]partsJSON{}}
		for m, p := range row.Parts {
			j.Parts[m] = partsJSON{misd.Float(p.Misclassified), misd.Float(p.UnderShift)}
		}
		out.Scores[row.Score] = j
	}
	return json.Marshal(out)
}

func (s *ShiftReport) records() [][]string {
	lines := [][]string{{"score", "failures", "metric", "value", "low", "high", "reason"}}
	for _, row := range s.Rows {
		for _, kind := range []struct {
			name string
			e    misd.Evaluation
		}{{"all", row.All}, {"misclassified", row.Misclassified}, {"under_shift", row.UnderShift}} {
			for _, m := range scoreMetrics() {
				e := kind.e[m]
				lines = append(lines, []string{row.Score, kind.name, m, formatFloat(e.Value), formatFloat(e.Lower), formatFloat(e.Upper), e.Reason})
			}
		}
		for _, m := range splitMetrics {
			p := row.Parts[m]
			lines = append(lines, []string{row.Score, "misclassified", m + "_part", formatFloat(p.Misclassified), "", "", ""},
				[]string{row.Score, "under_shift", m + "_part", formatFloat(p.UnderShift), "", "", ""})
		}
	}
	return lines
}

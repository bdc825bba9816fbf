package misd

import (
	"encoding/json"
	"os"
	"testing"
)

// TestMixtureAgainstFDShifts compares with fd-shifts' own mixtures and metrics (testdata/shift_oracles.py).
func TestMixtureAgainstFDShifts(t *testing.T) {
	data, err := os.ReadFile("testdata/shift_oracles.json")
	if err != nil {
		t.Fatal(err)
	}
	type part struct {
		Label, Pred []int
		Confidence  []float64
	}
	var cases []struct {
		Own, New part
		Proposed map[string]Float `json:"proposed_mode"`
		Original map[string]Float `json:"original_mode"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 10 {
		t.Fatalf("%d cases, want 10", len(cases))
	}
	run := func(p part) *Run {
		return &Run{Classes: 4, Label: p.Label, Pred: p.Pred, Scores: []Score{{Name: "MSR", Values: p.Confidence}}}
	}
	for _, c := range cases {
		for protocol, want := range map[Protocol]map[string]Float{ShiftOnly: c.Proposed, Detection: c.Original} {
			m, err := Mix(protocol, run(c.Own), Shift{Run: run(c.New), Novel: true})
			if err != nil {
				t.Fatal(err)
			}
			curve, err := m.Run.Curve("MSR")
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]float64{"n": float64(curve.Len())}
			for name, e := range evaluate(t, curve) {
				got[name] = e.Value
			}
			if n := within(t, protocol.String(), want, got, 1e-12); n != 6 {
				t.Errorf("%d values compared, want 6", n)
			}
		}
	}
}

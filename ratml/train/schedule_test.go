package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSchedulesOfficial compares with PyTorch's schedulers (testdata/schedules.py), stepped once an epoch or after each
// batch. Among them are those of the official recipe.
func TestSchedulesOfficial(t *testing.T) {
	data, err := os.ReadFile("testdata/schedules.json")
	require.NoError(t, err)
	var want map[string][]struct {
		Peak            float64
		Epochs, Batches int
		Rates           []float64
	}
	require.NoError(t, json.Unmarshal(data, &want))
	schedules := map[string]func(steps int) Schedule{
		"cosine, official":       always(Cosine(5)),
		"constant, official":     always(Constant(5)),
		"cosine":                 always(Cosine(3)),
		"cosine, no warm-up":     always(Cosine(0)),
		"cosine over 5":          always(Over(5, Cosine(0))),
		"constant":               always(Constant(3)),
		"linear":                 always(Linear(3)),
		"linear over 5":          always(Over(5, Linear(0))),
		"step":                   always(StepDecay(3, 0.3, 2)),
		"step, no warm-up":       always(StepDecay(0, 0.1, 5)),
		"milestones":             always(MultiStep(3, 0.2, 5, 8, 11)),
		"milestones, no warm-up": always(MultiStep(0, 0.1, 4, 9)),
		"1cycle":                 func(steps int) Schedule { return OneCycle{StepsPerEpoch: steps}.Rate },
		"1cycle, early":          func(steps int) Schedule { return OneCycle{Rise: 0.01, StepsPerEpoch: steps}.Rate },
		"1cycle, linear": func(steps int) Schedule {
			return OneCycle{Rise: 0.4, Div: 10, FinalDiv: 50, Linear: true, StepsPerEpoch: steps}.Rate
		},
		"swa":          always(SWARate{LearningRate: 0.05, From: 5, Anneal: 4}.Rate),
		"swa, linear":  always(SWARate{LearningRate: 0.02, From: 6, Anneal: 3, Linear: true}.Rate),
		"swa, at once": always(SWARate{Base: Cosine(0), From: 5, Anneal: Off}.Rate),
		"fmfp":         always(SWARate{Base: Over(100, Cosine(0)), LearningRate: 0.05, From: 120}.Rate),
	}
	require.Len(t, want, len(schedules))
	for name, runs := range want {
		for _, r := range runs {
			require.Len(t, r.Rates, r.Epochs*r.Batches)
			schedule := schedules[name](r.Batches)
			if r.Batches == 1 {
				schedule = PerEpoch(schedule)
			}
			for step, rate := range r.Rates {
				within := []float64{0}
				if r.Batches == 1 {
					within = []float64{0, 0.3, 0.999}
				}
				for _, w := range within {
					got := schedule(r.Peak, float64(step)/float64(r.Batches)+w, float64(r.Epochs))
					require.InDelta(t, rate, got, 1e-12, "%s, %d steps an epoch, step %d", name, r.Batches, step)
				}
			}
		}
	}
}

func always(s Schedule) func(int) Schedule { return func(int) Schedule { return s } }

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name        string
		schedule    Schedule
		epoch, want float64
	}{
		{"no warm-up", Cosine(0), 0, 1},
		{"a third", Cosine(0), 10.0 / 3, 0.75},
		{"half", Cosine(0), 5, 0.5},
		{"end", Cosine(0), 10, 0},
		{"start of the warm-up", Cosine(2), 0, 1e-8},
		{"half of the warm-up", Cosine(2), 1, 0.5},
		{"peak", Cosine(2), 2, 1},
		{"half of the rest", Cosine(2), 6, 0.5},
		{"end after warm-up", Cosine(2), 10, 0},
		{"constant, start", Constant(2), 0, 1e-8},
		{"constant, half of the warm-up", Constant(2), 1, 0.5},
		{"constant, later", Constant(2), 9.9, 1},
		{"constant, no warm-up", Constant(0), 0, 1},
		{"per epoch", PerEpoch(Cosine(0)), 5.9, 0.5},
		{"over", Over(20, Cosine(0)), 20.0 / 3, 0.75},
		{"linear", Linear(2), 4, 0.75},
		{"step, before", StepDecay(2, 0.5, 3), 4.99, 1},
		{"step, later", StepDecay(2, 0.5, 3), 8, 0.25},
		{"milestone, before", MultiStep(2, 0.5, 8, 5), 4.99, 1},
		{"milestone", MultiStep(2, 0.5, 8, 5), 5, 0.5},
		{"milestones", MultiStep(2, 0.5, 8, 5), 9, 0.25},
		{"1cycle, start", OneCycle{}.Rate, 0, 0.04},
		{"1cycle, peak", OneCycle{}.Rate, 3, 1},
		{"1cycle, end", OneCycle{}.Rate, 10, 4e-6},
		{"1cycle, beyond", OneCycle{StepsPerEpoch: 1}.Rate, 9.9, 4e-6},
		{"swa, before", SWARate{From: 5}.Rate, 2.5, (1 + math.Sqrt2/2) / 2},
		{"swa, half", SWARate{Base: Constant(0), From: 5, Anneal: 4}.Rate, 7, 0.75},
		{"swa, later", SWARate{From: 2, Anneal: 4}.Rate, 6, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.InDelta(t, c.want, c.schedule(1, c.epoch, 10), 2e-8)
			require.InDelta(t, 3*c.want, c.schedule(3, c.epoch, 10), 6e-8)
		})
	}
}

func TestScheduleCheck(t *testing.T) {
	nan := math.NaN()
	for _, good := range []interface{ Check() error }{
		OneCycle{}, OneCycle{Rise: 0.5, Div: 1, FinalDiv: 1, StepsPerEpoch: 3}, SWARate{}, SWARate{LearningRate: 1, From: 3, Anneal: Off},
	} {
		require.NoError(t, good.Check(), "%+v", good)
	}
	for setting, bad := range map[string][]interface{ Check() error }{
		"Rise":          {OneCycle{Rise: -0.1}, OneCycle{Rise: 1}, OneCycle{Rise: nan}},
		" Div":          {OneCycle{Div: 0.5}, OneCycle{Div: nan}},
		"FinalDiv":      {OneCycle{FinalDiv: -1}, OneCycle{FinalDiv: math.Inf(1)}},
		"StepsPerEpoch": {OneCycle{StepsPerEpoch: -1}},
		"LearningRate":  {SWARate{LearningRate: Off}, SWARate{LearningRate: nan}},
		"From":          {SWARate{From: -1}, SWARate{From: math.Inf(1)}},
		"Anneal":        {SWARate{Anneal: -2}, SWARate{Anneal: nan}},
	} {
		for _, s := range bad {
			require.ErrorContains(t, s.Check(), setting, "%+v", s)
		}
	}
}

func FuzzCosine(f *testing.F) {
	f.Add(0.2, 2.5, 5.0, 500.0)
	f.Add(1.0, 0.0, 0.0, 1.0)
	f.Fuzz(func(t *testing.T, peak, epoch, warmup, epochs float64) {
		if !(peak >= 1e-8 && peak < 1e9 && epochs > 0 && epochs < 1e9 && epoch >= 0 && epoch < epochs && warmup >= 0 && warmup < epochs) {
			return
		}
		if lr := Cosine(warmup)(peak, epoch, epochs); !(lr >= 0 && lr <= peak*(1+1e-9)) {
			t.Errorf("rate %v outside [0,%v]", lr, peak)
		}
	})
}

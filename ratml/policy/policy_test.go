package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// population draws predictions of confidence u, uniform in [0,1], that are wrong with probability 0.4 (1-u)^2.
func population(rng *rand.Rand, n int) (scores []float64, correct []bool) {
	scores, correct = make([]float64, n), make([]bool, n)
	for i := range scores {
		u := rng.Float64()
		scores[i], correct[i] = u, rng.Float64() >= 0.4*(1-u)*(1-u)
	}
	return scores, correct
}

// The true risks of accepting the population from threshold t on: integrals of 0.4 (1-u)^2.
func selectiveRisk(t float64) float64 { return 0.4 / 3 * (1 - t) * (1 - t) }
func jointRisk(t float64) float64     { return 0.4 / 3 * (1 - t) * (1 - t) * (1 - t) }

// Over 500 validation sets the guarantees hold as often as they say, through the file and back, and the method that
// guarantees nothing fails about half the time.
func TestGuaranteeHolds(t *testing.T) {
	const draws, risk, delta = 500, 0.08, 0.1
	for _, c := range []struct {
		method      Method
		least, most int // draws that miss the target
	}{
		{SGR, 0, 50 + 4*7}, // delta of 500 and four standard deviations
		{PlainRisk, 150, 350},
	} {
		rng := rand.New(rand.NewPCG(5, 0))
		missed, coverage := 0, 0.0
		for range draws {
			threshold := reloaded(t, rng, Options{Method: c.method, Risk: risk, Delta: delta})
			coverage += 1 - threshold
			if selectiveRisk(threshold) > risk {
				missed++
			}
		}
		if missed < c.least || missed > c.most {
			t.Errorf("%s misses the target in %d of %d draws, want %d to %d", c.method, missed, draws, c.least, c.most)
		}
		if mean := coverage / draws; mean < 0.4 { // the best threshold accepts 0.77
			t.Errorf("%s accepts %.2f on average", c.method, mean)
		}
	}
	// Conformal risk control holds on average.
	rng := rand.New(rand.NewPCG(6, 0))
	sum, squares := 0.0, 0.0
	for range draws {
		r := jointRisk(reloaded(t, rng, Options{Method: ConformalRisk, Risk: risk}))
		sum, squares = sum+r, squares+r*r
	}
	mean := sum / draws
	deviation := math.Sqrt((squares/draws - mean*mean) / draws)
	if mean > risk+3*deviation || mean < 0.9*risk {
		t.Errorf("crc has a mean joint risk of %.5f, want just below %g", mean, risk)
	}
}

// reloaded returns the threshold of a policy from 400 new predictions as it comes back from its file, and 1, which
// accepts nothing, where there is none.
func reloaded(t *testing.T, rng *rand.Rand, o Options) (threshold float64) {
	t.Helper()
	scores, correct := population(rng, 400)
	p, err := New(scores, correct, o)
	var infeasible *InfeasibleError
	if errors.As(err, &infeasible) {
		return 1
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Score.Name = "u"
	var file bytes.Buffer
	if err := p.encode(&file); err != nil {
		t.Fatal(err)
	}
	p, err = Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	accepted, wrong := 0, 0
	for i, s := range scores {
		if p.Accept(s) {
			accepted++
			if !correct[i] {
				wrong++
			}
		}
	}
	if accepted != p.Data.Accepted || wrong != p.Data.Wrong || p.Data.Images != 400 {
		t.Fatalf("%d accepted, %d wrong, the policy says %+v", accepted, wrong, p.Data)
	}
	return p.Threshold
}

func TestNewRefuses(t *testing.T) {
	scores, correct := population(rand.New(rand.NewPCG(1, 0)), 100)
	wrong := make([]bool, 100)
	for want, c := range map[string]struct {
		scores  []float64
		correct []bool
		o       Options
	}{
		"risk 0":           {scores, correct, Options{}},
		"risk NaN":         {scores, correct, Options{Risk: math.NaN()}},
		"delta 1":          {scores, correct, Options{Risk: .1, Delta: 1}},
		"alarm rate -1":    {scores, correct, Options{Risk: .1, AlarmRate: -1}},
		`method "best"`:    {scores, correct, Options{Risk: .1, Method: "best"}},
		"no predictions":   {nil, nil, Options{Risk: .1}},
		"NaN":              {[]float64{math.NaN()}, []bool{true}, Options{Risk: .1}},
		"99":               {scores, correct[:99], Options{Risk: .1}},
		"sgr on 100":       {scores, wrong, Options{Risk: .1}},
		"best bound is 1:": {scores, wrong, Options{Risk: .1, Method: PlainRisk}},
		"bound is 0.0099":  {scores, correct, Options{Risk: .001, Method: ConformalRisk}},
	} {
		p, err := New(c.scores, c.correct, c.o)
		if err == nil || !strings.Contains(err.Error(), want) || p != nil {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	_, err := New(scores, wrong, Options{Risk: .1})
	var infeasible *InfeasibleError
	if !errors.As(err, &infeasible) || infeasible.Images != 100 {
		t.Errorf("error %#v, want an InfeasibleError of 100 images", err)
	}
}

// good returns a policy with ties and infinite scores, and its file.
func good(t testing.TB) (*Policy, []byte) {
	t.Helper()
	scores := []float64{math.Inf(-1), 0, 0, 1, 1, 2, 2, 2, 3, math.Inf(1)}
	p, err := New(scores, []bool{false, false, true, true, true, true, true, true, true, true}, Options{Method: PlainRisk, Risk: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	p.Score = Score{Name: "MSR", Protocol: "sound", Parameters: json.RawMessage(`{"Temperature":2}`)}
	var b bytes.Buffer
	if err := p.encode(&b); err != nil {
		t.Fatal(err)
	}
	return p, b.Bytes()
}

func TestReadRefuses(t *testing.T) {
	p, data := good(t)
	if p.Threshold != 1 || p.Data.Accepted != 7 || p.Data.Wrong != 0 || p.Guarantee.Bound != 0 {
		t.Fatalf("threshold %g, %+v", p.Threshold, p.Data)
	}
	if _, err := Read(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"threshold": 1`, `"threshold": null`, "no threshold"},
		{`"threshold": 1`, `"threshold": 2`, "7 accepted, but the threshold accepts 5"},
		{`"threshold": 1`, `"treshold": 1`, "treshold"},
		{`"version": 1`, `"version": 2`, "version 2"},
		{`ratml policy`, `policy`, "format"},
		{`"MSR"`, `""`, "no name"},
		{`"plain"`, `"plane"`, `"plane"`},
		{`"plain"`, `"sgr"`, "out of range"},
		{`"plain"`, `"crc"`, "bound"},
		{`"target_risk": 0.1`, `"target_risk": 1.1`, "out of range"},
		{`"bound": 0`, `"bound": 0.01`, "bound is 0.01"},
		{`"images": 10`, `"images": 11`, "11 images"},
		{`"accepted_errors": 0`, `"accepted_errors": 3`, "impossible"},
		{`"errors": 2`, `"errors": 4`, "impossible"},
		{`0,0,`, `1,0,`, "ascending"},
		{`0,0,`, `0,null,`, "ascending"},
		{`0,0,`, `0,"x",`, "not a number"},
		{"\n}\n", "\n}\n{}", "follows"},
		{"\n}\n", "", "not a policy"},
	} {
		changed := strings.Replace(string(data), c.old, c.new, 1)
		if changed == string(data) {
			t.Errorf("there is no %s in\n%s", c.old, data)
		}
		if _, err := Read(strings.NewReader(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: error %v, want one with %q", c.new, c.old, err, c.want)
		}
	}
}

func TestSaveRefuses(t *testing.T) {
	p, _ := good(t)
	path := filepath.Join(t.TempDir(), "policy.json")
	p.Threshold = 0.5 // accepts the same images
	if err := p.Save(path); err != nil {
		t.Fatal(err)
	}
	if q, err := Load(path); err != nil || q.Threshold != 0.5 || q.Score.Name != "MSR" || len(q.Scores) != 10 {
		t.Errorf("the file reads back as %+v, %v", q, err)
	}
	before, _ := os.ReadFile(path)
	p.Threshold = 3
	if err := p.Save(path); err == nil {
		t.Error("a policy that contradicts itself was written")
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file before was not left alone")
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.json")); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	_, data := good(f)
	f.Add(data)
	f.Add([]byte(`{"format":"ratml policy","version":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := p.encode(&b); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&b)
		if err != nil {
			t.Fatalf("what was read is not read again once written: %v", err)
		}
		if again.Threshold != p.Threshold || len(again.Scores) != len(p.Scores) || again.Data != p.Data || again.Guarantee != p.Guarantee {
			t.Fatalf("%+v became %+v", p, again)
		}
	})
}

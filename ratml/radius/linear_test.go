package radius

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// linearOracle is a classifier with logits W x + b and what numpy computed for it (metric_oracles.json).
type linearOracle struct {
	W     [][]float64
	B     []float64
	Cases []struct {
		X              []float64
		Logits         []float64
		Pred           int
		Exact          float64 `json:"exact_linf_radius_no_box"`
		Top2           float64 `json:"rr_first_order_top2"`
		Fast1          float64 `json:"rr_fast_T1"`
		Fast02         float64 `json:"rr_fast_T0_2"`
		FastOfficial02 float64 `json:"rr_fast_T0_2_official_mixed_temp"`
		FastOfficialK  float64 `json:"rr_fast_T1000_official"`
		Search02       float64 `json:"rr_bs_fgsm_T0.2"`
		Width02        float64 `json:"rr_bs_fgsm_T0.2_interval"`
		Search1        float64 `json:"rr_bs_fgsm_T1"`
		Width1         float64 `json:"rr_bs_fgsm_T1_interval"`
		SearchK        float64 `json:"rr_bs_fgsm_T1000"`
		WidthK         float64 `json:"rr_bs_fgsm_T1000_interval"`
	}
}

func loadLinear(t *testing.T) (o linearOracle) {
	t.Helper()
	data, err := os.ReadFile("../misd/testdata/metric_oracles.json")
	if err != nil {
		t.Fatal(err)
	}
	all := struct {
		Linear *linearOracle `json:"robust_radius_linear"`
	}{&o}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if len(o.Cases) != 3 || len(o.W) != 3 {
		t.Fatalf("oracle has %d cases of %d classes, want 3 of 3", len(o.Cases), len(o.W))
	}
	return o
}

func TestLinearOracle(t *testing.T) {
	o := loadLinear(t)
	var images []float32
	for _, c := range o.Cases {
		for _, v := range c.X {
			images = append(images, float32(v))
		}
	}
	column := func(f func(i int) float64) []float64 {
		return []float64{f(0), f(1), f(2)}
	}
	// The step of 1e-3 is a small difference of float32 logits, so RR-Fast has fewer digits than the closed forms.
	tests := []struct {
		name string
		e    direct
		want func(i int) float64
		rel  float64
	}{
		{"RR_exp", Margin{}, func(i int) float64 { return o.Cases[i].Exact }, 1e-6},
		{"RR_exp, official", Margin{Protocol: Official}, func(i int) float64 { return o.Cases[i].Top2 }, 1e-6},
		{"RR_fast", Fast{}, func(i int) float64 { return o.Cases[i].Fast1 }, 2e-4},
		{"RR_fast, official", Fast{Protocol: Official}, func(i int) float64 { return o.Cases[i].Fast1 }, 2e-4},
		{"RR_fast at T=0.2", Fast{Temperature: 0.2}, func(i int) float64 { return o.Cases[i].Fast02 }, 2e-4},
		{"RR_fast at T=0.2, official", Fast{Protocol: Official, Temperature: 0.2}, func(i int) float64 { return o.Cases[i].FastOfficial02 }, 1e-6},
		{"RR_fast at T=1000, official", Fast{Protocol: Official, Temperature: 1000}, func(i int) float64 { return o.Cases[i].FastOfficialK }, 0},
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := linear(t, be, o.W, o.B)
		var bs []builder
		for _, test := range tests {
			bs = append(bs, test.e)
		}
		logits, built := probe(t, c, images, bs...)
		for i, c := range o.Cases {
			if z := logits[3*i : 3*i+3]; argmax(z) != c.Pred || math.Abs(float64(z[2])-c.Logits[2]) > 1e-6 {
				t.Errorf("case %d: logits %v, want %v", i, z, c.Logits)
			}
		}
		for k, test := range tests {
			got, want := test.e.Values(logits, 3, built[k]), column(test.want)
			if share, worst := apart(got, want, test.rel); share > 0 {
				t.Errorf("%s: %v, want %v; off by %.2g", test.name, got, want, worst)
			}
		}
		results := search(t, c, images, 4, BoundarySearch{Protocol: Official}, BoundarySearch{Protocol: Official, Temperature: 0.2},
			BoundarySearch{Protocol: Official, Temperature: 1000}, BoundarySearch{}, BoundarySearch{Temperature: 0.2})
		for i, c := range o.Cases {
			for k, want := range [][2]float64{{c.Search1, c.Width1}, {c.Search02, c.Width02}, {c.SearchK, c.WidthK}} {
				r := results[k][i]
				if math.Abs(r.Radius/want[0]-1) > 1e-6 || math.Abs((r.Upper-r.Lower)/want[1]-1) > 1e-3 {
					t.Errorf("case %d: official search %d gives %+v, want radius %g and width %g", i, k, r, want[0], want[1])
				}
			}
			// On a linear net RR-Fast is exact along its direction, which RR-BS follows too, unless the image is clipped.
			for k, want := range []float64{c.Fast1, c.Fast02} {
				r, exact := results[3+k][i], alongDirection(o, i, []float64{1, 0.2}[k])
				if r.Radius < c.Exact*(1-1e-3) || math.Abs(r.Radius/exact-1) > 1e-3 || exact < want*(1-1e-3) {
					t.Errorf("case %d: search gives %+v; exact along the direction %g, RR-Fast %g, exact in any direction %g",
						i, r, exact, want, c.Exact)
				}
			}
		}
		checkBrackets(t, c, images, results[3], 1e-3)
	})
}

// alongDirection returns, in float64 and by small steps, where the prediction of a case flips along the sign of the
// cross-entropy's gradient, clipped to [0,1].
func alongDirection(o linearOracle, i int, temperature float64) float64 {
	c := o.Cases[i]
	p := make([]float64, 3)
	for j, z := range c.Logits {
		p[j] = math.Exp(z / temperature)
	}
	direction := make([]float64, len(c.X))
	for k := range direction {
		g := -(p[0] + p[1] + p[2]) * o.W[c.Pred][k]
		for j := range p {
			g += p[j] * o.W[j][k]
		}
		direction[k] = math.Copysign(1, g)
	}
	for t := 0.0; t < 1; t += 1e-5 {
		best, pred := math.Inf(-1), 0
		for j, row := range o.W {
			z := o.B[j]
			for k, w := range row {
				z += w * math.Max(0, math.Min(1, c.X[k]+t*direction[k]))
			}
			if z > best {
				best, pred = z, j
			}
		}
		if pred != c.Pred {
			return t
		}
	}
	return 1
}

// scaled returns W and b times k.
func scaled(W [][]float64, b []float64, k float64) ([][]float64, []float64) {
	var sW [][]float64
	var sb []float64
	for i, row := range W {
		sW = append(sW, nil)
		for _, v := range row {
			sW[i] = append(sW[i], k*v)
		}
		sb = append(sb, k*b[i])
	}
	return sW, sb
}

// Logits k times as large at k times the temperature are the same classifier: nothing changes. The official RR-Fast
// changes, as it divides only some of the logits by the temperature.
func TestScaledLogits(t *testing.T) {
	o := loadLinear(t)
	images := uniform(1, 4*32)
	const k = 8 // a power of two, so that float32 rounds alike
	sW, sb := scaled(o.W, o.B, k)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		plain, large := linear(t, be, o.W, o.B), linear(t, be, sW, sb)
		official := Fast{Protocol: Official, Temperature: k}
		got := values(t, large, images, Fast{Temperature: k}, Margin{}, SoftMargin{Temperature: k}, official)
		want := values(t, plain, images, Fast{}, Margin{}, SoftMargin{}, Fast{Protocol: Official})
		for i, name := range []string{"RR_fast", "RR_exp", "RR_soft"} {
			if share, worst := apart(got[i], want[i], 1e-4); share > 0 {
				t.Errorf("%s: %v, want %v; off by %.2g", name, got[i], want[i], worst)
			}
		}
		if share, _ := apart(got[3], want[3], 1e-4); share < 0.5 {
			t.Errorf("the official RR-Fast changes for %.2f of the images only; it should for most", share)
		}
		found := search(t, large, images, 32, BoundarySearch{Temperature: k})[0]
		for i, r := range search(t, plain, images, 32, BoundarySearch{})[0] {
			if found[i].Evaluations != r.Evaluations || math.Abs(found[i].Radius-r.Radius) > 1e-6 {
				t.Errorf("RR_fgsm of image %d: %+v, want %+v", i, found[i], r)
			}
		}
	})
}

// Where the softmax saturates in float32, the gradient of the cross-entropy is null, and the official radii are those of
// a prediction that never flips. The soft margin's is not.
func TestSaturatedSoftmax(t *testing.T) {
	W, b := [][]float64{{400, 0}, {0, 0}, {0, 40}}, []float64{0, 40, -20}
	image := []float32{0.6, 0.5} // logits 240, 40, 0; the second class is level at 0.1, half a unit away
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := linear(t, be, W, b)
		es := []direct{Fast{}, Margin{}, SoftMargin{}, Fast{Temperature: 0.2}, Fast{Protocol: Official}, Margin{Protocol: Official}}
		want := []float64{0.5, 0.5, 0.5, 0.5, 1, 0.5}
		for i, got := range values(t, c, image, es...) {
			if math.Abs(got[0]-want[i]) > 1e-4 {
				t.Errorf("%#v: radius %g, want %g", es[i], got[0], want[i])
			}
		}
		for _, b := range []BoundarySearch{{}, {Temperature: 0.2}} {
			_, built := probe(t, c, image, b)
			if d := built[0][0]; d[0] != -1 {
				t.Errorf("%+v: direction %v, want -1 first", b, d)
			}
		}
		results := search(t, c, image, 1, BoundarySearch{}, BoundarySearch{Protocol: Official})
		if r := results[0][0]; r.Unflipped || math.Abs(r.Radius-0.5) > 5e-4 {
			t.Errorf("sound search gives %+v, want radius 0.5", r)
		}
		if r := results[1][0]; !r.Unflipped || math.Abs(r.Radius-16.777216) > 1e-5 {
			t.Errorf("official search gives %+v, want radius 16.777216, unflipped", r)
		}
	})
}

// Predictions that never flip have the largest radius there is, 1 in the sound protocol, after a bounded search.
func TestNeverFlipped(t *testing.T) {
	tests := map[string]struct {
		W [][]float64
		b []float64
	}{
		"constant":  {[][]float64{{0, 0}, {0, 0}, {0, 0}}, []float64{3, 0, 0}},
		"far":       {[][]float64{{1, 1}, {0, 0}, {0, 0}}, []float64{4, 0, 0}},
		"very far":  {[][]float64{{1e-6, 0}, {0, 0}, {0, 0}}, []float64{3, 0, 0}},
		"one class": {[][]float64{{1, 1}}, []float64{0}},
	}
	image := []float32{0.25, 0.75}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for name, test := range tests {
			c := linear(t, be, test.W, test.b)
			es := []direct{Fast{}, Fast{Protocol: Official}, Margin{}, SoftMargin{}}
			for i, r := range values(t, c, image, es...) {
				if r[0] != 1 {
					t.Errorf("%s: %#v gives radius %v, want 1", name, es[i], r)
				}
			}
			results := search(t, c, image, 2, BoundarySearch{}, BoundarySearch{Protocol: Official})
			if r := results[0][0]; !r.Unflipped || r.Radius != 1 || r.Lower != 1 || r.Upper != 1 || r.Evaluations > 4 {
				t.Errorf("%s: sound search gives %+v, want unflipped at 1 in at most 4 evaluations", name, r)
			}
			if r := results[1][0]; !r.Unflipped || r.Radius < 16 || r.Evaluations != 24 {
				t.Errorf("%s: official search gives %+v, want unflipped above 16 in 24 evaluations", name, r)
			}
		}
	})
}

// Level logits are on the boundary: radius 0. The official RR-Fast takes such a class for one that is never reached.
func TestLevelLogits(t *testing.T) {
	W, b := [][]float64{{1, 0}, {0, 1}, {0, 0}}, []float64{0, 0, -1}
	image := []float32{0.5, 0.5}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := linear(t, be, W, b)
		es := []direct{Fast{}, Margin{}, Margin{Protocol: Official}, Fast{Protocol: Official}}
		want := []float64{0, 0, 0, 1}
		for i, r := range values(t, c, image, es...) {
			if r[0] != want[i] {
				t.Errorf("%#v gives radius %v, want %v", es[i], r[0], want[i])
			}
		}
		if r := search(t, c, image, 1, BoundarySearch{})[0][0]; r.Radius > 1e-6 || r.Unflipped {
			t.Errorf("search gives %+v, want radius 0", r)
		}
	})
}

package radius

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
)

// Attacks of torchattacks and foolbox on the golden network (testdata/peers.py): ours find all images that theirs find,
// at distances that are no larger in the median, and PGD fools as many at each distance.
func TestPeers(t *testing.T) {
	data, err := os.ReadFile("testdata/peers.json")
	if err != nil {
		t.Fatal(err)
	}
	var peers map[string]json.RawMessage
	if err := json.Unmarshal(data, &peers); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		peer string
		s    searcher
	}{
		{"torchattacks DeepFool L2", DeepFool{Norm: L2}},
		{"torchattacks DeepFool Linf", DeepFool{}},
		{"torchattacks FAB Linf", FAB{}},
		{"torchattacks FAB L2", FAB{Norm: L2}},
		{"foolbox FMN Linf", FMN{}},
	}
	images, _ := golden.TestBatch(t)
	const most = 8 // images
	c := goldenNet(t, backendtest.XLA(t))
	var fooled map[string]int
	if err := json.Unmarshal(peers["torchattacks PGD Linf, images fooled by eps"], &fooled); err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		var theirs []*float64
		if err := json.Unmarshal(peers[test.peer], &theirs); err != nil {
			t.Fatalf("%s: %v", test.peer, err)
		}
		theirs = theirs[:most]
		n := len(theirs)
		results := attack(t, c, images[:n*goldenSize], n, test.s)[0]
		var ratios []float64
		for i, d := range theirs {
			switch {
			case d == nil:
			case results[i].Unflipped:
				t.Errorf("%s: image %d not found, by %s at %g", test.s.Name(), i, test.peer, *d)
			default:
				ratios = append(ratios, results[i].Radius / *d)
			}
		}
		slices.Sort(ratios)
		m := len(ratios)
		if m == 0 {
			t.Fatalf("%s finds nothing", test.peer)
		}
		t.Logf("%s: %d of %d found; our radius over theirs: least %.4f, median %.4f, largest %.4f", test.peer, m, n, ratios[0], ratios[m/2], ratios[m-1])
		if ratios[m/2] > 1.005 {
			t.Errorf("%s: our median radius is %.3f times that of %s", test.s.Name(), ratios[m/2], test.peer)
		}
	}
	results := attack(t, c, images[:32*goldenSize], 32, AttackSearch{Attack: PGD()})[0]
	for eps, want := range fooled {
		e, err := strconv.ParseFloat(eps, 64)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, r := range results {
			if r.Upper <= e {
				got++
			}
		}
		t.Logf("PGD within %g: %d of 32 images, torchattacks %d", e, got, want)
		if got < want-1 || got > want+1 {
			t.Errorf("PGD within %g fools %d of 32 images, that of torchattacks %d", e, got, want)
		}
	}
}

package confidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Cascade lets a cheap score settle the clear images and searches the radius of those whose cheap score lies in a band,
// which is fitted on validation data. The two scales become one order: an image outside the band gets the rank of its
// cheap score among the validation images; inside, the rank of its radius among those of the band, squeezed between the
// ranks of the band's ends.
type Cascade struct {
	Cheap  Direct   // to fit beforehand; nil is [LogitDiff]
	Radius Searcher // nil is [radius.BoundarySearch]
	// Budget is what an image may cost at most in the mean over validation images, as a share of the radius's cost;
	// 0 is 1/3.
	Budget float64

	// The rest is learned.

	Band                   [2]float64 // of the cheap score, both ends included
	cheapRanks, inBandRank ranks
}

// cascadeJSON is a [Cascade] in a file.
type cascadeJSON struct {
	Cheap, Radius    record
	Budget           float64
	Band             [2]float64
	Ranks, BandRanks ranks
}

// MarshalJSON writes both scores with their parameters and all that was learned.
func (s *Cascade) MarshalJSON() ([]byte, error) {
	cheap, err := encode(s.cheap())
	if err != nil {
		return nil, err
	}
	search, err := encode(s.Search())
	if err != nil {
		return nil, err
	}
	return json.Marshal(cascadeJSON{cheap, search, s.Budget, s.Band, s.cheapRanks, s.inBandRank})
}

// UnmarshalJSON reads what MarshalJSON wrote. A score of a type unknown to [ByName] is taken from s.
func (s *Cascade) UnmarshalJSON(data []byte) error {
	var j cascadeJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	t := Cascade{Budget: j.Budget, Band: j.Band, cheapRanks: j.Ranks, inBandRank: j.BandRanks}
	cheap, err := j.Cheap.decode(s.Needs())
	if err != nil {
		return err
	}
	search, err := j.Radius.decode(s.Needs())
	if err != nil {
		return err
	}
	var ok [2]bool
	t.Cheap, ok[0] = cheap.(Direct)
	t.Radius, ok[1] = search.(Searcher)
	if ok != [2]bool{true, true} {
		return fmt.Errorf("%s and %s do not make a cascade", cheap.Name(), search.Name())
	}
	for _, r := range []ranks{t.cheapRanks, t.inBandRank} {
		if err := r.valid(); err != nil {
			return err
		}
	}
	*s = t
	return nil
}

// Name returns "Cascade".
func (*Cascade) Name() string { return "Cascade" }

// String returns the name with the band.
func (s *Cascade) String() string {
	if s.cheapRanks.Knots == nil {
		return "Cascade, not fitted"
	}
	return fmt.Sprintf("Cascade: %s where %s is in [%.4g, %.4g]", s.Search().Name(), s.cheap().Name(), s.Band[0], s.Band[1])
}

func (s *Cascade) cheap() Direct {
	if s.Cheap == nil {
		return LogitDiff{}
	}
	return s.Cheap
}

// Cost returns the cost of the cheap score; a run adds that of the images searched.
func (s *Cascade) Cost() float64 { return s.cheap().Cost() }

// Build adds what the cheap score needs.
func (s *Cascade) Build(p *radius.Probe) []*graph.Node { return s.cheap().Build(p) }

// Search returns the search.
func (s *Cascade) Search() Searcher {
	if s.Radius == nil {
		return radius.BoundarySearch{}
	}
	return s.Radius
}

// Needs returns the two scores.
func (s *Cascade) Needs() []Function { return []Function{s.cheap(), s.Search()} }

// Settle returns the rank of the cheap score and whether it lies in the band.
func (s *Cascade) Settle(logits []float32, classes int, built [][]float32) (values []float64, open []bool) {
	values = s.cheap().Values(logits, classes, built)
	open = make([]bool, len(values))
	for i, v := range values {
		open[i] = v >= s.Band[0] && v <= s.Band[1]
		values[i] = s.settled(v)
	}
	return values, open
}

// settled returns the score of an image outside the band. Its rank stays outside the band's even where ranks are too
// coarse to tell.
func (s *Cascade) settled(cheap float64) float64 {
	r := s.cheapRanks.at(cheap)
	lo, hi := s.ends()
	if cheap > s.Band[1] {
		return math.Max(r, math.Nextafter(hi, 2))
	}
	return math.Min(r, math.Nextafter(lo, -2))
}

// ends returns the ranks of the ends of the band.
func (s *Cascade) ends() (lo, hi float64) {
	return s.cheapRanks.at(s.Band[0]), s.cheapRanks.at(s.Band[1])
}

// Place returns the score of an image in the band from its radius.
func (s *Cascade) Place(r radius.Result) float64 { return s.place(r.Radius) }

func (s *Cascade) place(r float64) float64 {
	lo, hi := s.ends()
	const margin = 1.0 / mostKnots // ranks may leave [0,1] by so much
	share := (s.inBandRank.at(r) + margin) / (1 + 2*margin)
	return math.Max(lo, math.Min(hi, lo+(hi-lo)*share))
}

func (s *Cascade) check(c *nets.Classifier) error {
	if s.cheapRanks.Knots == nil {
		return errors.New("Cascade has no band yet; fit it first")
	}
	if part, ok := s.cheap().(checker); ok {
		return part.check(c)
	}
	return nil
}

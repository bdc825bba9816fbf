package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"github.com/ratml/rat/ratml/misd"
)

// What a policy file says of itself.
const (
	format  = "ratml policy"
	version = 1
)

// Files larger than this are no policies: it is some ten million scores.
const maxSize = 1 << 28

// file is the format of policy.json.
type file struct {
	Format     string       `json:"format"`
	Version    int          `json:"version"`
	Score      Score        `json:"score"`
	Threshold  *misd.Float  `json:"threshold"`
	Statement  string       `json:"statement"` // for people; what counts is in guarantee
	Guarantee  Guarantee    `json:"guarantee"`
	Classifier Classifier   `json:"classifier"`
	Data       Data         `json:"data"`
	AlarmRate  float64      `json:"drift_alarm_rate"`
	Scores     []misd.Float `json:"validation_scores"` // ascending
}

// Save writes the policy as JSON. A file that is there is replaced in one step. It returns an error, and writes
// nothing, where the policy contradicts itself.
func (p *Policy) Save(path string) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("policy: writing %s: %w", path, err)
	}
	if err := atomicfile.Write(path, p.encode); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}

func (p *Policy) encode(w io.Writer) error {
	threshold := misd.Float(p.Threshold)
	scores := make([]misd.Float, len(p.Scores))
	for i, v := range p.Scores {
		scores[i] = misd.Float(v)
	}
	head, err := json.MarshalIndent(file{
		Format: format, Version: version, Score: p.Score, Threshold: &threshold, Statement: p.Guarantee.String(),
		Guarantee: p.Guarantee, Classifier: p.Classifier, Data: p.Data, AlarmRate: p.AlarmRate, Scores: []misd.Float{},
	}, "", " ")
	if err != nil {
		return err
	}
	list, err := json.Marshal(scores) // in one line: thousands of numbers are not for reading
	if err != nil {
		return err
	}
	head = append(bytes.TrimSuffix(head, []byte("[]\n}")), list...)
	_, err = w.Write(append(head, "\n}\n"...))
	return err
}

// Load reads a policy that [Policy.Save] wrote. It is strict: fields that are unknown, missing or out of range, and
// numbers that contradict each other, are errors that name the file and the field.
func Load(path string) (*Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	defer f.Close()
	p, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("policy: reading %s: %w", path, err)
	}
	return p, nil
}

// Read reads a policy as [Load] does.
func Read(r io.Reader) (*Policy, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("more than %d bytes are not a policy", maxSize)
	}
	var in file
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("not a policy: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a policy: something follows the JSON object")
	}
	if in.Format != format || in.Version != version {
		return nil, fmt.Errorf("format %.40q version %d, want %q version %d", in.Format, in.Version, format, version)
	}
	if in.Threshold == nil {
		return nil, errors.New("there is no threshold")
	}
	p := &Policy{
		Score: in.Score, Classifier: in.Classifier, Data: in.Data, Guarantee: in.Guarantee,
		Threshold: float64(*in.Threshold), AlarmRate: in.AlarmRate, Scores: make([]float64, len(in.Scores)),
	}
	for i, v := range in.Scores {
		p.Scores[i] = float64(v)
	}
	return p, p.check()
}

// check tells where a policy contradicts itself.
func (p *Policy) check() error {
	g, d := p.Guarantee, p.Data
	if err := g.Method.check(); err != nil {
		return fmt.Errorf("guarantee: %w", err)
	}
	if p.Score.Name == "" {
		return errors.New("score: there is no name")
	}
	if len(p.Score.Parameters) > 0 && !json.Valid(p.Score.Parameters) {
		return errors.New("score: the parameters are not JSON")
	}
	if !inside(g.Target) || !inside(p.AlarmRate) || g.Method == SGR && !inside(g.Delta) || g.Method != SGR && g.Delta != 0 {
		return fmt.Errorf("target_risk %g, delta %g or drift_alarm_rate %g is out of range", g.Target, g.Delta, p.AlarmRate)
	}
	if d.Images != len(p.Scores) || d.Images < 1 {
		return fmt.Errorf("data: %d images, but %d validation_scores", d.Images, len(p.Scores))
	}
	for i, v := range p.Scores {
		if math.IsNaN(v) || i > 0 && v < p.Scores[i-1] {
			return fmt.Errorf("validation_scores: number %d is %g, want ascending numbers", i, v)
		}
	}
	if math.IsNaN(p.Threshold) {
		return errors.New("threshold: there is none")
	}
	accepted := d.Images - sort.SearchFloat64s(p.Scores, p.Threshold)
	if accepted != d.Accepted || d.Accepted < 1 {
		return fmt.Errorf("data: %d accepted, but the threshold accepts %d of the validation_scores", d.Accepted, accepted)
	}
	if d.Wrong < 0 || d.Wrong > d.Accepted || d.Errors < d.Wrong || d.Errors-d.Wrong > d.Images-d.Accepted {
		return fmt.Errorf("data: %d errors, %d of them accepted: impossible with %d of %d images accepted", d.Errors, d.Wrong, d.Accepted, d.Images)
	}
	return g.check(d)
}

// check tells whether the bound is what the numbers give.
func (g Guarantee) check(d Data) error {
	want, err := g.bound(d.Images, d.Accepted, d.Wrong)
	if err != nil {
		return err
	}
	if !(math.Abs(g.Bound-want) <= 1e-9) {
		return fmt.Errorf("guarantee: the bound is %g, but %d errors among %d accepted of %d images give %g", g.Bound, d.Wrong, d.Accepted, d.Images, want)
	}
	if g.Bound > g.Target+1e-12 {
		return fmt.Errorf("guarantee: the bound %g is above the target %g", g.Bound, g.Target)
	}
	return nil
}

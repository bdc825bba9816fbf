// Package parts keeps a scoring run in parts, so that it can be interrupted, resumed, and spread over machines.
//
// The images of a run are scored in chunks of a fixed size, each by itself. A finished chunk is a part: a file of scores
// and a small file that says what run it belongs to, both written in one step. Whether the parts come from one process,
// from several that follow one another, or from several machines, joining them gives the same run to the bit.
package parts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// formatVersion changes whenever parts of before can no longer be joined with those of after.
const formatVersion = 1

// Manifest says what run a part belongs to: everything that its bytes depend on.
type Manifest struct {
	Format     int     `json:"format"`
	Arch       string  `json:"arch"`
	Model      string  `json:"model,omitempty"` // in titles; empty is Arch
	Weights    string  `json:"weights_sha256"`
	Dataset    string  `json:"dataset"`
	Data       string  `json:"data_sha256"`
	Protocol   string  `json:"protocol"`
	Backend    string  `json:"backend"`
	Seed       uint64  `json:"seed"`
	Splits     int     `json:"n_exps"`            // times that all is done, on new validation and test images
	Validation int     `json:"validation_images"` // of each split
	Images     int     `json:"images"`            // scored in each split
	BatchSize  int     `json:"batch_size"`
	ChunkSize  int     `json:"chunk_size"`
	Resamples  int     `json:"resamples"`
	Least      float64 `json:"prob_thres,omitempty"` // images of lower maximum probability are not judged
	Shifted    string  `json:"ood_dataset,omitempty"`
	ShiftData  string  `json:"ood_data_sha256,omitempty"`
	ShiftCount int     `json:"ood_images,omitempty"` // scored after the images of each split
	Scores     []Score `json:"scores"`               // as asked for
}

// Score is a confidence score with its parameters.
type Score struct {
	Name     string          `json:"name"`
	Function json.RawMessage `json:"function"`
	Fit      *Fit            `json:"fit,omitempty"` // how the parameters were found; nil where they were given
}

// Fit says how parameters were fitted.
type Fit struct {
	Objective  string     `json:"objective"`
	Value      misd.Float `json:"value"` // of the objective
	Candidates int        `json:"candidates"`
	Data       string     `json:"data"`
	Images     int        `json:"images"`
}

// Differences lists the fields in which two manifests differ, with both values, m's first.
func (m Manifest) Differences(o Manifest) []string {
	a, b := m.fields(), o.fields()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if !bytes.Equal(a[name], b[name]) {
			out = append(out, fmt.Sprintf("%s %s instead of %s", name, short(a[name]), short(b[name])))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[name]; !ok {
			out = append(out, fmt.Sprintf("no %s instead of %s", name, short(b[name])))
		}
	}
	return out
}

// Title returns the name of the classifier in titles.
func (m Manifest) Title() string {
	if m.Model != "" {
		return m.Model
	}
	return m.Arch
}

func (m Manifest) fields() map[string]json.RawMessage {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(m.encode(), &fields); err != nil {
		panic(err) // it was encoded just now
	}
	return fields
}

func (m Manifest) encode() []byte {
	m.Format = formatVersion
	data, err := json.Marshal(m)
	if err != nil {
		panic(err) // the parameters of a score are no JSON, which only a mistake here can bring about
	}
	return data
}

// short keeps a line readable: hashes and lists of scores are long.
func short(v json.RawMessage) string {
	s := strings.Trim(string(v), `"`)
	if len(s) > 80 {
		return s[:77] + "..."
	}
	if len(s) == 64 {
		return s[:12]
	}
	return s
}

// Sum returns a hash of the manifest.
func (m Manifest) Sum() string {
	sum := sha256.Sum256(m.encode())
	return hex.EncodeToString(sum[:])
}

// Chunk is a range of the images of one split, scored by itself.
type Chunk struct {
	Split    int  // from 0
	Shifted  bool // of the shifted data set
	From, To int  // images From to To-1
}

// String names the images, as in "images 0 to 1023 of split 1".
func (c Chunk) String() string {
	set := ""
	if c.Shifted {
		set = " of the ood data set"
	}
	return fmt.Sprintf("images %d to %d of split %d%s", c.From, c.To-1, c.Split+1, set)
}

// Chunks returns all chunks of the run, in order.
func (m Manifest) Chunks() []Chunk {
	var out []Chunk
	for split := range m.Splits {
		for from := 0; from < m.Images; from += m.ChunkSize {
			out = append(out, Chunk{split, false, from, min(from+m.ChunkSize, m.Images)})
		}
		for from := 0; from < m.ShiftCount; from += m.ChunkSize {
			out = append(out, Chunk{split, true, from, min(from+m.ChunkSize, m.ShiftCount)})
		}
	}
	return out
}

// Shard is a share of the chunks: number Index, from 0, of Count. The zero value is everything.
type Shard struct{ Index, Count int }

// UnmarshalText reads "i/n".
func (s *Shard) UnmarshalText(text []byte) error {
	var in Shard
	if _, err := fmt.Sscanf(string(text), "%d/%d", &in.Index, &in.Count); err != nil || in.String() != string(text) {
		return fmt.Errorf("shard %q: want i/n, such as 0/4", text)
	}
	if in.Count < 1 || in.Index < 0 || in.Index >= in.Count {
		return fmt.Errorf("shard %s: the shards of %d are 0/%d to %d/%[2]d", in, in.Count, in.Count, in.Count-1)
	}
	*s = in
	return nil
}

// String returns "i/n".
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// Whole tells whether the shard is everything.
func (s Shard) Whole() bool { return s.Count == 0 }

// Of returns the chunks of the shard: neighbours, so that few shards touch the same split.
func (s Shard) Of(chunks []Chunk) []Chunk {
	if s.Whole() {
		return chunks
	}
	return chunks[s.Index*len(chunks)/s.Count : (s.Index+1)*len(chunks)/s.Count]
}

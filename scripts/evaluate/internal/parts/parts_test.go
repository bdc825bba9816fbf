package parts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/misd"
)

// manifest is a run of 2 splits of 10 images in chunks of 4.
func manifest() Manifest {
	return Manifest{Arch: "net", Weights: strings.Repeat("a", 64), Dataset: "data", Splits: 2, Images: 10, ChunkSize: 4,
		Scores: []Score{{Name: "MSR", Function: json.RawMessage(`{"score":"MSR"}`)}, {Name: "RR", Function: json.RawMessage(`{}`)}}}
}

// part returns scores that tell which image they are of.
func part(c Chunk) Part {
	n := c.To - c.From
	run := &misd.Run{Classes: 2, Label: make([]int, n), Pred: make([]int, n), Logits: make([]float32, 2*n)}
	a, b := misd.Score{Name: "MSR", Cost: 1}, misd.Score{Name: "RR", Cost: 3 + float64(c.From)}
	for i := range n {
		number := 100*c.Split + c.From + i
		run.Label[i], run.Logits[2*i] = number%2, float32(number)
		a.Values = append(a.Values, float64(number))
		b.Values, b.Lower, b.Upper = append(b.Values, .5), append(b.Lower, .4), append(b.Upper, .6)
		b.Unflipped, b.Evaluations = append(b.Unflipped, i == 0), append(b.Evaluations, number)
	}
	run.Scores = []misd.Score{a, b}
	fitted := manifest().Scores
	fitted[0].Fit = &Fit{Objective: "aurc", Value: 0.25, Candidates: 15, Data: "data", Images: 5}
	return Part{c, fitted, run}
}

// filled returns a store with some of the chunks.
func filled(t *testing.T, m Manifest, chunks []Chunk) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		if err := s.Write(part(c)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestJoin(t *testing.T) {
	m := manifest()
	chunks := m.Chunks()
	if len(chunks) != 6 || chunks[2] != (Chunk{0, false, 8, 10}) || chunks[3] != (Chunk{1, false, 0, 4}) {
		t.Fatalf("chunks are %v", chunks)
	}
	whole, err := Join(filled(t, m, chunks))
	if err != nil {
		t.Fatal(err)
	}
	split, err := Join(filled(t, m, chunks[4:]), filled(t, m, chunks[:1]), filled(t, m, chunks[1:4]))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(whole, split) {
		t.Error("parts in several folders join to something else")
	}
	run := whole[1].Run
	for i, v := range run.Scores[0].Values {
		if v != float64(100+i) || run.Logits[2*i] != float32(v) || run.Scores[1].Evaluations[i] != 100+i {
			t.Fatalf("image %d has score %v", i, v)
		}
	}
	// The mean cost over images is (4*3 + 4*7 + 2*11) / 10.
	if run.Len() != 10 || run.Scores[0].Cost != 1 || math.Abs(run.Scores[1].Cost-6.2) > 1e-12 || run.Model != "net" || run.Dataset != "data" {
		t.Errorf("%d images, costs %v and %v", run.Len(), run.Scores[0].Cost, run.Scores[1].Cost)
	}
	if f := whole[0].Fitted[0].Fit; f == nil || f.Candidates != 15 {
		t.Errorf("the fit is %+v", f)
	}
}

func TestJoinRefuses(t *testing.T) {
	m := manifest()
	chunks := m.Chunks()
	other := manifest()
	other.Weights = strings.Repeat("b", 64)
	fits := filled(t, m, chunks[:2])
	p := part(chunks[2])
	p.Fitted = manifest().Scores
	if err := fits.Write(p); err != nil {
		t.Fatal(err)
	}
	first := filled(t, m, chunks[:3])
	for want, stores := range map[string][]*Store{
		"no folders":                           {},
		"images 0 to 9 of split 2 are in none": {first},
		"images 4 to 9 of split 1, images 0 to 9 of split 2 are in none": {filled(t, m, chunks[:1])},
		"images 0 to 3 of split 1 are in":                                {first, filled(t, m, chunks[:1])},
		"listed twice":                                                   {first, first},
		"weights_sha256 bbbbbbbbbbbb instead of aaaaaaaaaaaa":            {first, filled(t, other, chunks[3:])},
		"other fitted parameters":                                        {fits, filled(t, m, chunks[3:])},
	} {
		if _, err := Join(stores...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// The images of a shifted data set are joined apart from the others.
func TestJoinShifted(t *testing.T) {
	m := manifest()
	m.Shifted, m.ShiftCount = "other", 6
	chunks := m.Chunks()
	if len(chunks) != 10 || chunks[4] != (Chunk{0, true, 4, 6}) {
		t.Fatalf("chunks are %v", chunks)
	}
	splits, err := Join(filled(t, m, chunks))
	if err != nil {
		t.Fatal(err)
	}
	if s := splits[1]; s.Run.Len() != 10 || s.Shifted.Len() != 6 || s.Shifted.Dataset != "other" || s.Shifted.Scores[0].Values[5] != 105 {
		t.Errorf("%d and %d images", s.Run.Len(), s.Shifted.Len())
	}
	if _, err := Join(filled(t, m, chunks[:9])); err == nil || !strings.Contains(err.Error(), "images 4 to 5 of split 2 of the ood data set are in none") {
		t.Errorf("a chunk is missing: %v", err)
	}
}

func TestDamage(t *testing.T) {
	m := manifest()
	c := m.Chunks()[1]
	for want, damage := range map[string]func(dir string) error{
		"file does not exist": func(dir string) error { return os.Remove(filepath.Join(dir, "split1_4.json")) },
		"no such file":        func(dir string) error { return os.Remove(filepath.Join(dir, "split1_4.npz")) },
		"is damaged":          func(dir string) error { return os.WriteFile(filepath.Join(dir, "split1_4.npz"), []byte("x"), 0o666) },
		"reading":             func(dir string) error { return os.WriteFile(filepath.Join(dir, "split1_4.json"), []byte("{"), 0o666) },
		"images 0 to 3 of split 1, its": func(dir string) error {
			for _, ext := range []string{".json", ".npz"} {
				data, err := os.ReadFile(filepath.Join(dir, "split1_0"+ext))
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(dir, "split1_4"+ext), data, 0o666); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		s := filled(t, m, m.Chunks())
		if !s.Has(c) {
			t.Fatal("the part is not there")
		}
		if err := damage(s.dir()); err != nil {
			t.Fatal(err)
		}
		_, err := s.Read(c)
		if want == "file does not exist" {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v, want %v", err, fs.ErrNotExist)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if s.Has(c) {
			t.Errorf("%s: the part counts as finished", want)
		}
	}
}

func TestOpen(t *testing.T) {
	m := manifest()
	s := filled(t, m, m.Chunks()[:1])
	if _, err := Open(s.out, m); err != nil {
		t.Error(err)
	}
	other := m
	other.Seed = 7
	if _, err := Open(s.out, other); err == nil || !strings.Contains(err.Error(), "seed 7 instead of 0") {
		t.Errorf("another run's parts: %v", err)
	}
	for _, bad := range []string{"{", `{"format":1}`, `{"format":9}`, `{"colour":1}`} {
		if err := os.WriteFile(filepath.Join(s.dir(), "manifest.json"), []byte(bad), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Existing(s.out); err == nil || !strings.Contains(err.Error(), "manifest.json") {
			t.Errorf("manifest %s: %v", bad, err)
		}
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(s.out); len(left) > 0 {
		t.Errorf("Remove left %v", left)
	}
	if err := s.Remove(); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

func TestFitted(t *testing.T) {
	m := manifest()
	s := filled(t, m, nil)
	if s.Fitted(0) != nil {
		t.Error("something was fitted")
	}
	want := part(m.Chunks()[0]).Fitted
	if err := s.WriteFitted(1, want); err != nil {
		t.Fatal(err)
	}
	if got := s.Fitted(1); !sameScores(got, want) || s.Fitted(0) != nil {
		t.Errorf("fitted %v", got)
	}
	m.Seed++
	if (&Store{Manifest: m, out: s.out, sum: m.Sum()}).Fitted(1) != nil {
		t.Error("what was fitted for another run counts")
	}
}

// Every field counts for what a run is.
func TestManifestFields(t *testing.T) {
	m := manifest()
	v := reflect.ValueOf(&m).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if name == "Format" {
			continue
		}
		before, sum := m, m.Sum()
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Int:
			f.SetInt(f.Int() + 1)
		case reflect.Uint64:
			f.SetUint(f.Uint() + 1)
		case reflect.Float64:
			f.SetFloat(f.Float() + 0.5)
		case reflect.Slice:
			f.Set(reflect.ValueOf([]Score{{Name: "other", Function: json.RawMessage("{}")}}))
		default:
			t.Fatalf("field %s is of kind %v", name, f.Kind())
		}
		if m.Sum() == sum || len(m.Differences(before)) != 1 || len(before.Differences(m)) != 1 {
			t.Errorf("%s: differences %v", name, m.Differences(before))
		}
		m = before
	}
}

// Shards are disjoint and together everything, whatever their number.
func TestShards(t *testing.T) {
	chunks := manifest().Chunks()
	for count := 1; count < 10; count++ {
		var all []Chunk
		for i := range count {
			var s Shard
			if err := s.UnmarshalText(fmt.Appendf(nil, "%d/%d", i, count)); err != nil || s.Whole() {
				t.Fatal(s, err)
			}
			all = append(all, s.Of(chunks)...)
		}
		if !reflect.DeepEqual(all, chunks) {
			t.Errorf("%d shards are %v", count, all)
		}
	}
	if got := (Shard{}).Of(chunks); len(got) != len(chunks) {
		t.Errorf("the zero shard is %v", got)
	}
	for _, bad := range []string{"", "1", "1/1", "-1/2", "0/0", "a/2", "0/2 ", "00/2", "0/2/3"} {
		s := Shard{}
		if err := s.UnmarshalText([]byte(bad)); err == nil || s != (Shard{}) {
			t.Errorf("shard %q is %v, %v", bad, s, err)
		}
	}
}

func TestRecord(t *testing.T) {
	dir, m := t.TempDir(), manifest()
	if err := WriteRecord(dir, m, []Split{{Fitted: m.Scores}, {Fitted: m.Scores}}); err != nil {
		t.Fatal(err)
	}
	r, err := ReadRecord(dir)
	if err != nil || len(r.Fitted) != 2 || len(r.Manifest.Differences(m)) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := RemoveRecord(dir); err != nil {
		t.Fatal(err)
	}
	if err := RemoveRecord(dir); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
	if _, err := Existing(dir); err == nil || !strings.Contains(err.Error(), "holds no parts") {
		t.Errorf("a folder without parts: %v", err)
	}
}

func FuzzShard(f *testing.F) {
	f.Add("1/2")
	f.Add("0/18446744073709551616")
	f.Fuzz(func(t *testing.T, text string) {
		var s Shard
		if s.UnmarshalText([]byte(text)) == nil && (s.String() != text || s.Index < 0 || s.Index >= s.Count) {
			t.Errorf("%q is %v", text, s)
		}
	})
}

package parts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// folder is where the parts of a run are, in its output folder.
const folder = "parts"

const manifestName = "manifest.json"

// Part is a finished chunk.
type Part struct {
	Chunk
	Fitted []Score // the scores with the parameters that were fitted for this split
	Run    *misd.Run
}

// Store is the parts of one run in an output folder. It may be used by several processes, if no two score the same
// chunk.
type Store struct {
	Manifest Manifest
	out      string
	sum      string
}

// Open returns the store of a run in the output folder out. It writes nothing. It returns an error where the folder
// holds parts of another run.
func Open(out string, m Manifest) (*Store, error) {
	s := &Store{Manifest: m, out: out, sum: m.Sum()}
	there, err := readManifest(out)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if d := m.Differences(there); len(d) > 0 {
		return nil, fmt.Errorf("%s holds parts of another run (here %s): take another folder, or remove the parts", s.dir(), strings.Join(d, ", "))
	}
	return s, nil
}

// Existing returns the store that is in the output folder out.
func Existing(out string) (*Store, error) {
	m, err := readManifest(out)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(out, recordName)); err == nil {
			return nil, fmt.Errorf("%s holds a finished run, no parts", out)
		}
		return nil, fmt.Errorf("%s holds no parts: name the --out folders of runs with --shard", out)
	}
	if err != nil {
		return nil, err
	}
	return &Store{Manifest: m, out: out, sum: m.Sum()}, nil
}

func readManifest(out string) (Manifest, error) {
	var m Manifest
	path := filepath.Join(out, folder, manifestName)
	if err := readJSON(path, &m); err != nil {
		return m, err
	}
	if m.Format != formatVersion {
		return m, fmt.Errorf("%s: format %d, this program writes format %d", path, m.Format, formatVersion)
	}
	if m.Splits < 1 || m.Images < 1 || m.ChunkSize < 1 || m.Images > 1<<40 || m.ShiftCount < 0 || m.ShiftCount > 1<<40 || m.Splits > 1<<20 || len(m.Scores) == 0 {
		return m, fmt.Errorf("%s: %d splits, %d images, chunks of %d, %d scores: this is no run", path, m.Splits, m.Images, m.ChunkSize, len(m.Scores))
	}
	return m, nil
}

func (s *Store) dir() string { return filepath.Join(s.out, folder) }

func (c Chunk) base() string {
	if c.Shifted {
		return fmt.Sprintf("split%d_ood_%d", c.Split+1, c.From)
	}
	return fmt.Sprintf("split%d_%d", c.Split+1, c.From)
}

// label is the file that makes a part: what its scores belong to. It is written last.
type label struct {
	Run     string  `json:"run"` // sum of the manifest
	Split   int     `json:"split"`
	Shifted bool    `json:"ood,omitempty"`
	From    int     `json:"from"`
	To      int     `json:"to"`
	Fitted  []Score `json:"fitted"`
	Scores  string  `json:"scores_sha256"`
}

// Write stores a part.
func (s *Store) Write(p Part) error {
	if err := s.Begin(); err != nil {
		return err
	}
	npz := filepath.Join(s.dir(), p.base()+".npz")
	if err := report.WriteScoresNPZ(npz, p.Run); err != nil {
		return err
	}
	sum, err := FileSum(npz)
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(s.dir(), p.base()+".json"), label{s.sum, p.Split, p.Shifted, p.From, p.To, p.Fitted, sum})
}

// Begin makes the folder of parts with its manifest; Write and WriteFitted do so by themselves.
func (s *Store) Begin() error {
	path := filepath.Join(s.dir(), manifestName)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(s.dir(), 0o777); err != nil {
		return err
	}
	m := s.Manifest
	m.Format = formatVersion
	return writeJSON(path, m)
}

// Has tells whether a chunk is finished.
func (s *Store) Has(c Chunk) bool {
	_, err := s.label(c)
	return err == nil
}

// Fitted returns the scores that were fitted for a split, or nil where that has not been done.
func (s *Store) Fitted(split int) []Score {
	var l label
	if readJSON(s.fitPath(split), &l) != nil || l.Run != s.sum || l.Split != split {
		return nil
	}
	return l.Fitted
}

// WriteFitted stores the scores that were fitted for a split.
func (s *Store) WriteFitted(split int, fitted []Score) error {
	if err := s.Begin(); err != nil {
		return err
	}
	return writeJSON(s.fitPath(split), label{Run: s.sum, Split: split, Fitted: fitted})
}

func (s *Store) fitPath(split int) string {
	return filepath.Join(s.dir(), fmt.Sprintf("split%d_fitted.json", split+1))
}

// label reads what the store says of a chunk, and checks that its scores are the ones that were written.
func (s *Store) label(c Chunk) (label, error) {
	var l label
	path := filepath.Join(s.dir(), c.base()+".json")
	if err := readJSON(path, &l); err != nil {
		return l, err
	}
	if l.Run != s.sum {
		return l, fmt.Errorf("%s belongs to another run than the manifest beside it", path)
	}
	if held := (Chunk{l.Split, l.Shifted, l.From, l.To}); held != c {
		return l, fmt.Errorf("%s holds %v, its name says %v", path, held, c)
	}
	npz := filepath.Join(s.dir(), c.base()+".npz")
	sum, err := FileSum(npz)
	if err == nil && sum != l.Scores {
		err = fmt.Errorf("%s is damaged: its sha256 is not the one that was written", npz)
	}
	return l, err
}

// Read returns a part. The error is [fs.ErrNotExist] where the chunk is not finished.
func (s *Store) Read(c Chunk) (*Part, error) {
	l, err := s.label(c)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir(), c.base()+".npz")
	run, err := report.ReadScoresNPZ(path)
	if err != nil {
		return nil, err
	}
	if run.Len() != c.To-c.From {
		return nil, fmt.Errorf("%s has %d images, want %d", path, run.Len(), c.To-c.From)
	}
	if !slices.EqualFunc(run.Scores, s.Manifest.Scores, func(a misd.Score, b Score) bool { return a.Name == b.Name }) {
		return nil, fmt.Errorf("%s does not hold the scores of the manifest beside it", path)
	}
	return &Part{c, l.Fitted, run}, nil
}

// Remove deletes the parts. The manifest goes first: what is left after an interruption then is no run.
func (s *Store) Remove() error {
	err := os.Remove(filepath.Join(s.dir(), manifestName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(s.dir())
}

// FileSum returns the SHA-256 of a file in hexadecimal.
func FileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return renameio.WriteFile(path, append(data, '\n'), 0o644, renameio.WithTempDir(filepath.Dir(path)))
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

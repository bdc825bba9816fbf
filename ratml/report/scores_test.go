package report

import (
	"archive/zip"
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/sbinet/npyio/npz"
	"github.com/stretchr/testify/require"
)

// sampleRun makes a run with every kind of column, NaN and infinities among the values.
func sampleRun(n int, seed uint64) *misd.Run {
	rng := rand.New(rand.NewPCG(seed, 1))
	const classes = 4
	r := &misd.Run{Classes: classes, Logits: make([]float32, n*classes)}
	msr, bs := misd.Score{Name: "MSR", Cost: 1}, misd.Score{Name: "RR_fgsm", Cost: 9.25}
	bs.Lower, bs.Upper = make([]float64, n), make([]float64, n)
	bs.Unflipped, bs.Evaluations = make([]bool, n), make([]int, n)
	for i := range n {
		label := rng.IntN(classes)
		pred := label
		if rng.Float64() < .2 {
			pred = rng.IntN(classes)
		}
		r.Label, r.Pred = append(r.Label, label), append(r.Pred, pred)
		for j := range classes {
			r.Logits[i*classes+j] = rng.Float32()
		}
		r.Logits[i*classes+pred] += 1.5
		msr.Values = append(msr.Values, rng.Float64())
		bs.Values = append(bs.Values, rng.ExpFloat64()/100)
		bs.Lower[i], bs.Upper[i] = bs.Values[i]*.99, bs.Values[i]*1.01
		bs.Unflipped[i], bs.Evaluations[i] = rng.Float64() < .1, 4+rng.IntN(6)
	}
	r.Scores = []misd.Score{msr, bs}
	return r
}

func oddRun() *misd.Run {
	r := sampleRun(5, 3)
	copy(r.Scores[0].Values, []float64{math.Inf(1), math.Inf(-1), 0.1, 5e-324, -math.MaxFloat64})
	return r
}

func TestCSVRoundTrip(t *testing.T) {
	for name, run := range map[string]*misd.Run{"many": sampleRun(500, 1), "odd numbers": oddRun(), "empty": sampleRun(0, 1)} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "scores.csv")
			require.NoError(t, WriteScoresCSV(path, run))
			got, err := ReadScoresCSV(path)
			require.NoError(t, err)
			require.Equal(t, run.Label, got.Label)
			require.Equal(t, run.Pred, got.Pred)
			require.Len(t, got.Scores, 2)
			for j := range run.Scores {
				require.Equal(t, run.Scores[j].Name, got.Scores[j].Name)
				require.Equal(t, run.Scores[j].Values, got.Scores[j].Values)
			}
		})
	}
}

func TestCSVText(t *testing.T) {
	run := &misd.Run{Label: []int{1, 0}, Pred: []int{1, 2}, Classes: 3, Scores: []misd.Score{
		{Name: "MSR", Values: []float64{0.5, math.NaN()}}, {Name: "a,b", Values: []float64{1e-9, math.Inf(1)}}}}
	var b bytes.Buffer
	require.NoError(t, encodeCSV(&b, run))
	require.Equal(t, "index,label,pred,correct,MSR,\"a,b\"\n0,1,1,1,0.5,1e-09\n1,0,2,0,NaN,inf\n", b.String())
	got, err := decodeCSV(&b)
	require.NoError(t, err)
	require.True(t, math.IsNaN(got.Scores[0].Values[1]))
	require.Equal(t, 3, got.Classes)
}

func TestCSVErrors(t *testing.T) {
	const head = "index,label,pred,correct,MSR\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "the file is empty"},
		{"no table", "hello\n", `must start with index,label,pred,correct, it is "hello"`},
		{"other order", "label,index,pred,correct\n", "must start with index,label,pred,correct"},
		{"column twice", "index,label,pred,correct,MSR,MSR\n", "two columns are called MSR"},
		{"column without name", "index,label,pred,correct,\n", "a score has no name"},
		{"short line", head + "0,1,1,1\n", "line 2: 4 columns, want 5"},
		{"long line", head + "0,1,1,1,.5,.6\n", "line 2: 6 columns, want 5"},
		{"no number", head + "0,1,1,1,.5\n1,1,1,1,high\n", `line 3: column MSR: "high" is not a number`},
		{"negative label", head + "0,-1,1,0,.5\n", `line 2: column label: "-1" is not a whole number`},
		{"huge label", head + "0,99999999,1,0,.5\n", "is not a class"},
		{"wrong correct", head + "0,1,2,1,.5\n", `correct is "1", but label 1 and prediction 2 make it 0`},
		{"index twice", head + "4,1,1,1,.5\n4,1,1,1,.5\n", "line 3: index 4 is there a second time"},
		{"quote", head + "0,1,1,1,\".5\n", "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.csv")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			_, err := ReadScoresCSV(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "bad.csv")
		})
	}
	_, err := ReadScoresCSV(filepath.Join(t.TempDir(), "none.csv"))
	require.ErrorContains(t, err, "none.csv")
}

func TestNPZRoundTrip(t *testing.T) {
	unused := sampleRun(1, 2) // logits tell of classes that occur nowhere
	noLogits := sampleRun(20, 2)
	noLogits.Logits = nil
	for name, run := range map[string]*misd.Run{"many": sampleRun(500, 1), "odd numbers": oddRun(), "no logits": noLogits, "unused classes": unused} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "scores.npz")
			require.NoError(t, WriteScoresNPZ(path, run))
			got, err := ReadScoresNPZ(path)
			require.NoError(t, err)
			require.Equal(t, run, got)
		})
	}
	path := filepath.Join(t.TempDir(), "empty.npz")
	require.NoError(t, WriteScoresNPZ(path, &misd.Run{Scores: []misd.Score{{Name: "MSR"}}}))
	got, err := ReadScoresNPZ(path)
	require.NoError(t, err)
	require.Zero(t, got.Len())
	require.Equal(t, "MSR", got.Scores[0].Name)
}

// The file in testdata was written by numpy.savez_compressed 2.4, see its npz_by_numpy.py.
func TestNPZFromNumpy(t *testing.T) {
	got, err := ReadScoresNPZ("testdata/by_numpy.npz")
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, got.Label)
	require.Equal(t, []int{0, 2, 2}, got.Pred)
	require.Equal(t, 3, got.Classes)
	require.Equal(t, []float32{5, 1, 2, 0.5, 0.25, 9, 1, 2, 3}, got.Logits)
	require.Equal(t, []misd.Score{
		{Name: "MSR", Values: []float64{0.75, 0.5, 1}},
		{Name: "RR_fgsm", Values: []float64{0.1, 0.2, 0.3}, Lower: []float64{0, 0.1, 0.2}, Unflipped: []bool{false, false, true}, Evaluations: []int{7, 8, 9}},
	}, got.Scores)
}

// npzOf writes arrays as npyio does, good or bad.
func npzOf(t testing.TB, kv ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := npz.NewWriter(&b)
	for i := 0; i < len(kv); i += 2 {
		require.NoError(t, z.Write(kv[i].(string), kv[i+1]))
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// rawNPZ stores bytes under the name label.npy.
func rawNPZ(t testing.TB, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("label.npy")
	require.NoError(t, err)
	_, err = w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestNPZErrors(t *testing.T) {
	label, pred := []int64{0, 1}, []int64{0, 0}
	header := func(s string) string { return "\x93NUMPY\x01\x00" + string(rune(len(s))) + "\x00" + s }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"no zip", []byte("hello"), "not an npz file"},
		{"no label", npzOf(t, "pred", pred), "there is no one-dimensional array label"},
		{"no pred", npzOf(t, "label", label), "there is no array pred"},
		{"lengths", npzOf(t, "label", label, "pred", []int64{1}), "array pred has shape [1], want [2]"},
		{"class", npzOf(t, "label", []int64{-1}, "pred", []int64{0}), "image 0: label -1"},
		{"correct", npzOf(t, "label", label, "pred", pred, "correct", []bool{true, true}), "array correct does not agree"},
		{"logits", npzOf(t, "label", label, "pred", pred, "logits", []float32{1, 2}), "array logits has shape [2]"},
		{"classes", npzOf(t, "label", label, "pred", pred, "logits", [][1]float32{{1}, {2}}), "at least 2 classes"},
		{"kind", npzOf(t, "label", label, "pred", pred, "MSR", []int64{1, 2}), `array MSR: element type "i8"`},
		{"score length", npzOf(t, "label", label, "pred", pred, "MSR", []float64{1}), "array MSR has shape [1], want [2]"},
		{"orphan", npzOf(t, "label", label, "pred", pred, "MSR_lower", []float64{1, 2}), "must not end in _lower"},
		{"twice", npzOf(t, "label", label, "label.npy", label), "two arrays are called label"},
		{"not npy", rawNPZ(t, "hello"), "array label: npy: not a valid NumPy file format"},
		{"header cut", rawNPZ(t, "\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), "the header is cut off"},
		{"header without newline", rawNPZ(t, header("{}")), "malformed header"},
		{"data cut", rawNPZ(t, header("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n")+"12345678"), "shape [2] of <i8 does not fit 8 bytes"},
		{"data too long", rawNPZ(t, header("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }\n")+"1234567890123456"), "shape [1] of <i8 does not fit 16 bytes"},
		{"negative int16", npzOf(t, "label", []int16{-2}, "pred", []int16{0}), "image 0: label -2"},
		{"overflow", rawNPZ(t, header("{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n")), "does not fit 0 bytes"},
		{"big endian", rawNPZ(t, header("{'descr': '>i8', 'fortran_order': False, 'shape': (1,), }\n")+"12345678"), `element type ">i8" is not supported`},
		{"fortran", rawNPZ(t, header("{'descr': '<i8', 'fortran_order': True, 'shape': (1, 1), }\n")+"12345678"), "Fortran order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.npz")
			require.NoError(t, os.WriteFile(path, c.data, 0o600))
			_, err := ReadScoresNPZ(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "bad.npz")
		})
	}
	_, err := ReadScoresNPZ(filepath.Join(t.TempDir(), "none.npz"))
	require.ErrorContains(t, err, "none.npz")
}

func TestWriteRefusesBadRuns(t *testing.T) {
	twice := sampleRun(3, 1)
	twice.Scores[1].Name = "MSR"
	short := sampleRun(3, 1)
	short.Scores[1].Evaluations = []int{1}
	named := func(name string) *misd.Run { r := sampleRun(3, 1); r.Scores[0].Name = name; return r }
	for _, c := range []struct {
		run  *misd.Run
		want string
	}{
		{nil, "there is no run"},
		{&misd.Run{Label: []int{1}, Classes: 2}, "1 labels but 0 predictions"},
		{twice, "two scores are called MSR"},
		{short, "score RR_fgsm has 1 evaluation counts for 3 images"},
		{named(""), "no name"},
		{named("label"), "must not be called label"},
		{named("logits"), "must not be called logits"},
		{named("a/b"), "slash"},
		{named("a\nb"), "control character"},
		{named("x_lower"), "must not end in _lower"},
		{named(" x"), "space"},
		{named("x.npy"), ".npy"},
	} {
		dir := t.TempDir()
		require.ErrorContains(t, WriteScoresCSV(filepath.Join(dir, "s.csv"), c.run), c.want)
		require.ErrorContains(t, WriteScoresNPZ(filepath.Join(dir, "s.npz"), c.run), c.want)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	}
}

func FuzzReadScoresCSV(f *testing.F) {
	var b bytes.Buffer
	if err := encodeCSV(&b, sampleRun(3, 1)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Add("index,label,pred,correct\n0,0,0,1\n")
	f.Add("index,label,pred,correct,\"a\"\"b\"\n7,0,1,0,-inf\n")
	f.Fuzz(func(t *testing.T, text string) {
		run, err := decodeCSV(strings.NewReader(text))
		if err != nil {
			return
		}
		// What was read can be written, and reads back as the same table.
		require.NoError(t, checkRun(run))
		var once, twice bytes.Buffer
		require.NoError(t, encodeCSV(&once, run))
		again, err := decodeCSV(bytes.NewReader(once.Bytes()))
		require.NoError(t, err)
		require.NoError(t, encodeCSV(&twice, again))
		require.Equal(t, once.String(), twice.String())
	})
}

func FuzzReadScoresNPZ(f *testing.F) {
	var b bytes.Buffer
	if err := encodeNPZ(&b, sampleRun(3, 1)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(npzOf(f, "label", []int64{0}, "pred", []int64{1}))
	f.Add(rawNPZ(f, "\x93NUMPY\x01\x00\x02\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := decodeNPZ(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		require.NoError(t, checkRun(run))
		var once bytes.Buffer
		require.NoError(t, encodeNPZ(&once, run))
		again, err := decodeNPZ(bytes.NewReader(once.Bytes()), int64(once.Len()))
		require.NoError(t, err)
		require.Equal(t, run.Label, again.Label)
		require.Equal(t, len(run.Scores), len(again.Scores))
	})
}

// FuzzNPYHeader aims at the array format inside, which the checksum of the zip file hides from byte flips.
func FuzzNPYHeader(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x3a\x00{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }\n12345678"))
	f.Add([]byte("\x93NUMPY\x02\x00\x02\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := rawNPZ(t, string(data))
		run, err := decodeNPZ(bytes.NewReader(file), int64(len(file)))
		require.Error(t, err, "there is no pred: %v", run)
	})
}

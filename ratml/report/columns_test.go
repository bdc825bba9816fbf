package report

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/stretchr/testify/require"
)

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestReadColumns(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name, file, text string
		columns          Columns
		want             misd.Run // without Model
	}{
		{"confidence and correct", "net.csv", "confidence,correct\n0.9,1\n0.5,0\ninf,True\n", Columns{},
			misd.Run{Label: []int{0, 0, 0}, Pred: []int{0, 1, 0}, Classes: 2, Scores: []misd.Score{{Name: "confidence", Values: []float64{.9, .5, inf}}}}},
		{"labels and predictions", "net.csv", "id,Target,Y_Pred,MSR,RR\na7,3,3,.5,1e-3\nb,0,1.0,.5,2\n", Columns{},
			misd.Run{Label: []int{3, 0}, Pred: []int{3, 1}, Classes: 4, Scores: []misd.Score{{Name: "MSR", Values: []float64{.5, .5}}, {Name: "RR", Values: []float64{1e-3, 2}}}}},
		{"probabilities", "net.csv", "prob_1,label,prob_0\n.75,1,.25\n0,1,1\n", Columns{},
			misd.Run{Label: []int{1, 1}, Pred: []int{1, 0}, Classes: 2, Scores: []misd.Score{{Name: "MSR", Values: []float64{.75, 1}}},
				Logits: []float32{float32(math.Log(.25)), float32(math.Log(.75)), 0, float32(-inf)}}},
		{"logits, ties for the first", "net.csv", "logit_0,logit_1,label,energy\n1,1,0,3\n0,-inf,1,4\n", Columns{Uncertainty: []string{"energy"}},
			misd.Run{Label: []int{0, 1}, Pred: []int{0, 0}, Classes: 2, Logits: []float32{1, 1, 0, float32(-inf)},
				Scores: []misd.Score{{Name: "MSR", Values: []float64{.5, 1}}, {Name: "energy", Values: []float64{-3, -4}}}}},
		{"given prediction among ties", "net.csv", "logit_0,logit_1,label,pred,correct\n1,1,0,1,0\n", Columns{},
			misd.Run{Label: []int{0}, Pred: []int{1}, Classes: 2, Logits: []float32{1, 1}, Scores: []misd.Score{{Name: "MSR", Values: []float64{.5}}}}},
		{"some scores", "net.tsv", "path\tcorrect\ta\tb\nx y.png\t1\t1\t2\n", Columns{Scores: []string{"b"}},
			misd.Run{Label: []int{0}, Pred: []int{0}, Classes: 2, Scores: []misd.Score{{Name: "b", Values: []float64{2}}}}},
		{"semicolons and a byte order mark", "net.txt", "\ufeffcorrect;a\r\n1;1\r\n", Columns{},
			misd.Run{Label: []int{0}, Pred: []int{0}, Classes: 2, Scores: []misd.Score{{Name: "a", Values: []float64{1}}}}},
		{"no images", "net.csv", "correct,a\n", Columns{}, misd.Run{Classes: 2, Scores: []misd.Score{{Name: "a"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := c.columns.Read(writeFile(t, c.file, c.text))
			require.NoError(t, err)
			c.want.Model = "net"
			require.Equal(t, &c.want, got)
			if got.Len() > 0 {
				_, err = Evaluate(got, Options{Resamples: 20})
				require.NoError(t, err)
			}
		})
	}
}

func TestColumnsErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		columns    Columns
		want       string
	}{
		{"empty", "", Columns{}, "the file is empty"},
		{"no names", "0.9,1\n", Columns{}, "line 1: it holds numbers, not the names of columns"},
		{"twice", "a,correct,a\n", Columns{}, "line 1: two columns are called a"},
		{"same meaning", "a,label,target,pred\n1,1,1,1\n", Columns{}, "columns label and target mean the same"},
		{"no correctness", "a,label\n1,1\n", Columns{}, "there is neither correct, nor label and pred"},
		{"no score", "correct\n1\n", Columns{}, "there is no column with a score"},
		{"text", "correct,path\n1,x.png\n", Columns{}, `line 2, column path: "x.png" is not a number; if the column is no score`},
		{"missing value", "correct,a\n1,2\n0,\n", Columns{}, "line 3, column a: there is no value"},
		{"NaN", "correct,a\n1,2\n0,nan\n", Columns{}, "line 3, column a: NaN is no confidence"},
		{"short line", "correct,a\n1\n", Columns{}, "line 2: 1 columns, want 2"},
		{"correct", "correct,a\n0.5,1\n", Columns{}, "line 2, column correct: 0.5 is neither 1 (right) nor 0 (wrong)"},
		{"contradiction", "label,pred,a,correct\n1,1,2,1\n1,2,1,1\n", Columns{}, "line 3, column correct: 1, but label 1 and prediction 2 make it 0"},
		{"class", "label,pred,a\n1,-1,2\n", Columns{}, "line 2, column pred: -1 is not a class"},
		{"half class", "label,pred,a\n1.5,1,2\n", Columns{}, "line 2, column label: 1.5 is not a class"},
		{"class name", "label,pred,a\ncat,1,2\n", Columns{}, `line 2, column label: "cat" is not a number`},
		{"huge class", "label,pred,a\n1e9,1,2\n", Columns{}, "class 1e+09 is too large"},
		{"label outside", "label,prob_0,prob_1\n2,.5,.5\n", Columns{}, "line 2, column label: class 2 is too large, there are 2"},
		{"sum", "label,prob_0,prob_1\n1,.5,.5\n1,.5,.6\n", Columns{}, "line 3, column prob_0...: the probabilities sum to 1.1"},
		{"no probability", "label,p_0,p_1\n1,-1,2\n", Columns{}, "line 2, column p_0...: class 0: -1 is no probability"},
		{"NaN probability", "label,p_0,p_1\n1,nan,1\n", Columns{}, "class 0: NaN is no probability"},
		{"infinite logit", "label,logit_0,logit_1\n1,inf,1\n", Columns{}, "line 2, column logit_0...: class 0: the logit is +Inf"},
		{"no finite logit", "label,logit_0,logit_1\n1,-inf,-inf\n", Columns{}, "every logit is -Inf"},
		{"one class", "label,logit_0\n0,1\n", Columns{}, "has 1 classes, want at least 2"},
		{"gap", "label,prob_0,prob_2\n0,.5,.5\n", Columns{}, "none of class 1"},
		{"class twice", "label,prob_0,p_0\n0,.5,.5\n", Columns{}, "column p_0: a column of probabilities"},
		{"no label", "pred,prob_0,prob_1\n0,.5,.5\n", Columns{}, "there is prob_0... but no column label"},
		{"both", "label,prob_0,prob_1,logit_0,logit_1\n0,.5,.5,1,1\n", Columns{}, "there are both prob_0... and logit_0..."},
		{"other prediction", "label,pred,prob_0,prob_1\n0,1,.6,.4\n", Columns{}, "line 2, column pred: class 1, but the largest of prob_0... is that of class 0"},
		{"unknown score", "correct,a\n1,2\n", Columns{Scores: []string{"b"}}, "there is no column b, only correct, a"},
		{"unknown group", "correct,a\n1,2\n", Columns{Groups: []string{"b"}}, "there is no column b"},
		{"MSR from nothing", "correct,a\n1,2\n", Columns{Scores: []string{"MSR"}}, "there is no column with a score"},
		{"bad name", "correct,a/b\n1,2\n", Columns{}, `the score name "a/b" holds a slash`},
		{"quote", "correct,a\n1,\"2\n", Columns{}, "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := c.columns.Read(writeFile(t, "bad.csv", c.text))
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "bad.csv")
		})
	}
	_, err := ReadColumns("scores.parquet")
	require.ErrorContains(t, err, `scores.parquet: the ending ".parquet" is none of .csv`)
	for _, name := range []string{"none.csv", "none.npz"} {
		_, err = ReadColumns(filepath.Join(t.TempDir(), name))
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

func TestColumnsNPZErrors(t *testing.T) {
	correct := []bool{true, false}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"no zip", []byte("x"), "not an npz file"},
		{"nothing", npzOf(t, "index", []int64{1}), "no arrays with a known meaning"},
		{"lengths", npzOf(t, "correct", correct, "a", []float64{1}), "array a: 1 rows, the arrays before it have 2"},
		{"NaN", npzOf(t, "correct", correct, "a", []float64{1, math.NaN()}), "array a, row 1: NaN is no confidence"},
		{"shape", npzOf(t, "correct", correct, "a", [][2]float64{{1, 2}, {3, 4}}), "array a: shape [2 2], want [n]; if the array is no score"},
		{"flat logits", npzOf(t, "label", []int64{1}, "logits", []float64{1}), "array logits: shape [1], want [n,classes]"},
		{"column of a class", npzOf(t, "label", []int64{1}, "prob_0", []float64{1}), "probabilities and logits are one array [n,classes] here"},
		{"twice", npzOf(t, "label", []int64{1}, "probs", [][2]float64{{1, 0}}, "softmax", [][2]float64{{1, 0}}), "arrays probs and softmax mean the same"},
		{"sum", npzOf(t, "label", []int64{1}, "probs", [][2]float64{{1, 1}}), "array probs, row 0: the probabilities sum to 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadColumns(writeFile(t, "bad.npz", string(c.data)))
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "bad.npz")
		})
	}
}

// The files were written by numpy, see testdata/columns_by_numpy.py.
func TestColumnsFromNumpy(t *testing.T) {
	run, groups, err := Columns{Uncertainty: []string{"entropy"}, Groups: []string{"corruption", "severity", "site"}}.Read("testdata/columns_by_numpy.npz")
	require.NoError(t, err)
	require.Equal(t, Grouping{"corruption": {"fog", "blur", "schön", "fog"}, "severity": {"1", "5", "2", "1"}, "site": {"a", "bc", "", "a"}}, groups)
	require.Equal(t, "columns_by_numpy", run.Model)
	require.Equal(t, []int{0, 2, 1, 1}, run.Label)
	require.Equal(t, []int{0, 2, 2, 1}, run.Pred)
	require.Equal(t, 3, run.Classes)
	require.Equal(t, []float64{7, 9, 4, 10}, run.Score("votes").Values)
	for i, z := range []float64{2, 0, 1, .5, 1, 3, 0, -1, 1, 1, 4, 0} { // up to a constant an image
		j := i / 3 * 3
		require.InDelta(t, z-[]float64{2, .5, 0, 1}[i/3], float64(run.Logits[i]-run.Logits[j]), 1e-6)
	}

	text, err := ReadColumns("testdata/columns_by_savetxt.csv")
	require.NoError(t, err)
	require.Equal(t, run.Label, text.Label)
	require.Equal(t, run.Pred, text.Pred)
	for i, v := range text.Score("negentropy").Values {
		require.InDelta(t, v, run.Score("entropy").Values[i], 1e-3, "as float16")
		require.InDelta(t, text.Score("confidence").Values[i], run.Score("MSR").Values[i], 1e-7)
	}
}

// by_ratml.json holds what numpy reads from by_ratml.npz, which is what WriteScoresNPZ writes.
func TestNumpyReadsOurFiles(t *testing.T) {
	run := sampleRun(7, 11)
	run.Scores[0].Values[3] = math.Inf(1)
	path := filepath.Join(t.TempDir(), "by_ratml.npz")
	require.NoError(t, WriteScoresNPZ(path, run))
	if os.Getenv("RATML_UPDATE") != "" {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("testdata/by_ratml.npz", data, 0o644))
	}
	kept, err := ReadScoresNPZ("testdata/by_ratml.npz")
	require.NoError(t, err)
	require.Equal(t, run, kept)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/by_ratml.npz")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "the file that numpy read is not what is written now")

	data, err := os.ReadFile("testdata/by_ratml.json")
	require.NoError(t, err)
	var numpy map[string]struct {
		Dtype  string
		Shape  []int
		Values []any
	}
	require.NoError(t, json.Unmarshal(data, &numpy))
	require.Len(t, numpy, 13)
	for name, dtype := range map[string]string{"index": "<i8", "label": "<i8", "pred": "<i8", "correct": "|b1", "logits": "<f4", "MSR": "<f8",
		"MSR_cost": "<f8", "RR_fgsm": "<f8", "RR_fgsm_lower": "<f8", "RR_fgsm_unflipped": "|b1", "RR_fgsm_evaluations": "<i8"} {
		require.Equal(t, dtype, numpy[name].Dtype, name)
	}
	require.Equal(t, []int{7, 4}, numpy["logits"].Shape)
	for i := range run.Label {
		require.Equal(t, float64(run.Label[i]), numpy["label"].Values[i])
		require.Equal(t, run.Correct()[i], numpy["correct"].Values[i])
		require.Equal(t, run.Scores[1].Upper[i], numpy["RR_fgsm_upper"].Values[i])
		require.Equal(t, run.Scores[1].Unflipped[i], numpy["RR_fgsm_unflipped"].Values[i])
		require.Equal(t, float64(run.Logits[4*i+2]), numpy["logits"].Values[4*i+2])
	}
	require.Equal(t, "inf", numpy["MSR"].Values[3])
}

// Files of scores are columns too.
func TestColumnsOfOurFiles(t *testing.T) {
	run := sampleRun(30, 5)
	dir := t.TempDir()
	for i, v := range run.Pred { // the sample's logits are drawn apart from its predictions
		for j := range run.Classes {
			run.Logits[i*run.Classes+j] = float32(btoi(j == v))
		}
	}
	require.NoError(t, WriteScoresNPZ(filepath.Join(dir, "s.npz"), run))
	require.NoError(t, WriteScoresCSV(filepath.Join(dir, "s.csv"), run))
	for _, file := range []string{"s.npz", "s.csv"} {
		got, err := ReadColumns(filepath.Join(dir, file))
		require.NoError(t, err)
		require.Equal(t, run.Label, got.Label)
		require.Equal(t, run.Pred, got.Pred)
		require.Len(t, got.Scores, 2)
		require.Equal(t, run.Scores[1].Values, got.Score("RR_fgsm").Values)
	}
}

func TestHalfFloat(t *testing.T) {
	for bits, want := range map[uint16]float64{0: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 1: math.Ldexp(1, -24), 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1)} {
		require.Equal(t, want, halfFloat(bits))
	}
	require.True(t, math.IsNaN(halfFloat(0x7e00)))
}

func FuzzReadColumnsText(f *testing.F) {
	f.Add("confidence,correct\n0.9,1\n0.5,0\n")
	f.Add("\ufeff# label;prob_0;prob_1;g\n1;.25;.75;x\n")
	f.Add("id\tlabel\tpred\tlogit_0\tlogit_1\na\t0\t1\t-inf\t2\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := Columns{}.decodeText(strings.NewReader(text))
		if err != nil {
			return
		}
		run, err := Columns{}.assemble(table)
		if err != nil {
			return
		}
		require.NoError(t, checkRun(run))
		_, err = Evaluate(run, Options{Resamples: -1})
		require.NoError(t, err, "what is read can be judged")
	})
}

func FuzzReadColumnsNPZ(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x3a\x00{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }\na\x00\x00\x00"))
	f.Add([]byte("\x93NUMPY\x01\x00\x3a\x00{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }\n\x00\x3c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := rawNPZ(t, string(data))
		table, err := Columns{Groups: []string{"label"}}.decodeNPZ(bytes.NewReader(file), int64(len(file)))
		if err == nil {
			require.Len(t, table.groups["label"], table.rows)
		}
	})
}

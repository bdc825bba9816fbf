package misd

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// ownRun has six images, the last two misclassified.
func ownRun() *Run {
	return &Run{Dataset: "own", Model: "net", Classes: 3, Label: []int{0, 1, 2, 0, 1, 2}, Pred: []int{0, 1, 2, 0, 0, 1},
		Logits: make([]float32, 18), Scores: []Score{{Name: "MSR", Cost: 1, Values: []float64{.9, .8, .7, .6, .5, .75}},
			{Name: "MLS", Values: []float64{1, 2, 3, 4, 5, 6}}}}
}

// fog has known classes, one prediction wrong; svhn has none.
func fog() Shift {
	return Shift{Run: &Run{Dataset: "fog", Classes: 3, Label: []int{0, 1}, Pred: []int{0, 2}, Scores: []Score{{Name: "MSR", Values: []float64{.85, .4}}}}}
}

func svhn() Shift {
	return Shift{Novel: true, Run: &Run{Dataset: "svhn", Classes: 3, Label: []int{7, 1}, Pred: []int{0, 1},
		Scores: []Score{{Name: "ODIN", Values: []float64{0, 0}}, {Name: "MSR", Values: []float64{.95, .3}}}}}
}

func mix(t *testing.T, p Protocol, shifts ...Shift) *Mixture {
	t.Helper()
	m, err := Mix(p, ownRun(), shifts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMix(t *testing.T) {
	const r, m, s = None, Misclassified, FailedUnderShift
	for _, tc := range []struct {
		protocol Protocol
		failure  []Failure
		source   []int
	}{
		{Joint, []Failure{r, r, r, r, m, m, r, s, s, s}, []int{0, 0, 0, 0, 0, 0, 1, 1, 2, 2}},
		{ShiftOnly, []Failure{r, r, r, r, r, s, s, s}, []int{0, 0, 0, 0, 1, 1, 2, 2}},
		{Detection, []Failure{r, r, r, r, r, r, r, s, s, s}, []int{0, 0, 0, 0, 0, 0, 1, 1, 2, 2}},
	} {
		got := mix(t, tc.protocol, fog(), svhn())
		if !slices.Equal(got.Failure, tc.failure) || !slices.Equal(got.Source, tc.source) {
			t.Errorf("%v: failures %v from %v, want %v from %v", tc.protocol, got.Failure, got.Source, tc.failure, tc.source)
		}
		for i, ok := range got.Run.Correct() {
			if ok != (tc.failure[i] == None) {
				t.Errorf("%v: image %d: right is %v", tc.protocol, i, ok)
			}
		}
		if len(got.Run.Scores) != 1 || got.Run.Scores[0].Name != "MSR" || got.Run.Scores[0].Cost != 1 || got.Run.Logits != nil {
			t.Errorf("%v: scores %+v", tc.protocol, got.Run.Scores)
		}
		if got.Run.Dataset != "own + fog + svhn" || got.Origin()[0] != "own" || got.Origin()[len(tc.source)-1] != "svhn" {
			t.Errorf("%v: %q from %v", tc.protocol, got.Run.Dataset, got.Origin())
		}
	}
	joint := mix(t, Joint, fog(), svhn())
	if want := []float64{.9, .8, .7, .6, .5, .75, .85, .4, .95, .3}; !slices.Equal(joint.Run.Scores[0].Values, want) {
		t.Errorf("values %v", joint.Run.Scores[0].Values)
	}
	unnamed := fog()
	unnamed.Run.Dataset = ""
	if got := mix(t, Joint, unnamed, fog(), fog()).Sources; !slices.Equal(got, []string{"own", "#1", "fog", "fog#3"}) {
		t.Errorf("sources %v", got)
	}
}

func TestFDShiftsModes(t *testing.T) {
	// The data set itself against new classes, as fd-shifts' filter_new_class_study_data would join them:
	// the original mode keeps all images and calls the own ones right, the proposed one drops the misclassified.
	shift := svhn()
	auroc := map[Protocol]float64{
		Detection: 0.5,      // .95 is above all six, .3 below all six
		ShiftOnly: 0.5,      // the same against the four that are right
		Joint:     10. / 16, // the right ones win 4, 2, 0 and 4 of 4 against .5, .75, .95 and .3
	}
	for p, want := range auroc {
		c, err := mix(t, p, shift).Run.Curve("MSR")
		if err != nil {
			t.Fatal(err)
		}
		close12(t, "auroc, "+p.String(), c.AUROC(), want)
	}
}

func TestPartsAddUp(t *testing.T) {
	m := mix(t, Joint, fog(), svhn())
	parts, err := m.Parts("MSR")
	if err != nil {
		t.Fatal(err)
	}
	for name, area := range map[string]func(*Curve) float64{"aurc": (*Curve).AURC, "augrc": (*Curve).AUGRC, "risk": (*Curve).ErrorRate} {
		close12(t, name, area(parts.Misclassified)+area(parts.FailedUnderShift), area(parts.All))
	}
	if parts.All.Errors() != 5 || parts.Misclassified.Errors() != 2 || parts.FailedUnderShift.Errors() != 3 || parts.All.Len() != 10 {
		t.Errorf("%d = %d + %d errors", parts.All.Errors(), parts.Misclassified.Errors(), parts.FailedUnderShift.Errors())
	}
	for kind, want := range map[Failure][2]int{Misclassified: {7, 2}, FailedUnderShift: {8, 3}, None: {5, 0}} {
		c, err := m.Against("MSR", kind)
		if err != nil {
			t.Fatal(err)
		}
		if c.Len() != want[0] || c.Errors() != want[1] {
			t.Errorf("against kind %d: %d images with %d errors, want %v", kind, c.Len(), c.Errors(), want)
		}
	}
}

func TestMixErrors(t *testing.T) {
	change := func(f func(*Run)) Shift { s := svhn(); f(s.Run); return s }
	known := svhn()
	known.Novel = false
	for _, tc := range []struct {
		protocol Protocol
		own      *Run
		shifts   []Shift
		want     string
	}{
		{7, ownRun(), []Shift{fog()}, "there is no protocol 7"},
		{Joint, nil, []Shift{fog()}, "nothing to mix"},
		{Joint, ownRun(), nil, "nothing to mix"},
		{Joint, ownRun(), []Shift{fog(), {}}, "data set 2: there is no run"},
		{Joint, ownRun(), []Shift{known}, "data set 1 (svhn): misd: image 0: label 7"},
		{Joint, ownRun(), []Shift{change(func(r *Run) { r.Pred[0] = 9 })}, "prediction 9"},
		{Joint, ownRun(), []Shift{change(func(r *Run) { r.Classes = 10 })}, "classifier of 10 classes, the first by one of 3"},
		{Joint, ownRun(), []Shift{change(func(r *Run) { r.Scores = r.Scores[:1] })}, "no score is in every run"},
		{Joint, ownRun(), []Shift{change(func(r *Run) { r.Scores[0].Values = nil })}, "score ODIN has 0 values, want 2"},
		{Joint, ownRun(), []Shift{{Run: &Run{Dataset: "void", Classes: 3}}}, "data set 1 (void) has no images"},
	} {
		_, err := Mix(tc.protocol, tc.own, tc.shifts...)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
	unlabelled := svhn()
	unlabelled.Run.Label = nil
	m := mix(t, Joint, unlabelled)
	if _, err := m.Parts("MLS"); err == nil || !strings.Contains(err.Error(), `no score "MLS"`) {
		t.Errorf("error %v", err)
	}
	if _, err := m.Against("MLS", Misclassified); err == nil {
		t.Error("no error")
	}
	m.Run.Scores[0].Values[3] = math.NaN()
	if _, err := m.Parts("MSR"); err == nil || !strings.Contains(err.Error(), "confidence 3 is NaN") {
		t.Errorf("error %v", err)
	}
	if _, err := m.Against("MSR", Misclassified); err == nil || !strings.Contains(err.Error(), "score MSR") {
		t.Errorf("error %v", err)
	}
}

func TestGroupBy(t *testing.T) {
	got := GroupBy([]string{"fog 10", "fog 2", "blur 1", "fog 2", "", "fog 02", "fog"})
	want := []Group{{"", []int{4}}, {"blur 1", []int{2}}, {"fog", []int{6}}, {"fog 02", []int{5}}, {"fog 2", []int{1, 3}}, {"fog 10", []int{0}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := GroupBy(nil); len(got) != 0 {
		t.Errorf("groups of nothing: %v", got)
	}
}

func TestSubset(t *testing.T) {
	run := ownRun()
	run.Scores[0].Lower = []float64{0, 1, 2, 3, 4, 5}
	run.Scores[0].Evaluations = []int{9, 8, 7, 6, 5, 4}
	for i := range run.Logits {
		run.Logits[i] = float32(i)
	}
	got, err := run.Subset([]int{5, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	want := &Run{Dataset: "own", Model: "net", Classes: 3, Label: []int{2, 1, 1}, Pred: []int{1, 1, 1}, Logits: []float32{15, 16, 17, 3, 4, 5, 3, 4, 5},
		Scores: []Score{{Name: "MSR", Cost: 1, Values: []float64{.75, .8, .8}, Lower: []float64{5, 1, 1}, Evaluations: []int{4, 8, 8}},
			{Name: "MLS", Values: []float64{6, 2, 2}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if none, err := run.Subset(nil); err != nil || none.Len() != 0 || none.Validate() != nil {
		t.Errorf("%+v, %v", none, err)
	}
	for _, bad := range []int{-1, 6} {
		if _, err := run.Subset([]int{bad}); err == nil || !strings.Contains(err.Error(), "is not one of the run's 6") {
			t.Errorf("error %v", err)
		}
	}
	run.Scores[0].Lower = run.Scores[0].Lower[:2]
	if _, err := run.Subset(nil); err == nil || !strings.Contains(err.Error(), "score MSR has 2 lower ends for 6 images") {
		t.Errorf("error %v", err)
	}
}

package figures

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// ReadOutcomes reads the data of [Ablation] or [StepSweep] that [Figure.Save] wrote beside the figure, and the name of
// the score they judge, if any. The error names the file and the line.
func ReadOutcomes(path string) (outcomes []Outcome, score string, err error) {
	header := []string{"metric", "score", "training", "variant", "step_size", "seed", "value"}
	err = readData(path, header, func(f []string) error {
		step, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			return err
		}
		v, err := strconv.ParseFloat(f[6], 64)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(outcomes, func(o Outcome) bool { return o.Name == f[2] && o.Variant == f[3] && o.StepSize == step })
		if i < 0 {
			i = len(outcomes)
			outcomes = append(outcomes, Outcome{Name: f[2], Variant: f[3], StepSize: step, Values: map[string][]float64{}})
		}
		if f[1] != "" { // which it is for metrics that judge no score
			score = f[1]
		}
		outcomes[i].Values[f[0]] = append(outcomes[i].Values[f[0]], v)
		return nil
	})
	return outcomes, score, err
}

// ReadPlanes reads the data of [Method] that [Figure.Save] wrote beside the figure. Which points have a ball is not in
// it. The error names the file and the line.
func ReadPlanes(path string) ([]Plane, error) {
	var planes []Plane
	header := []string{"model", "what", "x", "y", "label", "prediction", "radius", "margin"}
	err := readData(path, header, func(f []string) error {
		if len(planes) == 0 || planes[len(planes)-1].Name != f[0] {
			planes = append(planes, Plane{Name: f[0]})
		}
		m := &planes[len(planes)-1]
		var v [3]float64
		last := f[6] // of a point the radius, of a place the margin
		if f[1] == "plane" {
			last = f[7]
		}
		for i, s := range []string{f[2], f[3], last} {
			var err error
			if v[i], err = strconv.ParseFloat(s, 64); err != nil {
				return err
			}
		}
		pred, err := strconv.Atoi(f[5])
		if err != nil {
			return err
		}
		switch f[1] {
		case "plane":
			m.addPlace(v[0], v[1], pred, v[2])
		case "point":
			label, err := strconv.Atoi(f[4])
			if err != nil {
				return err
			}
			m.Points = append(m.Points, PlanePoint{X: v[0], Y: v[1], Label: label, Pred: pred, Radius: v[2]})
		default:
			return fmt.Errorf("%q is neither point nor plane", f[1])
		}
		return nil
	})
	return planes, err
}

// addPlace adds the next sample, row by row from the lowest.
func (m *Plane) addPlace(x, y float64, class int, margin float64) {
	switch {
	case len(m.Class) == 0:
		m.XMin, m.YMin, m.Rows = x, y, 1
	case y != m.YMax:
		m.Rows++
	}
	if m.Rows == 1 {
		m.Columns++
	}
	m.XMax, m.YMax = x, y
	m.Class, m.Margin = append(m.Class, class), append(m.Margin, margin)
}

// readData calls row for each line of a file of data with the given header.
func readData(path string, header []string, row func(fields []string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	for first := true; ; first = false {
		fields, err := r.Read()
		if err == io.EOF && !first {
			return nil
		}
		if err != nil {
			return fmt.Errorf("figures: %s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		switch {
		case first && !slices.Equal(fields, header):
			return fmt.Errorf("figures: %s: line %d: the columns are %v, want %v", path, line, fields, header)
		case first:
		default:
			if err := row(fields); err != nil {
				return fmt.Errorf("figures: %s: line %d: %w", path, line, err)
			}
		}
	}
}

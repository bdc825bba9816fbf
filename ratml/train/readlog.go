package train

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
)

// RunLog is what a [Logger] tells of a run.
type RunLog struct {
	Run     RunInfo
	Resumed []RunInfo // where steps gave something else when they were taken again
	Steps   []Step    // those that count
	Epochs  []Epoch   // those that count

	size int64 // bytes of whole lines
}

// ReadLog reads the log at path. A last line without an end, which a killed process leaves, is ignored, and so are
// events it does not know. Any other line that cannot be read is an error that names file and line; what comes before
// it is returned too.
func ReadLog(path string) (*RunLog, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("train: reading the log: %w", err)
	}
	defer f.Close()
	l, err := readLog(path, f)
	if err == nil && l.size == 0 {
		err = fmt.Errorf("train: the log %s is empty", path)
	}
	return l, err
}

func readLog(path string, r io.Reader) (*RunLog, error) {
	l := &RunLog{}
	in := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		switch {
		case err == io.EOF:
			return l, nil
		case err != nil:
			return l, fmt.Errorf("train: reading the log %s: %w", path, err)
		}
		if err := l.line(number == 1, line); err != nil {
			return l, fmt.Errorf("train: %s:%d: %w", path, number, err)
		}
		l.size += int64(len(line))
	}
}

// line takes in a line.
func (l *RunLog) line(first bool, line []byte) error {
	var kind struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(line, &kind); err != nil {
		return err
	}
	switch {
	case kind.Event == "":
		return errors.New(`no "event"`)
	case first != (kind.Event == "run"):
		return fmt.Errorf("event %q; the first line, and no other, is a run", kind.Event)
	}
	switch kind.Event {
	case "run":
		if err := json.Unmarshal(line, &l.Run); err != nil {
			return err
		}
		if l.Run.Run == "" {
			return errors.New("the run has no id")
		}
	case "resumed":
		var r RunInfo
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		l.Resumed = append(l.Resumed, r)
		l.Steps = l.Steps[:sort.Search(len(l.Steps), func(i int) bool { return l.Steps[i].Step > r.Step })]
		l.Epochs = l.Epochs[:sort.Search(len(l.Epochs), func(i int) bool { return l.Epochs[i].Epoch > r.Epoch })]
	case "step":
		var s Step
		if err := json.Unmarshal(line, &s); err != nil {
			return err
		}
		if n := len(l.Steps); n > 0 && s.Step <= l.Steps[n-1].Step {
			return fmt.Errorf("step %d after step %d", s.Step, l.Steps[n-1].Step)
		}
		l.Steps = append(l.Steps, s)
	case "epoch":
		var e Epoch
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if n := len(l.Epochs); n > 0 && e.Epoch <= l.Epochs[n-1].Epoch {
			return fmt.Errorf("epoch %d after epoch %d", e.Epoch, l.Epochs[n-1].Epoch)
		}
		l.Epochs = append(l.Epochs, e)
	}
	return nil
}

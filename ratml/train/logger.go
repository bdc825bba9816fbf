package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"

	"github.com/gofrs/flock"
)

// Logger writes the log of a run: a file of JSON lines that only grows. Its first line, with the key "event" set to
// "run", holds a [RunInfo]; those that follow are steps ("step", the keys of [Step]) and epochs ("epoch", the keys of
// [Epoch]). Each line is in the file when its method returns. [ReadLog] reads it.
//
// The log of a run that was interrupted goes on in the same file. Steps that are taken again, since the last checkpoint,
// are logged once: the lines of such a run are those of one that was not interrupted, but for times. Should a step give
// something else the second time, on another backend for example, a line "resumed" with a RunInfo says so, and the
// lines after it take the place of those before it from that step on; these stay in the file.
type Logger struct {
	Every int // Step logs every such step, and those with a validation; 0 means all

	info RunInfo
	file *os.File
	lock *flock.Flock
	size int64 // of whole lines

	seed maphash.Seed
	old  map[place]uint64 // what was logged before the run went on, without times
	last place            // the last of it
}

// place is where a line belongs in a log. A step's epoch is 0.
type place struct{ step, epoch int }

func (p place) after(q place) bool {
	return p.step > q.step || p.step == q.step && p.epoch > q.epoch
}

// OpenLog opens the log of a run: a new file at path, or, if resume is true, the one that is there, if any. An
// info.Run of "" stands for a random id, or for that of the file. It is an error if the file is of another run, or in
// use by another process, or is there already and resume is false.
func OpenLog(path string, info RunInfo, resume bool) (l *Logger, err error) {
	if _, err := os.Lstat(path); err == nil && !resume {
		return nil, fmt.Errorf("train: the log %s is there already: resume its run, or choose another file", path)
	}
	l = &Logger{seed: maphash.MakeSeed(), old: map[place]uint64{}}
	if l.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, fmt.Errorf("train: opening the log: %w", err)
	}
	l.lock = flock.New(path)
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	switch ok, err := l.lock.TryLock(); {
	case err != nil:
		return l, fmt.Errorf("train: locking the log %s: %w", path, err)
	case !ok:
		return l, fmt.Errorf("train: the log %s is in use by another process", path)
	}
	if err := l.goOn(path, info.complete()); err != nil {
		return l, err
	}
	return l, nil
}

// goOn takes note of the lines that are there, or writes the first one.
func (l *Logger) goOn(path string, info RunInfo) error {
	past, err := readLog(path, l.file)
	if err != nil {
		return err
	}
	l.size = past.size
	if err := l.cut(); err != nil {
		return fmt.Errorf("train: cutting a torn line off the log %s: %w", path, err)
	}
	l.info = info
	if past.size == 0 {
		if l.info.Run == "" {
			l.info.Run = randomRun()
		}
		return l.write("run", l.info)
	}
	if info.Run != "" && info.Run != past.Run.Run {
		return fmt.Errorf("train: the log %s is of run %s, not of %s", path, past.Run.Run, info.Run)
	}
	l.info.Run = past.Run.Run
	for _, s := range past.Steps {
		l.remember(place{step: s.Step}, s.timeless())
	}
	for _, e := range past.Epochs {
		l.remember(place{e.Steps, e.Epoch}, e.timeless())
	}
	return nil
}

// Run returns the run's id.
func (l *Logger) Run() string { return l.info.Run }

// Step logs a step; it is a function for Config.OnStep.
func (l *Logger) Step(s Step) error {
	if skipped(l.Every, s) {
		return nil
	}
	return l.add("step", place{step: s.Step}, place{s.Step - 1, s.Epoch - 1}, s, s.timeless())
}

// Epoch logs an epoch; it is a function for Config.OnEpoch.
func (l *Logger) Epoch(e Epoch) error {
	return l.add("epoch", place{e.Steps, e.Epoch}, place{e.Steps, e.Epoch - 1}, e, e.timeless())
}

// Sync brings the log to the disk, where it outlasts a loss of power; to be called before a checkpoint is written.
func (l *Logger) Sync() error { return l.file.Sync() }

// Close closes the file.
func (l *Logger) Close() error { return errors.Join(l.file.Close(), l.lock.Close()) }

// add writes a line unless it is there. before is how far the run had come when what it tells began.
func (l *Logger) add(event string, at, before place, line, timeless any) error {
	if !at.after(l.last) {
		sum, ok := l.old[at]
		if !ok || sum == l.sum(timeless) {
			return nil
		}
		resumed := l.info
		resumed.Step, resumed.Epoch = before.step, before.epoch
		if err := l.write("resumed", resumed); err != nil {
			return err
		}
		l.last = place{}
	}
	clear(l.old)
	return l.write(event, line)
}

func (l *Logger) remember(at place, timeless any) {
	l.old[at] = l.sum(timeless)
	if at.after(l.last) {
		l.last = at
	}
}

func (l *Logger) sum(timeless any) uint64 {
	b, err := json.Marshal(timeless)
	if err != nil {
		panic(err) // steps and epochs are always JSON
	}
	return maphash.Bytes(l.seed, b)
}

// timeless returns the step without what differs when it is taken again.
func (s Step) timeless() Step {
	s.ImagesPerSecond = 0
	return s
}

// timeless returns the epoch without what differs when it is trained again.
func (e Epoch) timeless() Epoch {
	e.Seconds, e.ImagesPerSecond = 0, 0
	return e
}

// write adds a line: the JSON object v with the key "event" before its others.
func (l *Logger) write(event string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("train: the log's line %q: %w", event, err)
	}
	var line bytes.Buffer
	fmt.Fprintf(&line, `{"event":%q,`, event)
	line.Write(b[1:])
	line.WriteByte('\n')
	if _, err := l.file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("train: writing the log: %w", errors.Join(err, l.cut()))
	}
	l.size += int64(line.Len())
	return nil
}

// cut removes what follows the whole lines.
func (l *Logger) cut() error {
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	_, err := l.file.Seek(l.size, io.SeekStart)
	return err
}

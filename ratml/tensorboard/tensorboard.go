// Package tensorboard writes event files that TensorBoard shows: curves and texts. The files are those that TensorFlow
// and PyTorch write (framing: tensorflow/core/lib/io/record_writer.h; messages: tensorflow/core/util/event.proto and
// tensorflow/core/framework/summary.proto).
package tensorboard

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Writer writes a file of events. Each event is in the file when its method returns, so that TensorBoard can show it
// and a process that is killed loses none. A Writer is not for several goroutines at once.
type Writer struct {
	file *os.File
	size int64 // of whole records
	now  func() time.Time
}

// Create makes a new file of events in a folder, which is made where there is none. TensorBoard shows all files of a
// folder as one run, in the order of their creation.
func Create(folder string) (*Writer, error) { return create(folder, time.Now) }

func create(folder string, now func() time.Time) (*Writer, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	name, err := nextName(folder, now())
	if err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	w := &Writer{file: f, now: now}
	if err := w.write(event{version: "brain.Event:2"}); err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// Path returns the path of the file.
func (w *Writer) Path() string { return w.file.Name() }

// Purge hides what earlier files of the folder show of this step and later ones. A run that goes on from a checkpoint
// calls it first, with the next step, so that steps it takes again are not shown twice. (TensorBoard's fast loader, its
// default on Linux and macOS, hides a curve's old points when the curve gets new ones.)
func (w *Writer) Purge(step int64) error {
	start := event{step: step, start: true}
	if err := w.write(start); err != nil { // the first of a run is not taken for a restart
		return err
	}
	return w.write(start)
}

// Scalar adds a point to the curve tag, in float32. Slashes in tags make groups.
func (w *Writer) Scalar(tag string, step int64, value float64) error {
	return w.write(event{step: step, value: scalar(tag, float32(value))})
}

// Text shows a text in Markdown.
func (w *Writer) Text(tag string, step int64, markdown string) error {
	return w.write(event{step: step, value: text(tag, markdown)})
}

// Flush brings the events to the disk, where they outlast a loss of power.
func (w *Writer) Flush() error { return w.file.Sync() }

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// write adds an event to the file, or nothing if that fails.
func (w *Writer) write(e event) error {
	t := w.now()
	e.time = float64(t.Unix()) + float64(t.Nanosecond())/1e9
	r := record(e.marshal())
	if _, err := w.file.Write(r); err != nil {
		if back := w.file.Truncate(w.size); back == nil {
			w.file.Seek(w.size, 0)
		}
		return fmt.Errorf("tensorboard: %w", err)
	}
	w.size += int64(len(r))
	return nil
}

// nextName returns the name of a new file, which TensorBoard reads after all that are in the folder: it sorts them by
// name, and these begin with the second they were made in.
func nextName(folder string, now time.Time) (string, error) {
	const prefix = "events.out.tfevents."
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	second := now.Unix()
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), prefix); ok {
			digits, _, _ := strings.Cut(rest, ".")
			if s, err := strconv.ParseInt(digits, 10, 64); err == nil && s >= second {
				second = s + 1
			}
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%s%010d.%s.%d", prefix, second, host, os.Getpid()), nil
}

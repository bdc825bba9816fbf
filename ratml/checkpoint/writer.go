package checkpoint

// Writer saves checkpoints to Dir while the program goes on. One at most is being written: Save waits for the last one.
type Writer struct {
	Dir *Dir
	// Failed, if not nil, is told why a checkpoint could not be written, for example because the disk is full; of
	// several failures in a row only the first. The next Save tries again. It is called in another goroutine.
	Failed func(error)

	busy chan struct{} // closed when the last write is over; nil before the first
	err  error         // of the last write
}

// Save begins to write s, which must not be changed until the next Save or Close has returned. See [Dir.Save].
func (w *Writer) Save(s *State, best bool) {
	w.wait()
	busy, before := make(chan struct{}), w.err
	w.busy = busy
	go func() {
		defer close(busy)
		w.err = w.Dir.Save(s, best)
		if w.err != nil && before == nil && w.Failed != nil {
			w.Failed(w.err)
		}
	}()
}

// Close waits until the last checkpoint is written and returns the error if it could not be. It leaves Dir open.
func (w *Writer) Close() error {
	w.wait()
	return w.err
}

func (w *Writer) wait() {
	if w.busy != nil {
		<-w.busy
	}
}

package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
	"github.com/ratml/rat/scripts/internal/progress"
)

// score scores the chunks of the shard that are not finished, and stores each.
func (e *evaluation) score(ctx context.Context) (*parts.Store, error) {
	store, err := parts.Open(e.Out, e.manifest)
	if err != nil {
		return nil, err
	}
	w := &work{evaluation: e, store: store}
	if err := w.plan(); err != nil {
		return nil, err
	}
	w.bar = progress.New("scoring", w.total)
	defer w.bar.Finish()
	defer w.close()
	for _, c := range w.todo {
		err := w.score(ctx, c)
		if ctx.Err() != nil {
			return nil, w.interrupted(ctx)
		}
		if err != nil {
			return nil, err
		}
		w.done += c.To - c.From
	}
	w.bar.Finish()
	if !e.Shard.Whole() {
		fmt.Fprintf(e.stderr, "shard %v: %d images are in %s; join all shards with evaluate merge\n", e.Shard, w.total, filepath.Join(e.Out, "parts"))
	}
	return store, nil
}

// work is how far the scoring of a shard is.
type work struct {
	*evaluation
	store       *parts.Store
	todo        []parts.Chunk
	done, total int // images

	split   int // that is being scored, from 1; 0 before the first
	test    dataset.Set
	fitted  []parts.Score
	session *confidence.Session
	bar     *progress.Bar
}

// plan finds out what is left to do.
func (w *work) plan() error {
	chunks := w.manifest.Chunks()
	mine := w.Shard.Of(chunks)
	for _, c := range mine {
		w.total += c.To - c.From
		if w.store.Has(c) {
			w.done += c.To - c.From
		} else {
			w.todo = append(w.todo, c)
		}
	}
	if len(mine) == 0 {
		fmt.Fprintf(w.stderr, "shard %v has nothing to score: there are %d chunks; a smaller --chunk_size, for all shards, makes more\n", w.Shard, len(chunks))
		return w.store.Begin()
	}
	if w.done > 0 && !w.Resume {
		return fmt.Errorf("%s holds %d of %d images of this very run: add --resume to go on with it, or remove that folder",
			filepath.Join(w.Out, "parts"), w.done, w.total)
	}
	if w.done > 0 {
		fmt.Fprintf(w.stderr, "resuming after %d of %d images\n", w.done, w.total)
	}
	return nil
}

// score scores and stores one chunk.
func (w *work) score(ctx context.Context, c parts.Chunk) error {
	if w.split != c.Split+1 {
		if err := w.begin(ctx, c.Split); err != nil {
			return err
		}
	}
	set := w.test
	if c.Shifted {
		set = w.shifted
	}
	images, err := between(set, c.From, c.To)
	if err != nil {
		return err
	}
	run, err := w.session.Run(ctx, images)
	if err != nil {
		return err
	}
	return w.store.Write(parts.Part{Chunk: c, Fitted: w.fitted, Run: run})
}

// begin splits the images anew, and fits the scores unless that has been done.
func (w *work) begin(ctx context.Context, split int) (err error) {
	var validation dataset.Set
	if validation, w.test, err = w.scoring.split(split); err != nil {
		return err
	}
	if w.fitted = w.store.Fitted(split); w.fitted != nil {
		functions, err := w.remake(w.fitted)
		if err != nil {
			return err
		}
		return w.open(split, functions)
	}
	fits, err := w.fit(ctx, validation)
	if err != nil {
		return err
	}
	if w.fitted, err = describe(fits); err != nil {
		return err
	}
	if validation != nil {
		if err := w.store.WriteFitted(split, w.fitted); err != nil {
			return err
		}
	}
	// What is scored with is what was stored, so that it does not matter whether a run was resumed after the fit.
	functions, err := w.remake(w.fitted)
	if err != nil {
		return err
	}
	return w.open(split, functions)
}

// open compiles the scores of a split.
func (w *work) open(split int, functions []confidence.Function) (err error) {
	w.close()
	scorer := w.scorer(func(done, _ int, note string) { w.bar.Set(w.done+done, note) })
	w.session, err = scorer.Open(w.classifier, functions...)
	w.split = split + 1
	return err
}

func (w *work) close() {
	if w.session != nil {
		w.session.Close()
	}
}

// interrupted says how to go on.
func (w *work) interrupted(ctx context.Context) error {
	if w.done == 0 && w.fitted == nil {
		return fmt.Errorf("interrupted before anything was stored: %w", ctx.Err())
	}
	return fmt.Errorf("interrupted with %d of %d images stored in %s: the same command with --resume goes on from there: %w",
		w.done, w.total, filepath.Join(w.Out, "parts"), ctx.Err())
}

package confidence

import (
	"context"
	"fmt"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
)

// Session computes the same scores over one data set after another, or over one in parts, and compiles what they need
// only once. It is not safe for concurrent use. Close it when done with it.
type Session struct {
	scorer    Scorer
	c         *nets.Classifier
	plan      *plan
	requested int
	broken    bool // a run ended early, with searches unfinished
}

// Open prepares the scores. It returns an error for the same reasons as [Scorer.Run].
func (s Scorer) Open(c *nets.Classifier, scores ...Function) (*Session, error) {
	if err := differ(scores); err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	if err := runnable(c, expand(scores)); err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	x, err := s.open(c, scores)
	if err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	return x, nil
}

func (s Scorer) open(c *nets.Classifier, requested []Function) (*Session, error) {
	if s.BatchSize == 0 {
		s.BatchSize = 128
	}
	p, err := newPlan(c, expand(requested))
	if err != nil {
		return nil, err
	}
	x := &Session{scorer: s, c: c, plan: p, requested: len(requested)}
	if err := p.prepare(s.BatchSize); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// Run computes the scores over all images of set, as [Scorer.Run] does and with the same result. After an error the
// session is of no more use.
func (x *Session) Run(ctx context.Context, set dataset.Set) (*misd.Run, error) {
	if x.broken {
		return nil, fmt.Errorf("confidence: a run of this session failed")
	}
	if err := check(x.c, set, x.plan.scores); err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	run, err := x.run(ctx, set)
	if err != nil {
		x.broken = true
		return nil, fmt.Errorf("confidence: %w", err)
	}
	return run, nil
}

func (x *Session) run(ctx context.Context, set dataset.Set) (*misd.Run, error) {
	s, p := x.scorer, x.plan
	r := newResults(x.c, set.Len(), p.scores)
	done := 0
	for batch, err := range (dataset.Loader{Set: set, BatchSize: s.BatchSize}).Epoch(ctx, 0) {
		if err != nil {
			return nil, err
		}
		if err := p.batch(ctx, batch, done, r); err != nil {
			return nil, err
		}
		done += batch.N
		s.report(done, set.Len(), r)
	}
	if err := p.runSearch(ctx, true, r); err != nil {
		return nil, err
	}
	return r.finish(s, x.requested), nil
}

// Close releases the compiled code.
func (x *Session) Close() { x.plan.free() }

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/ratml/weights"
	"github.com/ratml/rat/scripts/internal/progress"
)

// noisyImages is how many of the test images, the first ones, are scored with noise too.
const noisyImages = 1000

// scored returns what is kept of a net beside its weights, or makes and keeps it.
func (s *study) scored(ctx context.Context, n *net) (*subject, error) {
	if s.kept(n.dir, runRecord, n.settings) == nil {
		files, err := s.score(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("scoring with %s: %w", n.Model, err)
		}
		if err := keep(n.dir, runRecord, record{Settings: n.settings, AURC: n.aurc}, files); err != nil {
			return nil, err
		}
	}
	// What is drawn now is what is drawn from the files another time.
	return readSubject(n.dir)
}

// score scores the test images, clean with all scores and with noise, follows some rays, and returns what writes that.
func (s *study) score(ctx context.Context, n *net) (map[string]func(string) error, error) {
	if n.classifier == nil {
		var err error
		if n.classifier, err = weights.Open(s.be, n.Arch, filepath.Join(n.dir, weightsFile)); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	run, err := s.scan(ctx, n, "scoring with "+n.Model, s.test, confidence.All(radius.Sound)...)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(s.stderr, "scored %d images with %s in %.1f s\n", run.Len(), n.Model, time.Since(start).Seconds())
	followed, err := rays(n.classifier, s.test, run)
	if err != nil {
		return nil, err
	}
	set, err := withNoise(dataset.Take(s.test, noisyImages), s.Seed)
	if err != nil {
		return nil, err
	}
	moved, err := s.scan(ctx, n, "scoring noise with "+n.Model, set, confidence.MSR{}, radius.Fast{}, radius.BoundarySearch{})
	if err != nil {
		return nil, err
	}
	return map[string]func(string) error{
		scoresFile: writeScores(run), raysFile: writeJSON(followed), noisyFile: writeScores(moved),
	}, nil
}

func (s *study) scan(ctx context.Context, n *net, label string, set dataset.Set, scores ...confidence.Function) (*misd.Run, error) {
	bar := progress.New(label, set.Len())
	defer bar.Finish()
	return confidence.Scorer{Dataset: s.Dataset, Model: n.Model, Progress: bar.Func()}.Run(ctx, n.classifier, set, scores...)
}

func writeScores(run *misd.Run) func(string) error {
	return func(path string) error { return report.WriteScoresNPZ(path, run) }
}

// imageSum is a hash of all images and labels.
func imageSum(sets ...dataset.Set) (string, error) {
	h := sha256.New()
	for _, set := range sets {
		pixels := make([]float32, set.Shape().Size())
		buffer := make([]byte, 0, 4*len(pixels)+8)
		fmt.Fprintln(h, set.Len(), set.Shape(), set.Classes())
		for i := range set.Len() {
			label, err := set.Read(i, pixels)
			if err != nil {
				return "", err
			}
			buffer = binary.LittleEndian.AppendUint64(buffer[:0], uint64(label))
			for _, v := range pixels {
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
			}
			h.Write(buffer)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

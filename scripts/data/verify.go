package main

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/scripts/internal/progress"
)

type verifyOptions struct {
	Name string `arg:"positional,required" placeholder:"NAME" help:"data set, as data list names it"`
	Root string `arg:"--root" placeholder:"DIR" help:"folder below which the data set is [default: $DATASET_ROOT_DIR]"`
}

func (verifyOptions) Description() string {
	return `Looks for faults of a data set: files that differ from the official checksums, numbers of images other than of
the whole set, images that cannot be read, by name. It tells the balance of classes too, and which images occur more than
once, within training and test images and in both, by their pixels. The exit status is 3 where a file differs or an image
cannot be read.`
}

func runVerify(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var o verifyOptions
	return parsed(&o, "data verify", args, stdout, func() error { return verify(ctx, o, stdout) })
}

// most bounds the lines on one kind of finding.
const most = 10

// verify reports on the data set.
func verify(ctx context.Context, o verifyOptions, stdout io.Writer) error {
	cfg := dataset.Config{Dir: o.Root}
	place, err := dataset.Find(o.Name, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %s\n", o.Name, place)
	name := canonical(o.Name)
	faults, err := checksums(ctx, name, place, stdout)
	if err != nil {
		return err
	}
	data, err := dataset.Open(o.Name, cfg)
	if err != nil {
		fmt.Fprintln(stdout, "cannot be opened:", err)
		return fmt.Errorf("%s: %w", o.Name, errFaulty)
	}
	var halves []*survey
	for i, h := range []struct {
		name string
		set  dataset.Set
	}{{"training", data.Train}, {"test", data.Test}} {
		if h.set == nil {
			fmt.Fprintf(stdout, "%s images: none\n", h.name)
			continue
		}
		s, err := look(ctx, h.name, h.set)
		if err != nil {
			return err
		}
		want := 0
		if !strings.Contains(o.Name, ":") {
			want = sizes[name][i]
		}
		s.print(stdout, want)
		faults += len(s.unreadable)
		halves = append(halves, s)
	}
	if len(halves) == 2 {
		both(halves[0], halves[1], stdout)
	}
	if faults > 0 {
		return fmt.Errorf("%s: %d faults: %w", o.Name, faults, errFaulty)
	}
	return nil
}

// canonical returns the name of the catalog without what follows a colon.
func canonical(name string) string {
	name, _, _ = strings.Cut(name, ":")
	for _, d := range dataset.Catalog() {
		if d.Name == name || slices.Contains(d.Aliases, name) {
			return d.Name
		}
	}
	return name
}

// checksums compares the files of which the official sums are known, and returns how many differ.
func checksums(ctx context.Context, name, place string, stdout io.Writer) (faults int, err error) {
	known := official[name]
	seen := map[string]bool{}
	dirs := []string{place, filepath.Dir(place)}
	if info, err := os.Stat(place); err == nil && !info.IsDir() {
		dirs = []string{filepath.Dir(place)}
	}
	for _, dir := range dirs {
		for _, file := range slices.Sorted(maps.Keys(known)) {
			path := filepath.Join(dir, file)
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || seen[file] {
				continue
			}
			seen[file] = true
			sum, err := md5Of(ctx, path)
			if err != nil {
				return faults, err
			}
			verdict := "as published"
			if sum != known[file] {
				verdict = "md5 " + sum + ", published is " + known[file]
				faults++
			}
			fmt.Fprintf(stdout, "%s: %s\n", path, verdict)
		}
	}
	if len(seen) == 0 {
		fmt.Fprintln(stdout, "checksums: of none of these files is one known")
	}
	return faults, nil
}

func md5Of(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	})); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// survey is what there is to say of training or of test images.
type survey struct {
	name       string
	set        dataset.Set
	labels     []int
	sums       [][sha256.Size]byte // of the pixels
	unreadable map[int]error
}

// look reads all images.
func look(ctx context.Context, name string, set dataset.Set) (*survey, error) {
	labels, err := dataset.Labels(set)
	if err != nil {
		return nil, err
	}
	s := &survey{name, set, labels, make([][sha256.Size]byte, set.Len()), map[int]error{}}
	bar := progress.New("reading "+name+" images", set.Len())
	defer bar.Finish()
	var mu sync.Mutex
	var wait sync.WaitGroup
	done, next := 0, 0
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= set.Len() || ctx.Err() != nil {
					return
				}
				sum, err := pixelSum(set, i)
				mu.Lock()
				s.sums[i] = sum
				if err != nil {
					s.unreadable[i] = err
				}
				if done++; done%1000 == 0 || done == set.Len() {
					bar.Set(done, "")
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return s, ctx.Err()
}

// pixelSum returns a hash of the shape and the pixels of an image.
func pixelSum(set dataset.Set, i int) ([sha256.Size]byte, error) {
	pixels, shape, err := dataset.Stored(set, i)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	h := sha256.New()
	fmt.Fprintln(h, shape)
	h.Write(pixels)
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// print tells what was found; want is the number of images of the whole set, 0 if it is not known.
func (s *survey) print(w io.Writer, want int) {
	whole := ""
	if want > 0 && want != s.set.Len() {
		whole = fmt.Sprintf(", the whole set has %d", want)
	}
	fmt.Fprintf(w, "%s images: %d%s\n", s.name, s.set.Len(), whole)
	s.balance(w)
	for k, i := range slices.Sorted(maps.Keys(s.unreadable)) {
		if k == most {
			fmt.Fprintf(w, "  ... and %d more cannot be read\n", len(s.unreadable)-most)
			break
		}
		fmt.Fprintf(w, "  image %d cannot be read: %v\n", i, s.unreadable[i])
	}
	var twice []string
	first := map[[sha256.Size]byte]int{}
	for i, sum := range s.sums {
		if s.unreadable[i] != nil {
			continue
		}
		if k, ok := first[sum]; ok {
			twice = append(twice, s.pair(k, s, i))
			continue
		}
		first[sum] = i
	}
	several(w, fmt.Sprintf("%s images with the pixels of an earlier one", s.name), twice)
}

// balance tells how many images the classes have.
func (s *survey) balance(w io.Writer) {
	counts := make([]int, len(s.set.Classes()))
	for _, l := range s.labels {
		counts[l]++
	}
	var empty []string
	for c, n := range counts {
		if n == 0 {
			empty = append(empty, s.set.Classes()[c])
		}
	}
	fewest, largest := slices.Min(counts), slices.Max(counts)
	if fewest == largest {
		fmt.Fprintf(w, "  classes: %d with %d images each\n", len(counts), fewest)
	} else {
		fmt.Fprintf(w, "  classes: %d with %d (%s) to %d (%s) images\n", len(counts), fewest, s.set.Classes()[slices.Index(counts, fewest)],
			largest, s.set.Classes()[slices.Index(counts, largest)])
	}
	if len(empty) > 0 {
		several(w, "classes without images", empty)
	}
}

func (s *survey) pair(i int, t *survey, k int) string {
	text := fmt.Sprintf("%s image %d is %s image %d", t.name, k, s.name, i)
	if a, b := s.set.Classes()[s.labels[i]], t.set.Classes()[t.labels[k]]; a != b {
		text += fmt.Sprintf(", but labelled %s and not %s", b, a)
	}
	return text
}

// both tells which test images are training images too.
func both(train, test *survey, w io.Writer) {
	known := map[[sha256.Size]byte]int{}
	for i, sum := range train.sums {
		if train.unreadable[i] == nil {
			known[sum] = i
		}
	}
	var shared []string
	for k, sum := range test.sums {
		if i, ok := known[sum]; ok && test.unreadable[k] == nil {
			shared = append(shared, train.pair(i, test, k))
		}
	}
	several(w, "test images with the pixels of a training image", shared)
}

// several lists findings of one kind.
func several(w io.Writer, what string, list []string) {
	fmt.Fprintf(w, "  %s: %d\n", what, len(list))
	for k, text := range list {
		if k == most {
			fmt.Fprintf(w, "    ... and %d more\n", len(list)-most)
			break
		}
		fmt.Fprintf(w, "    %s\n", text)
	}
}

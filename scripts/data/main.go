// Command data looks after data sets and files of weights.
//
//	go run ./scripts/data list --root /data
//	go run ./scripts/data verify cifar10 --root /data
//	go run ./scripts/data show cifar100 --out sheet.png
//	go run ./scripts/data convert imagenet --out packed/imagenet
//	go run ./scripts/data weights inspect model.pth
//	go run ./scripts/data weights convert model.pth model.safetensors
//
// The first argument names the job, each with its own --help. Folders of data sets are found as by scripts/train and
// scripts/evaluate: below --root, or below the folder in DATASET_ROOT_DIR. The exit status is 0, 1 after an error, 2 after
// a mistake in the command line, 3 where verify found fault with a data set or weights inspect with weights, and 130 after
// Ctrl-C. Files are written whole or not at all.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alexflint/go-arg"
)

// The exit statuses.
const (
	exitError       = 1
	exitUsage       = 2
	exitFaulty      = 3
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command runs the command line args and returns the exit status.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFaulty):
		fmt.Fprintln(stderr, "data:", err)
		return exitFaulty
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "data: %v (--help lists the flags)\n", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "data:", strings.ReplaceAll(err.Error(), "\n", "; "))
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return exitError
}

// errFaulty tells that a job ran, and found fault with what it looked at.
var errFaulty = errors.New("faults were found")

// A job is what the command does after its first argument.
type job struct {
	name, about string
	run         func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

// jobs are all there are, in the order in which the help lists them.
func jobs() []job {
	return []job{
		{"list", "the data sets that are known, the files they want, and which are found", runList},
		{"verify", "faults of a data set: checksums, unreadable images, duplicates, classes", runVerify},
		{"show", "a sheet of its images, as a PNG file", runShow},
		{"convert", "a data set as arrays that are read at the speed of memory", runConvert},
		{"corrupt", "corrupted copies of test images: the corruptions of ImageNet-C and CIFAR-10-C", runCorrupt},
		{"weights", "inspect: what a file of weights holds; convert: write it in another format", runWeights},
	}
}

// dispatch finds out which job is meant and runs it.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return usagef("want a job: %s", strings.Join(jobNames(), ", "))
	}
	switch args[0] {
	case "help", "-h", "--help":
		fmt.Fprintln(stdout, "Usage: data JOB [flags]; data JOB --help lists the flags. The jobs:")
		for _, j := range jobs() {
			fmt.Fprintf(stdout, "  %-8s %s\n", j.name, j.about)
		}
		return nil
	}
	for _, j := range jobs() {
		if j.name == args[0] {
			return j.run(ctx, args[1:], stdout, stderr)
		}
	}
	return usagef("%q: want a job: %s", args[0], strings.Join(jobNames(), ", "))
}

func jobNames() []string {
	var names []string
	for _, j := range jobs() {
		names = append(names, j.name)
	}
	return names
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// parsed reads flags into dst and goes on with then, or prints the help that was asked for.
func parsed(dst any, program string, args []string, stdout io.Writer, then func() error) error {
	p, err := arg.NewParser(arg.Config{Program: program}, dst)
	if err != nil {
		panic(err) // the tags of the options are wrong
	}
	switch err := p.Parse(args); {
	case errors.Is(err, arg.ErrHelp):
		p.WriteHelp(stdout)
		return nil
	case err != nil:
		return usageError{err}
	}
	return then()
}

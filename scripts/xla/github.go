package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/go-xla/installer"
)

const (
	// reachTimeout is how long GitHub may take to answer at all.
	reachTimeout = 8 * time.Second
	// fetchTimeout bounds go-xla's whole download.
	fetchTimeout = 10 * time.Minute
)

// releases is where go-xla's CPU plugins are published.
const releases = "https://api.github.com/repos/" + installer.BinaryCPUReleasesRepo

// fromGitHub runs go-xla's installer of the CPU plugin.
func fromGitHub(ctx context.Context, w io.Writer, dir string) (string, error) {
	if err := reach(ctx, releases); err != nil {
		return "", err
	}
	fmt.Fprintf(w, "Fetching go-xla's CPU plugin from %s\n", releases)
	err := bounded(ctx, dir, func() error { return installer.CPUAutoInstall(dir, false, installer.Normal) })
	if err != nil {
		return "", err
	}
	// Beside the versioned file lies a link without the version.
	return filepath.EvalSymlinks(filepath.Join(dir, pluginFile))
}

// reach asks for the page within reachTimeout.
func reach(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("cannot be reached: %w", err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// bounded runs f, a function of go-xla's installer, so that its requests end
// with ctx or after fetchTimeout and its temporary files lie in dir. go-xla
// itself sets no limit to either.
func bounded(ctx context.Context, dir string, f func() error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	transport := http.DefaultClient.Transport
	http.DefaultClient.Transport = contextTransport{ctx}
	defer func() { http.DefaultClient.Transport = transport }()

	old, had := os.LookupEnv("TMPDIR")
	os.Setenv("TMPDIR", dir)
	defer func() {
		if had {
			os.Setenv("TMPDIR", old)
		} else {
			os.Unsetenv("TMPDIR")
		}
	}()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("go-xla's installer: %v", r)
		}
	}()
	if err := f(); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("no result within %v", fetchTimeout)
		}
		return err
	}
	return ctx.Err()
}

// contextTransport gives every request its context.
type contextTransport struct{ ctx context.Context }

func (t contextTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(req.WithContext(t.ctx))
}

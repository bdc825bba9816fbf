package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// server is a running JupyterLab.
type server struct {
	address string // http://127.0.0.1:port
	token   string
	done    <-chan error
	stop    func() // asks it to end and waits
}

// serve starts JupyterLab in a folder. Its settings are private, so that it looks the same everywhere.
func serve(ctx context.Context, t tools, root, settings string, port int, stderr io.Writer) (*server, error) {
	if port == 0 {
		var err error
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &server{address: fmt.Sprintf("http://127.0.0.1:%d", port), token: rand.Text()}
	cmd := program(ctx, filepath.Join(filepath.Dir(t.python()), "jupyter-lab"), "--no-browser", "--ip=127.0.0.1",
		fmt.Sprintf("--port=%d", port), "--ServerApp.port_retries=0", "--ServerApp.root_dir="+root, "--IdentityProvider.token="+s.token)
	if os.Geteuid() == 0 {
		cmd.Args = append(cmd.Args, "--allow-root")
	}
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+t.jupyter(), "JUPYTER_CONFIG_DIR="+settings,
		"JUPYTERLAB_SETTINGS_DIR="+filepath.Join(settings, "settings"),
		"JUPYTERLAB_WORKSPACES_DIR="+filepath.Join(settings, "workspaces"))
	var chatter bytes.Buffer
	cmd.Stderr = &chatter
	if stderr != nil {
		cmd.Stderr = stderr
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	s.done = done
	s.stop = sync.OnceFunc(func() { cancel(); <-done })
	if err := s.await(ctx); err != nil {
		cancel()
		if errors.Is(err, errEnded) {
			return nil, fmt.Errorf("JupyterLab did not start: %s", reason(chatter.Bytes(), err))
		}
		<-done
		return nil, err
	}
	return s, nil
}

var errEnded = errors.New("it ended")

// await waits until the server answers.
func (s *server) await(ctx context.Context) error {
	client := http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		r, err := client.Get(s.address + "/api/status?token=" + s.token)
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return errEnded
		case <-time.After(200 * time.Millisecond):
		}
	}
	return errors.New("JupyterLab does not answer after a minute")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// lab runs JupyterLab until it is interrupted.
func lab(ctx context.Context, t tools, root string, o labCommand, w io.Writer) error {
	s, err := serve(ctx, t, root, filepath.Join(t.dir, "lab"), o.Port, os.Stderr)
	if err != nil {
		return err
	}
	page := s.address + "/lab/tree/notebooks/1_training.ipynb?token=" + s.token
	fmt.Fprintf(w, "JupyterLab is at\n\n    %s\n\nCtrl-C ends it.\n", page)
	if !o.Quit {
		openPage(page)
	}
	err = <-s.done
	if ctx.Err() != nil {
		fmt.Fprintln(w, "JupyterLab has ended.")
		return nil
	}
	return fmt.Errorf("JupyterLab ended by itself: %w", err)
}

// openPage shows a page in the user's browser, if there is one.
func openPage(page string) {
	for _, opener := range []string{"xdg-open", "open"} {
		if path, err := exec.LookPath(opener); err == nil {
			exec.Command(path, page).Start() // the address is printed, should this fail
			return
		}
	}
}

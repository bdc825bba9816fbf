// Command xla lists the PJRT plugins on this machine and installs one.
//
//	go run ./scripts/xla                  what is found and what each can do
//	go run ./scripts/xla install          install the CPU plugin
//	go run ./scripts/xla install --cuda   install the CUDA plugin and NVIDIA's libraries
//
// Without a plugin everything runs on the Go backend.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alexflint/go-arg"
)

type installCommand struct {
	From string `arg:"--from" default:"auto" help:"where the CPU plugin comes from: github (go-xla's installer), pip (a wheel, through python3 -m pip), or auto, which tries them in this order"`
	CUDA bool   `arg:"--cuda" help:"install the CUDA plugin with go-xla's installer instead"`
}

type command struct {
	Install *installCommand `arg:"subcommand:install" help:"install a plugin into ~/.local/lib/go-xla"`
}

func (command) Description() string {
	return "Lists the XLA (PJRT) plugins that are found on this machine and what each can do."
}

func main() {
	var c command
	p := arg.MustParse(&c)
	if c.Install != nil {
		if _, ok := sources[c.Install.From]; !ok && c.Install.From != "auto" {
			p.FailSubcommand(fmt.Sprintf("--from %q: want auto, github or pip", c.Install.From), "install")
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, c)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "xla:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c command) error {
	switch {
	case c.Install == nil:
		return list(os.Stdout)
	case c.Install.CUDA:
		return installCUDA(ctx, os.Stdout)
	}
	return installCPU(ctx, os.Stdout, c.Install.From)
}

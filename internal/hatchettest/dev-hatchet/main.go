// Command dev-hatchet runs a Hatchet server and a command that uses it, until that ends or is
// interrupted:
//
//	dev-hatchet bucketd dev
//
// When the command prints an address for events, as bucketd dev does, dev-hatchet sends it events
// of a few demo users. Without a command dev-hatchet runs the server alone, for programs that are
// started elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/bucketgen/bucketgen/internal/hatchettest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dev-hatchet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command []string) (err error) {
	fmt.Fprintln(os.Stderr, "building and starting Hatchet; the first time this takes minutes")
	s, err := hatchettest.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	fmt.Fprintf(os.Stdout, "Hatchet at %s, its tables at %s\n  export %s\n", s.Address, s.Database(), strings.Join(s.Env(), " "))
	if len(command) == 0 {
		<-ctx.Done()
		return nil
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // it runs what its user says
	cmd.Env = append(os.Environ(), s.Env()...)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	cmd.Stdout = &demo{out: os.Stdout, send: func(key, address string) {
		if err := act(ctx, key, address); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "dev-hatchet: the demo's events were not taken in:", err)
			return
		}
		fmt.Fprintf(os.Stdout, acted, command[0])
	}}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // a second signal after the terminal's does no harm
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", command[0], err)
	}
	return nil
}

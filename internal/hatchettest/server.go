// Package hatchettest runs a real Hatchet server for tests and for development: tools/hatchetdev,
// built once, on a database of its own. The database is beside those of the tests, and is removed
// with the server.
package hatchettest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/bucketgen/bucketgen/internal/postgres"
)

// Server is a Hatchet server.
type Server struct {
	Address string // of the engine, host:port
	Token   string // admits clients

	binary   string
	dir      string
	database *postgres.Server
	process  *process // nil while it does not run
}

// process is a run of the server.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer // the process ends when it is closed
}

// Start starts a server on a fresh database. The caller stops it.
func Start(ctx context.Context) (*Server, error) {
	binary, err := build(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hatchettest-")
	if err != nil {
		return nil, err
	}
	s := &Server{binary: binary, dir: dir}
	if s.Address, err = freeAddress(ctx); err == nil {
		s.database, err = postgres.Start(ctx, postgres.Options{})
	}
	if err == nil {
		err = s.Run(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// build makes the binary; Go does so only if something changed.
func build(ctx context.Context) (string, error) {
	_, self, _, _ := runtime.Caller(0) //nolint:dogsled // the file is what is asked for
	root := filepath.Join(filepath.Dir(self), "..", "..")
	binary := filepath.Join(root, ".bucketgen", "bin", "hatchetdev")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	cmd.Dir = filepath.Join(root, "tools", "hatchetdev")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build hatchetdev: %w\n%s", err, out)
	}
	return binary, nil
}

// freeAddress returns an unused address. The server keeps it when it is started again.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Env returns the variables by which clients find the server, as os.Environ does.
func (s *Server) Env() []string {
	return []string{"HATCHET_CLIENT_TOKEN=" + s.Token, "HATCHET_CLIENT_TLS_STRATEGY=none"}
}

// Database returns the URL of the server's own database.
func (s *Server) Database() string { return s.database.URL }

// Run runs the server, at its address and with the tokens that it gave before, and waits until it
// is ready. It is for servers that were killed.
func (s *Server) Run(ctx context.Context) error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.binary, "-database", s.database.URL, "-address", s.Address, "-keys", filepath.Join(s.dir, "keys")) //nolint:noctx // it outlives this call
	cmd.Stderr = log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = &process{cmd, stdin}
	unless := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if !unless() || err != nil {
		s.Kill()
		text, _ := os.ReadFile(s.log())
		return fmt.Errorf("hatchet does not start: %w\n%s", errors.Join(err, ctx.Err()), tail(text))
	}
	var ready struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		return fmt.Errorf("hatchet says %q when it is ready: %w", line, err)
	}
	if s.Token == "" {
		s.Token = ready.Token
	}
	return nil
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

func tail(text []byte) []byte { return text[max(0, len(text)-4000):] }

// Kill ends the server like a power failure. Its database runs on.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	_ = s.process.cmd.Process.Kill()
	_ = s.process.cmd.Wait()
	s.process = nil
}

// Stop ends the server and removes its files and database.
func (s *Server) Stop() error {
	s.Kill()
	var err error
	if s.database != nil {
		err = s.database.Stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

package doctest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// terminal is the shell in which a reader works, and the other terminals in which servers run.
type terminal struct {
	t        *testing.T
	dir      string
	env      []string
	in       io.Writer // of a bash that runs as long as the page
	statuses *bufio.Reader
	output   string // the file with the output of a line
	servers  []*server
	ports    map[string]string // addresses that are free here, by those of the page
}

// server is a command in a terminal of its own.
type server struct {
	line string
	cmd  *exec.Cmd
	done chan struct{}
	mu   sync.Mutex
	said bytes.Buffer
}

// newTerminal returns a terminal in a directory. It ends, with its servers, at the end of the test.
// With -trimpath the packages of the repository are compiled once for all directories that lead to
// it.
func newTerminal(t *testing.T, dir string, env ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, dir: dir, output: filepath.Join(t.TempDir(), "output"), ports: map[string]string{}}
	x.env = append(append(os.Environ(), "GOFLAGS=-trimpath", "DATABASE_URL="), env...)
	cmd := x.command("curl() { command curl --fail-with-body --silent --show-error \"$@\"; }\n" +
		"while IFS= read -r -d '' line; do eval \"$line\" >" + x.output + " 2>&1 </dev/null; echo $? >&3; done")
	statuses, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{end}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = end.Close()
	x.in, x.statuses = in, bufio.NewReader(statuses)
	t.Cleanup(func() {
		for _, s := range x.servers {
			s.interrupt()
		}
		_ = in.Close()
		_ = cmd.Wait()
		_ = statuses.Close()
	})
	return x
}

func (x *terminal) command(line string) *exec.Cmd {
	cmd := exec.CommandContext(x.t.Context(), "bash", "-c", line)
	cmd.Dir, cmd.Env = x.dir, x.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

var (
	serves = regexp.MustCompile(`^(\w+=\S+ )*(go run \./cmd/\w+|\./\w+) (dev|serve)( |$)`)
	local  = regexp.MustCompile(`localhost:80\d\d`)
	ready  = regexp.MustCompile(`(?m)^(running;|listening on )`)
	export = regexp.MustCompile(`(?m)^  export (KEY=\S+) (URL=\S+)$`)
)

// do runs a line and returns its output and its exit status. A line that serves gets a terminal of
// its own, and the variables that it prints are set in that of the reader.
func (x *terminal) do(line string) (output string, status int) {
	x.t.Helper()
	x.t.Log("$ " + line)
	if serves.MatchString(line) {
		return x.serve(line), 0
	}
	return x.run(line)
}

// free returns an address that is free on this machine, always the same for an address of the page.
func (x *terminal) free(address string) string {
	if x.ports[address] == "" {
		var config net.ListenConfig
		l, err := config.Listen(x.t.Context(), "tcp", "localhost:0")
		if err != nil {
			x.t.Fatal(err)
		}
		defer l.Close()
		x.ports[address] = l.Addr().String()
	}
	return x.ports[address]
}

func (x *terminal) run(line string) (output string, status int) {
	x.t.Helper()
	line = local.ReplaceAllStringFunc(line, x.free)
	if _, err := io.WriteString(x.in, line+"\x00"); err != nil {
		x.t.Fatalf("$ %s\n%v", line, err)
	}
	text, err := x.statuses.ReadString('\n')
	if err != nil {
		x.t.Fatalf("$ %s\nthe shell ended: %v", line, err)
	}
	out, err := os.ReadFile(x.output)
	if err != nil {
		x.t.Fatal(err)
	}
	if status, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
		x.t.Fatal(err)
	}
	return string(out), status
}

// serve starts a line and returns what it prints until it is ready.
func (x *terminal) serve(line string) string {
	x.t.Helper()
	line = local.ReplaceAllStringFunc(line, x.free)
	exports, status := x.run("declare -px; pwd >&2")
	if status != 0 {
		x.t.Fatal(exports)
	}
	lines := strings.Split(strings.TrimSpace(exports), "\n")
	s := &server{line: line, done: make(chan struct{})}
	s.cmd = x.command(strings.Join(lines[:len(lines)-1], "\n") + "\n" + line)
	s.cmd.Dir = lines[len(lines)-1]
	s.cmd.Stdout, s.cmd.Stderr = s, s
	if err := s.cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.done) }()
	x.servers = append(x.servers, s)
	x.until(line, func() (bool, string) {
		select {
		case <-s.done:
			x.t.Fatalf("$ %s\n%s", line, s.text())
		default:
		}
		return ready.MatchString(s.text()), s.text()
	})
	if found := export.FindStringSubmatch(s.text()); found != nil {
		x.run("export " + found[1] + " " + found[2])
	}
	return s.text()
}

// until waits until something is true, and logs what it was last if it never is.
func (x *terminal) until(what string, is func() (bool, string)) {
	x.t.Helper()
	last := ""
	defer func() {
		if last != "" {
			x.t.Logf("%s: %s", what, last)
		}
	}()
	waitfor.That(x.t, func() bool {
		ok, text := is()
		last = text
		if ok {
			last = ""
		}
		return ok
	})
}

// interrupt presses Ctrl-C in the terminal of a server, and waits until it has ended.
func (x *terminal) interrupt(beginning string) {
	x.t.Helper()
	for i, s := range x.servers {
		if strings.HasPrefix(s.line, local.ReplaceAllStringFunc(beginning, x.free)) {
			s.interrupt()
			x.servers = append(x.servers[:i], x.servers[i+1:]...)
			return
		}
	}
	x.t.Fatalf("no server %q runs", beginning)
}

func (s *server) interrupt() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT)
	<-s.done
}

// Write keeps what the server prints.
func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func (s *server) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// shows checks that an output has the lines that a page shows, in their order. An ellipsis stands
// for anything in a line, and a line of its own for any lines.
func shows(output, shown string) error {
	have := strings.Split(strings.TrimRight(output, "\n"), "\n")
	at := 0
	gap := false
	for want := range strings.Lines(shown) {
		want = strings.TrimRight(want, " \n")
		if strings.TrimSpace(want) == "…" {
			gap = true
			continue
		}
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$")
		for gap && at < len(have) && !pattern.MatchString(strings.TrimRight(have[at], " ")) {
			at++
		}
		if at == len(have) || !pattern.MatchString(strings.TrimRight(have[at], " ")) {
			return fmt.Errorf("the page shows %q, which is not line %d of\n%s", want, at+1, output)
		}
		at++
		gap = false
	}
	if !gap && at < len(have) && output != "" {
		return fmt.Errorf("the page does not show %q", have[at])
	}
	return nil
}

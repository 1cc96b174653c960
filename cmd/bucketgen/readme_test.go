package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/bucketgen/bucketgen/internal/repotest"
)

// TestREADME does what the README says that leads to a running program in five minutes, line by line, in an empty directory.
// Only where this module comes from is said beside that: from here, and not from the network.
func TestREADME(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	repotest.DependOn(t, repo)
	s := &shell{t: t, dir: emptyDir(t), export: []string{"GOPROXY=" + proxy(t)}}
	defer s.interrupt()
	for _, line := range fiveMinutes(t, filepath.Join(repo, "README.md")) {
		t.Log("$ " + line)
		switch {
		case strings.HasPrefix(line, "go mod init"):
			s.run(line)
			s.run("go mod edit -replace github.com/bucketgen/bucketgen=" + repo)
			s.run("cp " + filepath.Join(repo, "go.sum") + " .")
		case strings.HasSuffix(line, "bucketd dev"):
			s.start(line)
		default:
			out := s.run(line)
			for part, want := range says {
				if strings.Contains(line, part) && !strings.Contains(out, want) {
					t.Errorf("%s says\n%swant %q", line, out, want)
				}
			}
		}
	}
}

// says is what lines say that are about the user whose events were sent.
var says = map[string]string{
	"/users/ada/buckets": `"bucketId":"power-users"`,
	"bucketd members":    "\nada ",
	"bucketd explain":    "ada is in power-users",
}

// emptyDir returns a directory that everybody can get to: where the test runs as root, the database does not.
func emptyDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "readme") //nolint:usetesting // that is closed to others
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// proxy returns the URL of a proxy for modules that knows all but this one, as long as that is not published.
func proxy(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	others, _, _ := strings.Cut(strings.TrimSpace(string(out)), ",")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/github.com/bucketgen/") || !strings.HasPrefix(others, "http") {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, strings.TrimSuffix(others, "/")+r.URL.EscapedPath(), http.StatusFound) //nolint:gosec // to where go itself would ask
	}))
	t.Cleanup(s.Close)
	return s.URL
}

var comment = regexp.MustCompile(`\s{2,}#.*$`)

// fiveMinutes returns the lines of the section, without comments.
func fiveMinutes(t *testing.T, name string) []string {
	t.Helper()
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "\n## Five minutes in a module of your own\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var lines []string
	for i, block := range strings.Split(section, "```") {
		if code, is := strings.CutPrefix(block, "sh\n"); is && i%2 == 1 {
			for line := range strings.Lines(code) {
				lines = append(lines, comment.ReplaceAllString(strings.TrimSpace(line), ""))
			}
		}
	}
	if !found || len(lines) < 10 {
		t.Fatalf("the README has no five minutes, or not enough: %q", lines)
	}
	return lines
}

// shell runs lines in a directory, one after the other.
type shell struct {
	t      *testing.T
	dir    string
	export []string // the line that dev printed, among others
	dev    *exec.Cmd
}

func (s *shell) command(line string) *exec.Cmd {
	cmd := exec.CommandContext(s.t.Context(), "bash", "-c", line)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), s.export...)
	cmd.Env = append(cmd.Env, "DATABASE_URL=", "GOFLAGS=")
	return cmd
}

// run runs a line, and returns what it prints.
func (s *shell) run(line string) string {
	s.t.Helper()
	var trouble bytes.Buffer
	cmd := s.command(line)
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s%s", line, err, out, &trouble)
	}
	return string(out)
}

var exported = regexp.MustCompile(`^  export (KEY=\S+) (URL=\S+)$`)

// start starts a line that runs until it is interrupted, once it says that it runs.
func (s *shell) start(line string) {
	s.t.Helper()
	var trouble bytes.Buffer
	s.dev = s.command(line)
	s.dev.Stderr = &trouble
	out, err := s.dev.StdoutPipe()
	if err == nil {
		err = s.dev.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := exported.FindStringSubmatch(lines.Text()); found != nil {
			s.export = append(s.export, found[1:]...)
		}
		if strings.HasPrefix(lines.Text(), "running;") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	s.t.Fatalf("%s: it does not run: %v\n%s", line, lines.Err(), &trouble)
}

// interrupt ends what was started.
func (s *shell) interrupt() {
	if s.dev == nil {
		return
	}
	if err := syscall.Kill(-s.dev.Process.Pid, syscall.SIGINT); err != nil {
		s.t.Error(err)
	}
	_ = s.dev.Wait() // go run ends with the status of who was interrupted
}

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/bucketgen/bucketgen/internal/repotest"
)

// TestREADME runs the commands of the README's five minutes, line by line and unchanged, in an
// empty directory beside the repository.
func TestREADME(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	repotest.DependOn(t, repo)
	s := &shell{t: t, dir: besides(t, repo)}
	defer s.interrupt()
	for _, line := range fiveMinutes(t, filepath.Join(repo, "README.md")) {
		t.Log("$ " + line)
		switch {
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

// says maps lines of the README to what they print about the user whose events were sent.
var says = map[string]string{
	"/users/ada/buckets": `"bucketId":"power-users"`,
	"bucketd members":    "\nada ",
	"bucketd explain":    "ada is in power-users",
}

// besides returns an empty directory beside one called bucketgen, which is the repository. Every
// user can read it: where the test runs as root, the database runs as another user.
func besides(t *testing.T, repo string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "readme") //nolint:usetesting // that is closed to others
	if err != nil {
		t.Fatal(err)
	}
	shop := filepath.Join(dir, "shop")
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(shop, 0o755), os.Symlink(repo, filepath.Join(dir, "bucketgen"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return shop
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

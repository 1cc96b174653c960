package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// notRun are the beginnings of lines that this test does not run, each with the reason.
var notRun = map[string]string{
	"bucketd webhooks test crm": "crm.example.com is no machine; the scripts post to a receiver of their own",
	"go run ./bench":            "benchmarks take minutes to hours; make bench runs them",
	"go test ":                  "CI runs the tests, and people the benchmarks",
}

// changed are lines that run in another way here: how, and why.
var changed = map[string]struct{ from, to, why string }{
	"curl -N":       {"curl -N", "curl -N --max-time 2 -o /dev/null", "a stream has no end; status 28 is curl's for the time that is over"},
	"go tool pprof": {"seconds=10", "seconds=1", "a test has no ten seconds"},
}

// mayExit are the exit codes beside 0 by which a command says what it found.
var mayExit = map[string]int{"bucketd plan": 1, "bucketd doctor": 1, "curl -N": 28}

// TestDocs runs every command of reference and explanation, line by line, each page in a database
// of its own. It fails where a line fails that is not among those above. internal/doctest runs the
// tutorial, the how-to pages and the five minutes of the README, in modules of their own.
func TestDocs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	folders, err2 := filepath.Glob("../../docs/*/*.md")
	if err := errors.Join(err, err2); err != nil || len(pages) == 0 || len(folders) == 0 {
		t.Fatal("there are no docs", err)
	}
	pages = slices.DeleteFunc(append(pages, folders...), func(page string) bool {
		return strings.Contains(page, "/how-to/") || strings.Contains(page, "/tutorial/")
	})
	ran, unused := 0, map[string]bool{}
	for part := range notRun {
		unused[part] = true
	}
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		lines := commands(string(text))
		ran += len(lines)
		for _, line := range lines {
			for part := range notRun {
				unused[part] = unused[part] && !strings.HasPrefix(line, part)
			}
		}
		if len(lines) == 0 {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			for _, line := range lines {
				r.do(line)
			}
		})
	}
	for part, is := range unused {
		if is {
			t.Errorf("no page has %q any more", part)
		}
	}
	if ran < 20 {
		t.Errorf("the docs have only %d commands: they are not found any more", ran)
	}
}

var (
	remark   = regexp.MustCompile(`\s{2,}#.*$`)
	indented = regexp.MustCompile(`^    (bucketd|make|curl|go) `)
)

// commands returns the lines of a page that readers are to run: those of blocks of sh, and those
// that are indented.
func commands(page string) []string {
	if before, section, found := strings.Cut(page, "\n## Five minutes in a module of your own\n"); found {
		_, after, _ := strings.Cut(section, "\n### ")
		page = before + "\n" + after
	}
	var all []string
	block, line := "", ""
	for text := range strings.Lines(page) {
		text = strings.TrimRight(text, "\n")
		if fence, is := strings.CutPrefix(text, "```"); is {
			if block == "" {
				block = "```" + fence
			} else {
				block = ""
			}
			continue
		}
		if block != "```sh" && (block != "" || !indented.MatchString(text)) {
			continue
		}
		text = remark.ReplaceAllString(strings.TrimSpace(text), "")
		if more, goesOn := strings.CutSuffix(text, `\`); goesOn {
			line += more
			continue
		}
		if line += text; line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
		line = ""
	}
	return all
}

// reader does what a page says, in a shell, with a server that runs.
type reader struct {
	t           *testing.T
	dir         string
	env         []string
	addresses   *strings.Replacer // from those of docs to those of this test
	serves      bool
	ready, free string // addresses: of a server, and of one for operators
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{t: t, dir: t.TempDir(), ready: freeAddress(t), free: freeAddress(t)}
	r.env = append(os.Environ(), "DATABASE_URL="+pgtest.NewEmptyURL(t), "URL=http://"+r.ready, "BASH_ENV="+filepath.Join(r.dir, "env"), "PPROF_TMPDIR="+r.dir)
	r.write("") // so that curl fails as a reader would see it fail
	r.addresses = strings.NewReplacer("localhost:8080", r.ready, "localhost:9090", r.free, ":8080", r.ready, "bg_read_…", "$READ")
	for _, line := range []string{
		"bucketd migrate", "bucketd deploy", "KEY=$(bucketd keys create docs)", "READ=$(bucketd keys create docs --read)",
		"ADMIN=$(bucketd keys create docs --admin)", "ADMIN_KEY=$ADMIN",
	} {
		r.run(line)
	}
	return r
}

// write writes what every line begins with.
func (r *reader) write(variables string) {
	r.t.Helper()
	const curl = "curl() { command curl --fail-with-body --silent --show-error \"$@\"; }\n"
	if err := os.WriteFile(filepath.Join(r.dir, "env"), []byte(curl+variables), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// do does what a line says.
func (r *reader) do(line string) {
	r.t.Helper()
	for part := range notRun {
		if strings.HasPrefix(line, part) {
			return
		}
	}
	if target, is := strings.CutPrefix(line, "make "); is { // CI runs some, and all take long
		makefile, err := os.ReadFile("../../Makefile")
		if name, _, _ := strings.Cut(target, " "); err != nil || !strings.Contains(string(makefile), "\n"+name+":") {
			r.t.Errorf("$ %s\nthere is no such target: %v", line, err)
		}
		return
	}
	how := r.addresses.Replace(line)
	for part, c := range changed {
		if strings.Contains(line, part) {
			how = strings.ReplaceAll(how, c.from, c.to)
		}
	}
	if strings.HasPrefix(line, "bucketd serve") {
		r.serve(how)
		return
	}
	if !r.serves && (strings.Contains(line, "localhost:8080") || strings.Contains(line, "$URL")) {
		r.serve("bucketd serve")
		r.run(`curl -u $KEY: -H 'Content-Type: application/json' $URL/v1/identify -d '{"userId":"ada","traits":{"plan":"pro"}}'`)
	}
	r.run(how)
}

// run runs a line, and keeps the variables that it sets for the next one.
func (r *reader) run(line string) {
	r.t.Helper()
	cmd := r.command(line + "\nstatus=$?\ndeclare -p KEY READ ADMIN ADMIN_KEY 2>/dev/null >variables\nexit $status")
	out, err := cmd.CombinedOutput()
	if exited, is := errors.AsType[*exec.ExitError](err); is && !accepted(line, exited.ExitCode()) || err != nil && !is {
		r.t.Errorf("$ %s\n%s%v", line, out, err)
	}
	variables, err := os.ReadFile(filepath.Join(r.dir, "variables"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(string(variables))
}

func accepted(line string, code int) bool {
	for part, may := range mayExit {
		if strings.Contains(line, part) && code == may {
			return true
		}
	}
	return false
}

func (r *reader) command(line string) *exec.Cmd {
	cmd := exec.CommandContext(r.t.Context(), "bash", "-c", line)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// serve starts a line that serves until the test ends. A page may serve once more, which changes
// nothing for its readers.
func (r *reader) serve(line string) {
	r.t.Helper()
	if r.serves {
		return
	}
	if r.serves = true; !strings.Contains(line, "--listen") {
		line += " --listen " + r.ready
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "bash", "-c", "exec "+line)
	cmd.Dir, cmd.Env = r.dir, r.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		stop()
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { stop(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "listening on ") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	r.t.Fatalf("$ %s\n%s", line, &trouble)
}

// freeAddress returns an address on this machine that is free, and will be a moment later as well.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

package doctest_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/picture"
	"github.com/bucketgen/bucketgen/internal/repotest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestREADME runs the README's five minutes line by line, in an empty directory beside the
// repository.
func TestREADME(t *testing.T) {
	t.Parallel()
	r := reader{t: t, terminal: newTerminal(t, clean(t))}
	r.read(section(t, "README.md", "## Five minutes in a module of your own"))
	if r.lines < 10 {
		t.Errorf("the README has only %d lines", r.lines)
	}
}

// TestTutorial runs the tutorial line by line, in an empty directory beside the repository.
func TestTutorial(t *testing.T) {
	t.Parallel()
	r := reader{t: t, terminal: newTerminal(t, clean(t))}
	for _, page := range pages(t, "docs/tutorial") {
		r.read(blocks(t, page))
	}
	if r.lines < 10 {
		t.Errorf("the tutorial has only %d lines", r.lines)
	}
}

// TestHowTo runs each page line by line, in a module that the beginning of their index makes, on a
// database of its own.
func TestHowTo(t *testing.T) {
	t.Parallel()
	begun := clean(t)
	beginning := reader{t: t, terminal: newTerminal(t, begun, "DATABASE_URL="+pgtest.NewEmptyURL(t))}
	beginning.read(section(t, "docs/how-to/README.md", "## Before you begin"))
	for _, page := range pages(t, "docs/how-to") {
		all := blocks(t, page)
		if len(all) == 0 || strings.HasSuffix(page, "/README.md") {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			t.Parallel()
			dir := clean(t)
			if err := os.CopyFS(dir, os.DirFS(begun)); err != nil {
				t.Fatal(err)
			}
			mails := newMailbox(t)
			r := reader{t: t, terminal: newTerminal(t, dir, "DATABASE_URL="+pgtest.NewEmptyURL(t), "SMTP_ADDR="+mails.address)}
			r.read(all)
			if r.lines < 2 {
				t.Errorf("got %d lines, want a page that shows what comes of it", r.lines)
			}
			mails.check(t, page)
		})
	}
}

// clean returns an empty directory beside one called bucketgen, which is the repository. Every user
// can read it: where the test runs as root, the database runs as another user.
func clean(t *testing.T) string {
	t.Helper()
	repo, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	repotest.DependOn(t, repo)
	dir, err := os.MkdirTemp("", "doctest") //nolint:usetesting // that is closed to others
	if err != nil {
		t.Fatal(err)
	}
	shop := filepath.Join(dir, "shop")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(shop, 0o755), os.Symlink(repo, filepath.Join(dir, "bucketgen"))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return shop
}

// reader does what blocks say, one after the other.
type reader struct {
	t        *testing.T
	terminal *terminal
	last     string // line
	output   string // of the last line
	all      string // what the block printed
	status   int
	lines    int
	failed   bool // the last line failed, and its output has yet to be shown
}

func (r *reader) read(all []block) {
	r.t.Helper()
	for i := range all {
		b := &all[i]
		if b.stop != "" {
			r.terminal.interrupt(b.stop)
		}
		switch {
		case b.shown != "":
		case b.file != "":
			r.write(b)
		case b.lang == "sh":
			r.run(b)
		case b.lang == "text":
			r.compare(b)
		case b.lang == "sql":
			r.query(b)
		}
	}
	r.mayNotFail()
}

// write writes a file of the page.
func (r *reader) write(b *block) {
	r.t.Helper()
	name := filepath.Join(r.terminal.dir, b.file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(b.text), 0o644)); err != nil {
		r.t.Fatal(err)
	}
}

// run runs the lines of a block. A line may fail only if the page shows what it then prints.
func (r *reader) run(b *block) {
	r.t.Helper()
	r.all = ""
	for _, line := range b.lines() {
		r.mayNotFail()
		output, status := r.terminal.do(line)
		r.last, r.output, r.status, r.failed = line, output, status, status != 0
		r.all += output
		r.lines++
	}
	if b.record != "" {
		r.record(b)
	}
}

// record compares docs/img/terminal-NAME.svg with what the last line printed, or draws it.
func (r *reader) record(b *block) {
	r.t.Helper()
	file := filepath.Join(root, "docs", "img", "terminal-"+b.record+".svg")
	want := picture.Terminal(b.record, "$ "+r.last+"\n"+r.output)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(screen(want), screen(got)); diff != "" {
		r.t.Errorf("%s:%d: %s (-want +got):\n%s", b.page, b.line, file, diff)
	}
}

var (
	shownLine = regexp.MustCompile(`<text class="code[^>]*>([^<]*)</text>`)
	changing  = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z|\([^)]* ago\)`)
)

// screen returns the lines of a picture of a terminal, without what differs from run to run.
func screen(svg []byte) (lines []string) {
	for _, found := range shownLine.FindAllSubmatch(svg, -1) {
		lines = append(lines, changing.ReplaceAllString(string(found[1]), "…"))
	}
	return lines
}

func (r *reader) mayNotFail() {
	r.t.Helper()
	if r.failed {
		r.t.Fatalf("$ %s\n%sexit status %d", r.last, r.output, r.status)
	}
}

var reads = regexp.MustCompile(`(^|\| *)(cat|grep|(go run \./cmd/|\./)\w+ (members|count|explain|history|catalog|plan|webhooks dead|deployments)|curl -u \$\w+: (-s )?'?(\$\w+|https?:/|localhost:\d+)/\S+)`)

// compare checks that the block before, or its last line, printed what this one shows. What
// processes do in the background is waited for: a line that only reads is run again until it prints
// that.
func (r *reader) compare(b *block) {
	r.t.Helper()
	r.failed = false
	err := shows(r.output, b.text)
	if err == nil || shows(r.all, b.text) == nil {
		return
	}
	if !reads.MatchString(r.last) || strings.Contains(r.last, " -d ") {
		r.t.Fatalf("%s:%d: $ %s\n%v", b.page, b.line, r.last, err)
	}
	r.terminal.until(r.last, func() (bool, string) {
		r.output, _ = r.terminal.run(r.last)
		err := shows(r.output, b.text)
		if err == nil {
			return true, ""
		}
		return false, b.page + ": " + err.Error()
	})
}

// query runs a block of SQL in the reader's database.
func (r *reader) query(b *block) {
	r.t.Helper()
	r.mayNotFail()
	name := filepath.Join(r.t.TempDir(), "block.sql")
	if err := os.WriteFile(name, []byte(b.text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.last = `psql -X -q -v ON_ERROR_STOP=1 "$DATABASE_URL" -f ` + name
	r.output, r.status = r.terminal.do(r.last)
	r.failed = r.status != 0
}

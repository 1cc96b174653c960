package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/gotooltest"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bucketgen/bucketgen/internal/repotest"
)

var update = flag.Bool("update", false, "rewrite what scripts expect")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bucketgen": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	repotest.DependOn(t, repo)
	// The module cache is the test's: scripts with a private one would download it again.
	modCache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	params := testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"host": host, "private-postgres": privatePostgres, "status": status, "crlf": crlf,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("REPO", repo)
			env.Setenv("GOMODCACHE", strings.TrimSpace(string(modCache)))
			return nil
		},
	}
	if err := gotooltest.Setup(&params); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, params)
}

var (
	goLine   = regexp.MustCompile(`(?m)^go .*$`)
	requires = regexp.MustCompile(`(?ms)^require \(\n(.*?)^\)$`)
)

// host makes the current directory a module example.com/host that requires this one. With the
// argument "tool" go.mod is as after "go get -tool": it also requires what bucketgen requires. With
// "tidy" it is as after "go mod tidy" as well, except for surplus lines: it requires all that this
// module requires, so that nothing must be downloaded.
func host(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "tool" && args[0] != "tidy" {
		ts.Fatalf("usage: host [tool|tidy]")
	}
	repo := ts.Getenv("REPO")
	own, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	ts.Check(err)
	mod := fmt.Sprintf("module example.com/host\n\n%s\n\nrequire github.com/bucketgen/bucketgen v0.0.0\n\nreplace github.com/bucketgen/bucketgen => %s\n",
		goLine.Find(own), repo)
	if len(args) == 1 {
		needed := func(string) bool { return true }
		if args[0] == "tool" {
			needed = toolModules(ts, repo)
		}
		mod += "\nrequire (\n"
		for _, block := range requires.FindAllSubmatch(own, -1) {
			for line := range strings.Lines(string(block[1])) {
				if needed(strings.Fields(line)[0]) {
					mod += line
				}
			}
		}
		mod += ")\n\ntool github.com/bucketgen/bucketgen/cmd/bucketgen\n"
		sum, err := os.ReadFile(filepath.Join(repo, "go.sum"))
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs("go.sum"), sum, 0o644))
	}
	ts.Check(os.WriteFile(ts.MkAbs("go.mod"), []byte(mod), 0o644))
}

// toolModules returns a predicate for the modules that bucketgen is built from.
func toolModules(ts *testscript.TestScript, repo string) func(path string) bool {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/bucketgen") //nolint:noctx // scripts have no context
	cmd.Dir = repo
	out, err := cmd.Output()
	ts.Check(err)
	modules := strings.Fields(string(out))
	return func(path string) bool { return slices.Contains(modules, path) }
}

// privatePostgres lets programs start PostgreSQL. The home of the test contains a server downloaded
// before; where the test runs as root, the server's user cannot read the directory of a script.
func privatePostgres(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: private-postgres")
	}
	if home, err := os.UserHomeDir(); err == nil {
		ts.Setenv("HOME", home)
	}
	ts.Setenv("TMPDIR", os.TempDir())
}

// status runs a command that must exit with the given status: status 2 bucketgen ./buckets.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status number command [args...]")
	}
	got, exited := 0, (*exec.ExitError)(nil)
	err := ts.Exec(args[1], args[2:]...)
	switch {
	case errors.As(err, &exited):
		got = exited.ExitCode()
	case err != nil:
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// crlf ends the lines of files like Git on Windows: crlf gen/refs_gen.go.
func crlf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: crlf file...")
	}
	for _, pattern := range args {
		files, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if len(files) == 0 {
			ts.Fatalf("there is no %s", pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			ts.Check(err)
			ts.Check(os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), 0o644))
		}
	}
}

package emit_test

import (
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestStatic checks that generated packages are data: a program has nothing to initialise at
// start-up. Even then an object file has a function init, which only returns, so it is compared
// with that of a package without initialisation.
func TestStatic(t *testing.T) {
	t.Parallel()
	const module = "github.com/bucketgen/bucketgen"
	packages := []string{
		module + "/internal/bucketgen/emit/testdata/noinit",
		module + "/internal/bucketgen/emit/testdata/someinit",
		module + "/gen",
	}
	for _, g := range generated[1:] {
		packages = append(packages, module+"/internal/bucketgen/testdata/"+g.name+"/want/gen")
	}
	objects := strings.Fields(output(t, "go", append([]string{"list", "-export", "-f", "{{.Export}}"}, packages...)...))
	if len(objects) != len(packages) {
		t.Fatalf("%d object files of %d packages", len(objects), len(packages))
	}
	nothing := initSize(t, packages[0], objects[0])
	if nothing == 0 || initSize(t, packages[1], objects[1]) <= nothing {
		t.Fatal("this test does not find the initialisation")
	}
	for i := 2; i < len(packages); i++ {
		if got := initSize(t, packages[i], objects[i]); got != nothing {
			t.Errorf("initialising package %s is %d bytes of code, want %d", packages[i], got, nothing)
		}
	}
}

// initSize returns the size of the code that initialises the package.
func initSize(t *testing.T, pkg, object string) int {
	t.Helper()
	symbol := regexp.MustCompile(`(?m)^\s*[0-9a-f]+\s+(\d+) T ` + regexp.QuoteMeta(pkg) + `\.(?:map\.)?init(?:\.\d+)?$`)
	size := 0
	for _, match := range symbol.FindAllStringSubmatch(output(t, "go", "tool", "nm", "-size", object), -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil {
			t.Fatal(err)
		}
		size += n
	}
	if size == 0 {
		t.Errorf("package %s has no function init", path.Base(pkg))
	}
	return size
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

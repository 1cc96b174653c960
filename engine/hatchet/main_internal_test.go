package hatchet

import (
	"os"
	"testing"

	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// works are what this binary does in place of running tests, when a test has started it as a
// worker.
var works = map[string]func(string) error{}

// finally is what is done after all tests.
var finally []func()

func TestMain(m *testing.M) {
	child.Main(works)
	code := pgtest.Run(m)
	for _, f := range finally {
		f()
	}
	os.Exit(code)
}

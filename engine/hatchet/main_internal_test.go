package hatchet

import (
	"os"
	"testing"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// instead is what this binary does in place of running tests, when a test has started it as a
// worker.
var instead func() bool

// finally is what is done after all tests.
var finally []func()

func TestMain(m *testing.M) {
	if instead != nil && instead() {
		return
	}
	code := pgtest.Run(m)
	for _, f := range finally {
		f()
	}
	os.Exit(code)
}

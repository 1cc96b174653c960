package draw

import (
	"flag"
	"os"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var given = sync.OnceValue(func() bool {
	_, checks := os.LookupEnv("RAPID_CHECKS")
	flag.Visit(func(f *flag.Flag) { checks = checks || f.Name == "rapid.checks" })
	return checks
})

// Check checks a property so many times, unless -rapid.checks or RAPID_CHECKS says how often. When it fails, it prints
// the seed (-rapid.seed) with which it fails again.
func Check(t *testing.T, checks int, property func(*rapid.T)) {
	t.Helper()
	if !given() {
		set(t, "rapid.checks", strconv.Itoa(checks))
	}
	set(t, "rapid.nofailfile", "true") // the seed suffices
	rapid.Check(t, property)
}

func set(t *testing.T, name, value string) {
	t.Helper()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}

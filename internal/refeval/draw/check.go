package draw

import (
	"flag"
	"os"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// unit is how many cases rapid checks at a time.
const unit = 100

// setUp sets the flags of rapid, once: it reads them without a lock. It reports whether a flag or
// variable asks for a number of checks, or for a seed.
var setUp = sync.OnceValues(func() (asked bool, err error) {
	for _, name := range []string{"RAPID_CHECKS", "RAPID_SEED"} {
		_, set := os.LookupEnv(name)
		asked = asked || set
	}
	checks := strconv.Itoa(unit)
	flag.Visit(func(f *flag.Flag) {
		asked = asked || f.Name == "rapid.checks" || f.Name == "rapid.seed"
		if f.Name == "rapid.checks" {
			checks = f.Value.String()
		}
	})
	if env := os.Getenv("RAPID_CHECKS"); env != "" {
		checks = env
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		return asked, err
	}
	return asked, flag.Set("rapid.nofailfile", "true") // the seed suffices
})

// Check checks a property in the given number of cases, a multiple of 100, or as often as
// -rapid.checks or RAPID_CHECKS says. When it fails, it prints the seed with which it fails again:
// -rapid.seed.
func Check(t *testing.T, cases int, property func(*rapid.T)) {
	t.Helper()
	asked, err := setUp()
	if err != nil {
		t.Fatal(err)
	}
	if asked {
		cases = unit
	}
	for ; cases > 0; cases -= unit {
		rapid.Check(t, property)
	}
}

// Command match measures how long it takes to find the buckets that an event is about and to answer
// their criteria, without a database, beside expr and cel-go behind the same index and as a linear
// scan.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

type options struct {
	workload workload
	sizes    []int
	events   int
	rounds   int
	span     time.Duration
	others   bool
	profile  string
	figure   string
}

func main() {
	var o options
	sizes := flag.String("sizes", "100,1000,10000,100000", "numbers of buckets")
	flag.BoolVar(&o.workload.alone, "alone", false, "measure events that have all that is asked, of users without a history")
	flag.IntVar(&o.events, "events", 50, "events, each of another user")
	flag.IntVar(&o.rounds, "rounds", 8, "rounds, of which the best counts")
	flag.DurationVar(&o.span, "span", 50*time.Millisecond, "how long each is measured in a round")
	flag.BoolVar(&o.others, "others", true, "measure expr and cel-go, too")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a profile of the registry to this file")
	flag.StringVar(&o.figure, "svg", "", "draw the curves into this file")
	flag.Parse()
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			fail(fmt.Errorf("-sizes: %q is no number of buckets; write numbers with commas between them", s))
		}
		o.sizes = append(o.sizes, n)
	}
	if err := run(o); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "match:", err)
	os.Exit(1)
}

func run(o options) error {
	fmt.Println(heading)
	var results []result
	for _, n := range o.sizes {
		w, err := newWorld(n, o)
		if err != nil {
			return err
		}
		if err := w.agree(); err != nil {
			return err
		}
		r, err := w.measure(o)
		if err != nil {
			return err
		}
		fmt.Println(r)
		results = append(results, r)
	}
	if o.figure == "" {
		return nil
	}
	return draw(o.figure, results)
}

// profiled runs f under a profile, if one is wanted.
func profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}

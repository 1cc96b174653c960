package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// judge compares the last third of a run with the middle one, curve by curve: the first third is
// that in which everything comes to what it stays at. It prints the medians, and returns an error
// for each curve that grows.
func judge(out io.Writer, seen []observation) error {
	const least = 9
	if len(seen) < least {
		return fmt.Errorf("there are only %d observations", len(seen))
	}
	third := len(seen) / 3
	var errs []error
	before, after := &seen[2*third], &seen[len(seen)-1]
	if after.events == before.events || after.handled == before.handled { // where nothing happens, all is flat
		errs = append(errs, fmt.Errorf("in the last third of the run %d events were ingested and %d transitions handled; the load has stopped",
			after.events-before.events, after.handled-before.handled))
	}
	for i, c := range curves {
		was, is := median(seen[third:2*third], i), median(seen[2*third:], i)
		verdict := "flat"
		if most := 1.25*was + c.slack; is > most {
			verdict = "grows"
			errs = append(errs, fmt.Errorf("%s: median %.4g %s in the middle third of the run, %.4g in the last; the limit is %.4g", c.name, was, c.unit, is, most))
		}
		if _, err := fmt.Fprintf(out, "%-26s %10.4g %10.4g %-9s %s\n", c.name, was, is, c.unit, verdict); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

func median(of []observation, curve int) float64 {
	values := make([]float64, len(of))
	for i := range of {
		values[i] = of[i].values[curve]
	}
	slices.Sort(values)
	return values[len(values)/2]
}

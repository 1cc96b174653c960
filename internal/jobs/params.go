package jobs

import (
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen"
)

// The most that parameters may ask for.
const (
	mostUsers  = 1000
	mostWith   = 5
	mostTested = 1000
	mostWithin = 366 * 24 * 60 * 60
)

// Check returns an error unless jobs of the kind take the parameters. The error names the field.
func Check(kind bucketgen.JobKind, p bucketgen.JobParams) error {
	wrong := func(field, problem string, args ...any) error {
		return &bucketgen.InvalidError{Field: field, Problem: fmt.Sprintf(problem, args...)}
	}
	takes, known := fields[kind]
	if !known {
		return wrong("kind", "is %q; use plan, preview, backtest, funnel, overlap, flows, dwell, reconcile or retire", kind)
	}
	set := given(p)
	for _, field := range order {
		if set[field] && !slices.Contains(takes, field) {
			return wrong(field, "is given, and a job of the kind %s does not take it", kind)
		}
	}
	needs := slices.Contains(takes, "bucketId")
	with := mostWith
	if kind == bucketgen.JobBackTest {
		with = mostTested
	}
	switch {
	case needs && p.BucketID == "":
		return wrong("bucketId", "is missing; give the id of a bucket")
	case !(p.Sample >= 0 && p.Sample <= 1):
		return wrong("sample", "is %v; it must be more than 0 and at most 1", p.Sample)
	case p.Users < -1 || p.Users > mostUsers:
		return wrong("users", "is %d; it must be -1 for none, or up to %d", p.Users, mostUsers)
	case len(p.With) > with:
		return wrong("with", "has %d buckets; give up to %d", len(p.With), with)
	case slices.Contains(p.With, p.BucketID) && needs || len(slices.Compact(slices.Sorted(slices.Values(p.With)))) < len(p.With):
		return wrong("with", "has a bucket twice; give each once")
	case p.Against != "" && p.Recorded:
		return wrong("recorded", "is given, and against as well; give one of them")
	case p.WithinSeconds < 0 || p.WithinSeconds > mostWithin:
		return wrong("withinSeconds", "is %d; it must be from 1 to %d", p.WithinSeconds, mostWithin)
	case !p.Since.IsZero() && !p.Until.IsZero() && !p.Since.Before(p.Until):
		return wrong("since", "is not before until; give an earlier time")
	}
	return nil
}

// order is the order in which fields are checked.
var order = []string{"bucketId", "with", "emit", "sample", "users", "against", "recorded", "since", "until", "withinSeconds"}

// fields are those that each kind of job takes.
var fields = map[bucketgen.JobKind][]string{
	bucketgen.JobPlan:      {"emit", "sample", "users"},
	bucketgen.JobPreview:   {"bucketId", "sample", "users"},
	bucketgen.JobBackTest:  {"with", "against", "recorded", "until"},
	bucketgen.JobFunnel:    {"bucketId", "sample", "users"},
	bucketgen.JobOverlap:   {"bucketId", "with", "sample"},
	bucketgen.JobFlows:     {"bucketId", "since", "until", "withinSeconds"},
	bucketgen.JobDwell:     {"bucketId", "since", "until"},
	bucketgen.JobReconcile: {},
	bucketgen.JobRetire:    {"bucketId"},
}

// given returns which fields have a value.
func given(p bucketgen.JobParams) map[string]bool {
	return map[string]bool{
		"bucketId": p.BucketID != "", "with": len(p.With) > 0, "emit": p.Emit != "", "sample": p.Sample != 0, "users": p.Users != 0,
		"against": p.Against != "", "recorded": p.Recorded, "since": !p.Since.IsZero(), "until": !p.Until.IsZero(),
		"withinSeconds": p.WithinSeconds != 0,
	}
}

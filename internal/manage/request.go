package manage

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// BucketPath is the path of what is about a bucket.
type BucketPath struct {
	Bucket string `path:"bucket" doc:"Id of the bucket" example:"power-users"`
}

// Page is what is asked of lists.
type Page struct {
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"How many there are on a page, at most"`
	After string `query:"after" doc:"What next was on the page before; leave it out to begin"`
}

// answerable checks the headers and the query of a request, which matches a pattern, before its
// operation does. It returns nil if nothing is wrong.
func answerable(r *http.Request, pattern string) *problem.Problem {
	content := "application/json"
	switch {
	case strings.HasSuffix(pattern, ".csv"):
		content = contentCSV
	case strings.HasSuffix(pattern, ".jsonl"):
		content = contentLines
	}
	if !accepts(r.Header.Values("Accept"), content) {
		return problem.New(http.StatusNotAcceptable, fmt.Sprintf("the Accept is %q; answers are %s", r.Header.Get("Accept"), content))
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem.New(http.StatusBadRequest, "the query cannot be read; percent-encode what is in it")
	}
	for name, values := range query {
		if len(values) > 1 {
			return problem.Of(http.StatusBadRequest, name, fmt.Sprintf("is given %d times; give it once", len(values)))
		}
	}
	return nil
}

// accepts reports whether Accept headers allow a type of content.
func accepts(headers []string, content string) bool {
	group, _, _ := strings.Cut(content, "/")
	if len(headers) == 0 {
		return true
	}
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		kind, parameters, _ := strings.Cut(part, ";")
		if slices.Contains([]string{"", "*/*", group + "/*", content}, strings.ToLower(strings.TrimSpace(kind))) &&
			!refused(parameters) {
			return true
		}
	}
	return false
}

// refused reports whether a part of what is accepted is not, by a quality of zero.
func refused(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			q, err := strconv.ParseFloat(value, 64)
			return err == nil && q == 0
		}
	}
	return false
}

// bucket returns the ref of a bucket.
func (a *api) bucket(id string) (registry.Ref, error) {
	r := a.engine.Registry()
	ref, known := r.Ref(id)
	if known {
		return ref, nil
	}
	const most = 20
	ids := make([]string, 0, most)
	for i := range r.Tables().Buckets[:min(most, len(r.Tables().Buckets))] {
		ids = append(ids, r.Tables().Buckets[i].ID)
	}
	there := strings.Join(ids, ", ")
	if more := len(r.Tables().Buckets) - len(ids); more > 0 {
		there += fmt.Sprintf(" and %d others", more)
	}
	return ref, problem.Of(http.StatusNotFound, "bucket", "there is no bucket of this id; there are "+there)
}

// manual returns the ref of a manual bucket.
func (a *api) manual(id string) (registry.ManualRef, error) {
	ref, err := a.bucket(id)
	if err != nil {
		return registry.ManualRef{}, err
	}
	b, _ := a.engine.Registry().Tables().Bucket(id)
	if a.engine.Registry().Tables().Buckets[b].Kind != table.Manual {
		return registry.ManualRef{}, problem.Of(http.StatusConflict, "bucket", "the bucket has criteria, so its members cannot be changed by hand")
	}
	return registry.NewManualRef(ref.ID(), b), nil
}

// orNone returns a list that is not null.
func orNone[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// writable returns an error for a time that has no form in RFC 3339 in UTC, in which answers say
// it.
func writable(field string, at time.Time) error {
	if year := at.UTC().Year(); year < 1 || year > 9999 {
		return problem.Of(http.StatusBadRequest, field, fmt.Sprintf("is in the year %d in UTC; it must be in one from 1 to 9999", year))
	}
	return nil
}

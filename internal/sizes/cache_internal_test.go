package sizes

import (
	"errors"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
)

// TestCached reads an answer once for callers that accept its age, and again for those that do not.
func TestCached(t *testing.T) {
	t.Parallel()
	var k cached[int]
	reads, refused := 0, errors.New("refused")
	var fails error
	read := func() (int, error) { reads++; return reads, fails }
	get := func(maxAge time.Duration, want int) {
		t.Helper()
		if got, err := k.get(maxAge, read); err != nil || got != want {
			t.Errorf("got %d, %v; want %d", got, err, want)
		}
	}
	get(time.Hour, 1)
	k.took = time.Hour // what takes long is kept as long as callers accept it
	get(time.Hour, 1)
	get(time.Nanosecond, 2)
	k.took = 0 // what takes no time is kept for a second
	get(time.Hour, 2)
	k.at = k.at.Add(-fresh)
	get(time.Hour, 3)
	k.took = time.Hour
	fails = refused
	if _, err := k.get(time.Nanosecond, read); !errors.Is(err, refused) {
		t.Errorf("got %v, want %v", err, refused)
	}
	fails = nil
	get(time.Hour, 3) // an error is not kept
}

// TestCachedLists keeps different queries apart, and bounds their number.
func TestCachedLists(t *testing.T) {
	t.Parallel()
	var k Cache
	manual := true
	queries := []bucketgen.BucketQuery{
		{},
		{Text: "a"},
		{State: bucketgen.BucketLive},
		{Manual: &manual},
		{Manual: new(bool)},
		{Sort: bucketgen.SortBySize},
		{Descending: true},
		{Size: 7},
		{After: &bucketgen.BucketKey{}},
		{After: &bucketgen.BucketKey{ID: "a"}},
	}
	seen := map[*cached[bucketgen.BucketPage]]bool{}
	for i := range queries {
		seen[k.list(keyOf(&queries[i]))] = true
	}
	if len(seen) != len(queries) {
		t.Errorf("%d queries have %d lists", len(queries), len(seen))
	}
	for size := range 10 * maxLists {
		k.list(keyOf(&bucketgen.BucketQuery{Size: size}))
	}
	if len(k.lists) > maxLists {
		t.Errorf("%d lists are kept, more than %d", len(k.lists), maxLists)
	}
}

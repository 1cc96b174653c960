package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// identified returns an event of each of some users, with or without an anonymous id.
func identified(users int, anonymous bool) []engine.Event {
	events := make([]engine.Event, users)
	for i := range events {
		events[i] = engine.Event{UserID: "u" + itoa(i), Name: "visit"}
		if anonymous {
			events[i].AnonymousID = "a" + itoa(i)
		}
	}
	return events
}

// newTraced starts an engine with a suppression secret, whose statements are counted.
func newTraced(t *testing.T) (*engine.Engine, *tally) {
	t.Helper()
	count := &tally{}
	c := newClock(epoch)
	return startEngine(t, traced(t, count), registrytest.Build(t, pro), engine.Config{
		Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, Flushers: 1, MaxBatch: 2000, DeployPoll: time.Hour, SuppressionSecret: secret,
	}, nil), count
}

// TestStatementsOfKnownIDs compares the statements of events that carry a user id and an anonymous
// id of that user with those of events that carry a user id alone: once a process has seen the
// pair, there is no difference. Of users who are known no suppression is read.
func TestStatementsOfKnownIDs(t *testing.T) {
	t.Parallel()
	e, count := newTraced(t)
	for range 3 { // names, prepared statements, pairs of ids, histories
		ingestAll(t, e, identified(100, true))
		ingestAll(t, e, identified(100, false))
	}
	count.takeSent()
	for _, users := range []int{1, 7, 100} {
		ingestAll(t, e, identified(users, false))
		want := count.takeSent()
		ingestAll(t, e, identified(users, true))
		got := count.takeSent()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d users: -user id +both ids\n%s", users, diff)
		}
		if len(want) == 0 || slices.Contains(slices.Concat(want, got), db.SuppressionsOf) {
			t.Errorf("%d users: of %d statements one reads suppressions", users, len(want))
		}
	}
}

// TestStatementsOfNewIDs counts what events with ids that the process does not know take beside:
// one statement for all ids of a batch, and one for the suppressions of those that lead nowhere.
func TestStatementsOfNewIDs(t *testing.T) {
	t.Parallel()
	e, count := newTraced(t)
	ingestAll(t, e, identified(150, false))
	ingestAll(t, e, identified(50, true))
	count.takeSent()
	for _, part := range [][2]int{{50, 51}, {51, 100}} {
		ingestAll(t, e, identified(150, true)[part[0]:part[1]])
		asked := map[string]int{}
		for _, sql := range count.takeSent() {
			name, _, _ := strings.Cut(strings.TrimPrefix(sql, "-- name: "), " ")
			asked[name]++
		}
		for _, name := range []string{"IdentitiesUsers", "SuppressionsOf", "IdentitiesAttach"} {
			if asked[name] != 1 {
				t.Errorf("events %v: %s was sent %d times, want once", part, name, asked[name])
			}
		}
	}
}

package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// lookedUp is what people look up of a bucket and a user.
type lookedUp struct {
	Members, MembersAt   []engine.Member
	Count                int64
	Counts               map[string]int64
	Bucket               engine.Bucket
	Summary              engine.Summary
	Page                 engine.MemberPage
	Transitions          engine.TransitionPage
	Sizes                []engine.SizePoint
	History, HistoryPage []string
	Explanation          string
	Forecast             engine.Forecast
	BackTest             int64
	Found                []engine.FoundUser
	User                 engine.User
	Events               engine.EventPage
	HadAt                bool
}

// lookUp reads everything that goes by Config.Reader.
func lookUp(t *testing.T, e *engine.Engine, ref registry.BucketRef, user string, at time.Time) (l lookedUp, err error) {
	t.Helper()
	ctx := t.Context()
	try := func(do func() error) { err = errors.Join(err, do()) }
	list := func(into *[]engine.Member, from func() ([]engine.Member, int64, error)) {
		try(func() (err error) { *into, _, err = from(); return err })
	}
	list(&l.Members, func() ([]engine.Member, int64, error) { return e.MembersPage(ctx, ref, engine.Page{}) })
	list(&l.MembersAt, func() ([]engine.Member, int64, error) { return e.MembersAtPage(ctx, ref, at, engine.Page{}) })
	try(func() (err error) { l.Count, err = e.Count(ctx, ref); return err })
	try(func() (err error) { l.Counts, err = e.Counts(ctx); return err })
	try(func() (err error) { l.Bucket, err = e.Inspect().Bucket(ctx, ref); return err })
	try(func() (err error) { l.Summary, err = e.Inspect().Summary(ctx, 0); return err })
	try(func() (err error) { l.Page, err = e.Inspect().Members(ctx, ref, engine.MemberQuery{}); return err })
	try(func() (err error) {
		l.Transitions, err = e.Inspect().Transitions(ctx, ref, engine.TransitionQuery{})
		return err
	})
	try(func() (err error) {
		l.Sizes, err = e.MembershipHistory(ctx, ref, at.AddDate(0, 0, -2), at, engine.Daily)
		return err
	})
	for tr, failed := range e.History(ctx, user) {
		err = errors.Join(err, failed)
		l.History = append(l.History, tr.Key())
	}
	try(func() error {
		page, _, err := e.HistoryPage(ctx, user, engine.Page{})
		for _, tr := range page {
			l.HistoryPage = append(l.HistoryPage, tr.Key())
		}
		return err
	})
	try(func() error { x, err := e.Explain(ctx, ref, user); l.Explanation = x.String(); return err })
	try(func() (err error) {
		l.Forecast, err = e.Users().Forecast(ctx, user, engine.ForecastOptions{})
		return err
	})
	try(func() error {
		r, err := e.Deployments().BackTest(ctx, engine.BackTestOptions{Until: at})
		for _, b := range r.Buckets {
			l.BackTest += b.Entered
		}
		return err
	})
	try(func() (err error) { l.Found, err = e.Users().Search(ctx, user, 10); return err })
	try(func() (err error) { l.User, err = e.Users().Get(ctx, user); return err })
	try(func() (err error) { l.Events, err = e.Users().Events(ctx, user, "", nil, 10); return err })
	try(func() error { _, err := e.Catalog(ctx); return err })
	try(func() (err error) { l.HadAt, err = e.HasAt(ctx, ref, user, at); return err })
	return l, err
}

// TestReader looks everything up on a standby, which can write nothing: the results are those of an
// engine without a Reader. While the standby is behind, they are as old as it is, and what programs
// decide by is not. While it is away they fail, and ingest goes on.
func TestReader(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	primary := newReplicated(t)
	standby := startServer(t, primary.primary.Standby, postgres.Options{Settings: []string{"shared_buffers=32MB"}})
	operator := open(t, standby.URL)
	busy := bucket.Define(bucket.Spec{
		ID: "busy", Criteria: bucket.Event("visit").Within(bucket.Day).AtLeast(2), Dwell: []bucket.Tick{bucket.After(bucket.Hour)},
	})
	r := registrytest.Build(t, busy)
	ref := registrytest.Ref(t, r, "busy")
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	config := engine.Config{Now: func() time.Time { return now }, VirtualTime: true, NoClock: true, NoDelivery: true, Logger: slog.New(failOnError{slog.NewTextHandler(t.Output(), nil), t})}
	writer := startEngine(t, open(t, primary.primary.URL), r, config, nil)
	config.Reader = open(t, standby.URL)
	e := startEngine(t, open(t, primary.primary.URL), r, config, nil)
	visits := func(user string) {
		t.Helper()
		for range 2 {
			_, err := e.Ingest(ctx, engine.Event{UserID: user, Name: "visit", Traits: map[string]any{"email": user + "@example.com"}})
			must(t, err)
		}
	}
	visits("ada")
	visits("ben")
	now = now.Add(25 * time.Hour)
	_, err := e.Clock().RunDue(ctx)
	must(t, err)
	visits("ada")
	now = now.Add(time.Minute)
	replayed := func() {
		t.Helper()
		var end string
		must(t, primary.operator.QueryRow(ctx, "select pg_current_wal_lsn()::text").Scan(&end))
		eventually(t, func() bool {
			var there bool
			must(t, operator.QueryRow(ctx, "select pg_last_wal_replay_lsn() >= $1::text::pg_lsn", end).Scan(&there))
			return there
		})
	}
	replayed()
	want, err := lookUp(t, writer, ref, "ada", now)
	must(t, err)
	got, err := lookUp(t, e, ref, "ada", now)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-primary +standby\n%s", diff)
	}
	equal(t, "members", len(got.Members), 1)
	equal(t, "history", len(got.History), 4) // entered, ticked, left, entered

	_, err = operator.Exec(ctx, "select pg_wal_replay_pause()")
	must(t, err)
	visits("cyd")
	has, err := e.Has(ctx, ref, "cyd")
	must(t, err)
	equal(t, "has, while the standby is behind", has, true)
	n, err := e.Count(ctx, ref)
	must(t, err)
	equal(t, "count, while the standby is behind", n, 1)
	if _, err := e.Explain(ctx, ref, "cyd"); !errors.Is(err, engine.ErrUnknownUser) {
		t.Errorf("explain, while the standby is behind: got %v, want ErrUnknownUser", err)
	}
	_, err = operator.Exec(ctx, "select pg_wal_replay_resume()")
	must(t, err)
	replayed()
	n, err = e.Count(ctx, ref)
	must(t, err)
	equal(t, "count, once the standby has caught up", n, 2)

	must(t, standby.Halt())
	if _, err := e.Count(ctx, ref); err == nil {
		t.Error("counted on a standby that is away")
	}
	visits("dan")
	of, err := e.BucketsOf(ctx, "dan")
	must(t, err)
	equal(t, "buckets of dan", len(of[0].Buckets), 1)
	must(t, standby.Resume(context.WithoutCancel(ctx)))
}

package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// ear hears a feed, one item whenever it is asked.
type ear struct {
	t     testing.TB
	items chan engine.FeedItem
	stop  func()
	err   error // once items is closed
	begun engine.Cursor
}

// hear begins to hear a feed, and returns when it has begun.
func hear(t testing.TB, e *engine.Engine, o engine.FeedOptions) *ear {
	t.Helper()
	if o.Beat == 0 {
		o.Beat = time.Hour
	}
	ctx, cancel := context.WithCancel(t.Context())
	a := &ear{t: t, items: make(chan engine.FeedItem)}
	ended := make(chan struct{})
	a.stop = func() { cancel(); <-ended }
	go func() {
		defer close(ended)
		defer close(a.items)
		for item, err := range e.Feed(ctx, o) {
			if err != nil {
				a.err = err
				return
			}
			select {
			case a.items <- item:
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(a.stop)
	first := a.item()
	if first.Transition != nil {
		t.Fatalf("the feed begins with %v", *first.Transition)
	}
	a.begun = first.Cursor
	return a
}

// item returns the next item.
func (a *ear) item() engine.FeedItem {
	a.t.Helper()
	select {
	case item, open := <-a.items:
		if !open {
			a.t.Fatalf("the feed has ended: %v", a.err)
		}
		return item
	case <-time.After(waitfor.Long):
		a.t.Fatal("the feed returned nothing")
		panic("unreachable")
	}
}

// next returns the next n transitions.
func (a *ear) next(n int) []engine.FeedItem {
	a.t.Helper()
	items := make([]engine.FeedItem, n)
	for i := range items {
		items[i] = a.item()
		if items[i].Transition == nil {
			a.t.Fatalf("the feed gives only a cursor, want transition %d of %d", i, n)
		}
	}
	return items
}

// keys returns the keys of transitions.
func keys(items []engine.FeedItem) []string {
	out := []string{}
	for _, item := range items {
		out = append(out, item.Transition.Key())
	}
	return out
}

// begin begins a transaction in which a user joins pro.
func (w *world) begin(user string) pgx.Tx { //nolint:ireturn // as pgx has it
	w.t.Helper()
	tx, err := w.pool.Begin(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.IngestTx(w.t.Context(), tx, engine.Event{UserID: user, Traits: map[string]any{"plan": "pro"}}); err != nil {
		w.t.Fatal(err)
	}
	return tx
}

func (w *world) commit(tx pgx.Tx) {
	w.t.Helper()
	if err := tx.Commit(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// TestFeedTellsWhatCommitsLate lets transactions commit in another order than that of their numbers
// and of their ids, with others that never end in between.
func TestFeedTellsWhatCommitsLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	open := w.begin("open") // before everything, and never committed
	defer open.Rollback(t.Context())
	first := w.begin("first")
	a := hear(t, w.Engine, engine.FeedOptions{})
	second := w.begin("second")
	third := w.begin("third")
	w.commit(third)
	got := a.next(1)
	w.commit(first)
	got = append(got, a.next(1)...)
	w.identify("between", map[string]any{"plan": "pro"})
	got = append(got, a.next(1)...)
	w.commit(second)
	got = append(got, a.next(1)...)
	w.identify("last", map[string]any{"plan": "pro"})
	got = append(got, a.next(1)...)
	want := []string{"bucket:pro:third:entered:1", "bucket:pro:first:entered:1", "bucket:pro:between:entered:1", "bucket:pro:second:entered:1", "bucket:pro:last:entered:1"}
	equal(t, "transitions", keys(got), want)
	for i, item := range got { // a reader that comes back hears the rest, whichever way
		rest := hear(t, w.Engine, engine.FeedOptions{After: item.Cursor}).next(len(want) - i - 1)
		after := keys(rest)
		slices.Sort(after)
		left := slices.Clone(want[i+1:])
		slices.Sort(left)
		equal(t, "after "+want[i], after, left)
	}
	equal(t, "from the beginning", len(hear(t, w.Engine, engine.FeedOptions{After: a.begun}).next(len(want))), len(want))
}

// TestFeedTellsOfTransactionsWithoutANumberBelow lets a transaction log something before another
// that has a smaller number and commits first: as long as none with a greater number has come to an
// end, no reader sees that the first is under way.
func TestFeedTellsOfTransactionsWithoutANumberBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("ada", map[string]any{"plan": "pro"})
	a := hear(t, w.Engine, engine.FeedOptions{})
	begin := func() pgx.Tx {
		tx, err := w.pool.Begin(t.Context())
		must(t, err)
		_, err = tx.Exec(t.Context(), "select pg_current_xact_id()")
		must(t, err)
		return tx
	}
	log := func(tx pgx.Tx, entryCount int) {
		_, err := tx.Exec(t.Context(), `insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source)
			select t.contact_id, t.bucket_no, $1, 'entered', t.membership_id, now(), now(), 'event' from bucketgen.transitions t where t.entry_count = 1`, entryCount)
		must(t, err)
	}
	older, newer := begin(), begin() // a savepoint, as IngestTx has, would be given a number of its own
	log(newer, 2)
	log(older, 3)
	w.commit(older)
	got := a.next(1)
	w.commit(newer)
	got = append(got, a.next(1)...)
	want := []string{"bucket:pro:ada:entered:3", "bucket:pro:ada:entered:2"}
	equal(t, "transitions", keys(got), want)
	equal(t, "after the first", keys(hear(t, w.Engine, engine.FeedOptions{After: got[0].Cursor}).next(1)), want[1:])
	equal(t, "from the beginning", len(hear(t, w.Engine, engine.FeedOptions{After: a.begun}).next(2)), 2)
}

// TestFeedGoesOnInTheMidst takes up a feed after each transition of a round that was committed at
// once.
func TestFeedGoesOnInTheMidst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	a := hear(t, w.Engine, engine.FeedOptions{})
	late := w.begin("late")
	events := make([]engine.Event, 30)
	var want []string
	for i := range events {
		events[i] = engine.Event{UserID: "u" + itoa(100+i), Traits: map[string]any{"plan": "pro"}}
		want = append(want, "bucket:pro:u"+itoa(100+i)+":entered:1")
	}
	ingestAll(t, w.Engine, events)
	w.commit(late)
	want = append(want, "bucket:pro:late:entered:1")
	got := a.next(len(want))
	heard := keys(got)
	for i, item := range got {
		text := item.Cursor.String()
		cursor, err := engine.ParseCursor(text)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "after "+text, keys(hear(t, w.Engine, engine.FeedOptions{After: cursor}).next(len(got)-i-1)), heard[i+1:])
	}
	slices.Sort(heard)
	slices.Sort(want)
	equal(t, "transitions", heard, want)
}

func TestFeedFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, testers)
	all := hear(t, w.Engine, engine.FeedOptions{})
	some := hear(t, w.Engine, engine.FeedOptions{Buckets: []registry.BucketRef{w.ref("regulars"), w.manual("testers")}})
	w.identify("ada", map[string]any{"plan": "pro"})
	w.track("ada", "visit")
	w.track("ada", "visit")
	w.identify("ada", map[string]any{"plan": "free"})
	if _, err := w.Add(t.Context(), w.manual("testers"), "ada"); err != nil {
		t.Fatal(err)
	}
	equal(t, "all", keys(all.next(4)), []string{"bucket:pro:ada:entered:1", "bucket:regulars:ada:entered:1", "bucket:pro:ada:left:1", "bucket:testers:ada:entered:1"})
	equal(t, "some", keys(some.next(2)), []string{"bucket:regulars:ada:entered:1", "bucket:testers:ada:entered:1"})
	late := hear(t, w.Engine, engine.FeedOptions{After: all.begun, Buckets: []registry.BucketRef{w.ref("pro")}})
	equal(t, "late", keys(late.next(2)), []string{"bucket:pro:ada:entered:1", "bucket:pro:ada:left:1"})
}

// TestFeedBeats checks that a reader without transitions gets to know how far the feed is.
func TestFeedBeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	a := hear(t, w.Engine, engine.FeedOptions{Buckets: []registry.BucketRef{w.ref("regulars")}, Beat: time.Millisecond})
	all := hear(t, w.Engine, engine.FeedOptions{})
	w.identify("ada", map[string]any{"plan": "pro"})
	all.next(1)
	var beat engine.FeedItem
	for range 3 { // the first was on its way before
		beat = a.item()
		equal(t, "beats", beat.Transition == nil, true)
	}
	w.identify("bob", map[string]any{"plan": "pro"})
	equal(t, "after a beat", keys(hear(t, w.Engine, engine.FeedOptions{After: beat.Cursor}).next(1)), []string{"bucket:pro:bob:entered:1"})
}

// TestFeedBeatsAmongOthers checks that a reader without transitions gets to know how far the feed
// is, though transitions happen all the time that it does not ask for.
func TestFeedBeatsAmongOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	a := hear(t, w.Engine, engine.FeedOptions{Buckets: []registry.BucketRef{w.ref("regulars")}, Beat: 50 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	defer func() { cancel(); <-ended }()
	go func() {
		defer close(ended)
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := w.Ingest(ctx, engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": "pro"}}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}()
	for range 3 {
		equal(t, "beats", a.item().Transition == nil, true)
	}
}

// TestFeedOutlivesItsConnection takes the connection away from a feed, again and again.
func TestFeedOutlivesItsConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	a := hear(t, w.Engine, engine.FeedOptions{})
	for i := range 5 {
		eventually(t, func() bool {
			return w.count("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and query like '-- name: TransitionsSnapshot %'") == 1
		})
		user := "u" + itoa(i)
		w.identify(user, map[string]any{"plan": "pro"})
		equal(t, "transition", keys(a.next(1)), []string{"bucket:pro:" + user + ":entered:1"})
	}
}

// TestFeedOfACopy lets a log come from another server, where transactions had greater numbers.
func TestFeedOfACopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("ada", map[string]any{"plan": "pro"})
	execSQL(t, w, "update bucketgen.transitions set made_by = '1000000000000'")
	a := hear(t, w.Engine, engine.FeedOptions{})
	w.identify("bob", map[string]any{"plan": "pro"})
	equal(t, "transitions", keys(a.next(1)), []string{"bucket:pro:bob:entered:1"})
	equal(t, "rows of the other server", w.count("select count(*) from bucketgen.transitions where made_by is null"), 1)
}

func TestFeedRefusesCursors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, text := range []string{"x", "1", "1.2.", "1.2.3~", "1.2~1.2", "1.2~1.2~-1", "0.2", "1.-2", "1.2.9,8", "1.2~x~1", "99999999999999999999.1", "~~", "1.2.3.4"} {
		if _, err := engine.ParseCursor(text); err == nil || !strings.Contains(err.Error(), "cursor") {
			t.Errorf("%q: got %v, want an error", text, err)
		}
	}
	if c, err := engine.ParseCursor(""); err != nil || !c.IsZero() {
		t.Errorf("no text: got %v, %v, want no place", c, err)
	}
	for _, text := range []string{"1000000000000.1", "1.1~1000000000000.1~1"} {
		ahead, err := engine.ParseCursor(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range w.Feed(t.Context(), engine.FeedOptions{After: ahead}) {
			if !errors.Is(err, engine.ErrCursor) { // and nothing comes before
				t.Errorf("%s: got %v, want %v", text, err, engine.ErrCursor)
			}
		}
	}
	for _, err := range w.Feed(t.Context(), engine.FeedOptions{Buckets: []registry.BucketRef{registry.NewRef("nothing", 99)}}) {
		if !errors.Is(err, engine.ErrUnknownBucket) {
			t.Errorf("got %v, want %v", err, engine.ErrUnknownBucket)
		}
	}
}

// TestFeedEndsWithTheEngine stops an engine while a reader waits, and another after a reader has
// stopped.
func TestFeedEndsWithTheEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	a := hear(t, w.Engine, engine.FeedOptions{})
	left := hear(t, w.Engine, engine.FeedOptions{})
	left.stop()
	stop(t, w.Engine)
	if item, open := <-a.items; open || !errors.Is(a.err, engine.ErrStopped) {
		t.Errorf("got %v and %v, want %v", item, a.err, engine.ErrStopped)
	}
	for _, err := range w.Feed(t.Context(), engine.FeedOptions{}) {
		if !errors.Is(err, engine.ErrStopped) {
			t.Errorf("got %v, want %v", err, engine.ErrStopped)
		}
	}
}

// TestFeedIsReadSlowly lets more happen than the feed remembers while the reader does not ask for
// the next item.
func TestFeedIsReadSlowly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	a := hear(t, w.Engine, engine.FeedOptions{})
	w.identify("first", map[string]any{"plan": "pro"})
	const users = 12_000
	events := make([]engine.Event, users)
	for i := range events {
		events[i] = engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": "pro"}}
	}
	ingestAll(t, w.Engine, events)
	heard := keys(a.next(users + 1))
	w.sameLog("slowly", heard, w.log())
	w.identify("last", map[string]any{"plan": "pro"})
	equal(t, "then", keys(a.next(1)), []string{"bucket:pro:last:entered:1"})
}

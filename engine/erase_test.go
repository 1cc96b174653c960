package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

func (w *world) erase(id string) engine.Erasure {
	w.t.Helper()
	out, err := w.People().Erase(w.t.Context(), id, engine.EraseOptions{})
	if err != nil {
		w.t.Fatalf("erase %q: %v", id, err)
	}
	return out
}

// traces returns the tables and columns of which a row has one of some texts in it, whatever its
// type. A bytea is read as its bytes and as hexadecimal digits.
func (w *world) traces(texts ...string) []string {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `select c.relname::text, a.attname::text, a.atttypid = 'bytea'::regtype from pg_class c join pg_attribute a on a.attrelid = c.oid
		where c.relnamespace = 'bucketgen'::regnamespace and c.relkind in ('r', 'p', 'S', 'm') and a.attnum > 0 and not a.attisdropped`)
	must(w.t.(*testing.T), err)
	type column struct {
		Table, Name string
		Bytes       bool
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	must(w.t.(*testing.T), err)
	if len(columns) < 200 {
		w.t.Fatalf("the schema has only %d columns", len(columns))
	}
	var found []string
	for _, c := range columns {
		text := fmt.Sprintf("t.%q::text", c.Name)
		if c.Bytes {
			text += fmt.Sprintf(" || encode(t.%q, 'escape')", c.Name)
		}
		for _, part := range texts {
			n := w.count(fmt.Sprintf("select count(*) from bucketgen.%q t where strpos(%s, $1) > 0", c.Table, text), part)
			if n > 0 {
				found = append(found, c.Table+"."+c.Name)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// eraseBuckets are such that a person has rows in every table.
func eraseBuckets() []bucket.Definition {
	amount, kind := purchase.Number("amount"), visit.Text("kind")
	return []bucket.Definition{
		pro, regulars, dormant, testers,
		bucket.Define(bucket.Spec{ID: "spender", Criteria: purchase.Within(bucket.Week).Sum(amount).AtLeast(35)}),
		bucket.Define(bucket.Spec{ID: "curious", Criteria: visit.Within(bucket.Week).Distinct(kind).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "ordered", Criteria: visit.ThenWithin(bucket.Day, purchase).By(kind, purchase.Text("kind")).Exists()}),
		bucket.Define(bucket.Spec{ID: "filtered", Criteria: visit.Where(kind.Is("x")).Within(bucket.Week).AtLeast(3)}),
	}
}

// live lets a person do something of everything, by ids that contain a text.
func (w *world) live(t *testing.T, text string) {
	t.Helper()
	ada, former, anonymous := "ada-"+text, "former-"+text, "anonymous-"+text
	ctx := t.Context()
	for _, user := range []string{former, ada} {
		w.ingest(engine.Event{UserID: user, Traits: map[string]any{"plan": "free", "email": user + "@example.com", "name": "Ms. " + text}})
		w.ingest(engine.Event{UserID: user, Traits: map[string]any{"plan": "pro", "free text": text}, Key: "key " + text})
		for i := range 3 {
			w.ingest(engine.Event{UserID: user, Name: "visit", Properties: map[string]any{"kind": "x", "note": text}, Key: itoa(i)})
			w.ingest(engine.Event{UserID: user, Name: "visit", Properties: map[string]any{"kind": "k" + itoa(i) + text}})
		}
		w.ingest(engine.Event{UserID: user, Name: "purchase", Properties: map[string]any{"kind": "k1" + text, "amount": 40}})
	}
	_, err := w.Merge(ctx, former, ada)
	must(t, err)
	must(t, w.Users().Alias(ctx, anonymous, ada, engine.AliasOptions{}))
	_, err = w.Add(ctx, w.manual("testers"), ada)
	must(t, err)
	must(t, w.Audit().Do(ctx, &engine.AuditEntry{By: "eve", Via: "cli", Action: "add", UserID: ada}, func() error { return nil }))
	must(t, w.Audit().Do(ctx, &engine.AuditEntry{By: "eve", Via: "api", Action: "mergeUser", UserID: "other", Detail: "dry run: into " + ada}, func() error { return nil }))
	job, err := w.Jobs().Begin(ctx, "preview", engine.JobParams{BucketID: "pro"}, "eve")
	must(t, err)
	eventually(t, func() bool {
		j, err := w.Jobs().Get(ctx, job.ID)
		must(t, err)
		return j.Finished()
	})
	must(t, w.Delete(ctx, ada))
	_, err = w.Restore(ctx, ada)
	must(t, err)
}

// TestEraseEverything erases a person who has a row in every table that has rows of users, and
// searches all columns of all tables for the ids, the address and the contacts. Another person
// keeps all rows. The erasure is by the id of a user who was merged into the person (B3).
func TestEraseEverything(t *testing.T) {
	t.Parallel()
	const text, first, second = "lovelace77", "770770001", "770770002" // which is in every id and address; the contacts
	w := newWorld(t, eraseBuckets()...)
	_, err := w.pool.Exec(t.Context(), "alter table bucketgen.contacts alter column id restart with "+first)
	must(t, err)
	noop := func(context.Context, []engine.Delivery) ([]error, error) { return nil, nil }
	must(t, w.Forward(t.Context(), engine.Forwarder{
		Name: "crm", Subscriptions: []engine.Subscription{{Name: "crm", Kinds: []engine.Kind{engine.Entered, engine.Left, engine.Merged}}}, Func: noop,
	}))
	w.live(t, text)
	w.live(t, "babbage")
	w.kill(t, "ada-"+text)
	before := w.traces(text, first, second)
	for _, table := range append(slices.Clone(growing), "job_users", "audit", "jobs") {
		if table == "rollups" || table == "due" && w.count("select count(*) from bucketgen.due") == 0 { // no contact in it
			continue
		}
		if !slices.ContainsFunc(before, func(c string) bool { return strings.HasPrefix(c, table+".") }) {
			t.Errorf("the person has no row in %s; give them one in live", table)
		}
	}
	others := w.traces("babbage")
	out := w.erase("former-" + text)
	equal(t, "traces after", w.traces(text, first, second), []string{"hidings.user_id"})
	equal(t, "traces of the other", w.traces("babbage"), others)
	if out.Events == 0 || out.Rows == 0 || out.FinishedAt.IsZero() {
		t.Errorf("got %+v, want counts of rows", out)
	}
	w.clock.Advance(61 * time.Minute)
	w.forget(t)
	equal(t, "traces an hour later", w.traces(text, first, second), nil)
	if _, err := w.Users().Get(t.Context(), "ada-"+text); !errors.Is(err, engine.ErrUnknownUser) {
		t.Errorf("get: got %v, want that the user is unknown", err)
	}
	all, _, err := w.People().Erasures(t.Context(), engine.Page{})
	must(t, err)
	equal(t, "erasures", all, []engine.Erasure{out})
	if _, err := w.People().Erase(t.Context(), "ada-"+text, engine.EraseOptions{}); !errors.Is(err, engine.ErrUnknownUser) {
		t.Errorf("erase again: got %v, want that the user is unknown", err)
	}
}

// kill makes a dead letter of a delivery of a user, whose error has the id in it.
func (w *world) kill(t *testing.T, user string) {
	t.Helper()
	_, err := w.pool.Exec(t.Context(), `update bucketgen.deliveries d set state = 'dead', error = 'no account ' || $1
		where d.id = (select min(k.id) from bucketgen.deliveries k join bucketgen.contacts c on c.id = k.contact_id where c.user_id = $1)`, user)
	must(t, err)
}

// forget runs an engine for as long as it takes to delete what is old.
func (w *world) forget(t *testing.T) {
	t.Helper()
	e := w.start(engine.Config{NoDelivery: true}, nil)
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.hidings") == 0 })
	stop(t, e)
}

// TestEraseKeepsSizes erases one of ten members beside the rollup, many times: the size is nine
// from then on, and sizes of the past are as they were (B5).
func TestEraseKeepsSizes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	total := 0
	for round := range 100 {
		w.clock.Advance(3 * time.Hour)
		for i := range 10 {
			w.identify(fmt.Sprintf("u%d-%d", round, i), map[string]any{"plan": "pro"})
		}
		w.identify(fmt.Sprintf("u%d-9", round), map[string]any{"plan": "free"})
		if round%3 == 1 { // a deleted member left the size then
			must(t, w.Delete(t.Context(), fmt.Sprintf("u%d-0", round)))
		}
		w.clock.Advance(2 * time.Hour)
		now := w.clock.Now()
		before := w.sizes("pro", epoch, now, engine.Hourly)
		last := before[len(before)-1].Members
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if err := w.Clock().RollUp(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		for _, i := range []int{0, 9} { // a member, and one who has left
			group.Go(func() {
				if _, err := w.People().Erase(t.Context(), fmt.Sprintf("u%d-%d", round, i), engine.EraseOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		after := w.sizes("pro", epoch, now, engine.Hourly)
		total += 8
		equal(t, "sizes of the past", after[:len(after)-1], before[:len(before)-1])
		if round%3 != 1 {
			last--
		}
		equal(t, "size", int(last), int(after[len(after)-1].Members))
		equal(t, "members", total, int(last))
		w.rollUp()
		equal(t, "sizes once they are added up", w.sizes("pro", epoch, now, engine.Hourly), after)
		counted, err := w.Count(t.Context(), w.ref("pro"))
		must(t, err)
		equal(t, "count", int(counted), total)
		kept := w.count("select members from bucketgen.sizes") + w.count("select coalesce(sum(members), 0) from bucketgen.size_changes") +
			w.count(`select count(*) filter (where kind = 'entered') - count(*) filter (where kind = 'left') from bucketgen.transitions where id > (select up_to from bucketgen.rollup_progress)`)
		equal(t, "kept size", kept, total)
	}
}

// TestEraseLongLog erases a person with a long log: nothing finds them from then on, and the rest
// is deleted in steps, while the id is that of a new user.
func TestEraseLongLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.track("ada", "visit")
	_, err := w.pool.Exec(t.Context(), `insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind)
		select e.contact_id, e.event_no, e.occurred_at, e.received_at, e.kind from bucketgen.events e, generate_series(1, 100000) where e.event_no > 0`)
	must(t, err)
	out := w.erase("ada")
	if !out.FinishedAt.IsZero() {
		t.Errorf("got %+v, want an erasure that is not finished", out)
	}
	equal(t, "named", w.count("select count(*) from bucketgen.contacts where user_id = 'ada'"), 0)
	equal(t, "anew", w.identify("ada", map[string]any{"plan": "pro"}), []string{"entered pro 1"})
	e := w.start(engine.Config{NoDelivery: true}, nil)
	eventually(t, func() bool {
		all, _, err := e.People().Erasures(t.Context(), engine.Page{})
		must(t, err)
		return !all[0].FinishedAt.IsZero()
	})
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 1)
	equal(t, "events", w.count("select count(*) from bucketgen.events"), 1)
	all, _, err := e.People().Erasures(t.Context(), engine.Page{})
	must(t, err)
	equal(t, "deleted events", int(all[0].Events), 100_002)
}

// TestEraseRefuses names what is wrong.
func TestEraseRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	long := strings.Repeat("x", 256)
	for want, call := range map[string]func() error{
		"user_id: is empty": func() error { _, err := w.People().Erase(t.Context(), " ", engine.EraseOptions{}); return err },
		"ticket: is 256": func() error {
			_, err := w.People().Erase(t.Context(), "ada", engine.EraseOptions{Ticket: long})
			return err
		},
		"the user is unknown": func() error {
			_, err := w.People().Erase(t.Context(), "ada", engine.EraseOptions{Kind: "anonymous"})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestExportPerson exports a person: each table that has something about them is in it, and nothing
// of another person.
func TestExportPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eraseBuckets()...)
	const text = "lovelace77"
	w.live(t, text)
	w.live(t, "babbage")
	tables := map[string]bool{}
	for row, err := range w.People().Export(t.Context(), "", "former-"+text) {
		must(t, err)
		tables[row.Table] = true
		if strings.Contains(string(row.Row), "babbage") {
			t.Errorf("a row of another person: %s", row.Row)
		}
	}
	for _, found := range w.traces(text) {
		table, _, _ := strings.Cut(found, ".")
		if !tables[table] && table != "jobs" { // whose results have lists of users in job_users
			t.Errorf("%s has something about the person, and the export does not", found)
		}
	}
	for _, err := range w.People().Export(t.Context(), "user", "unknown") {
		if !errors.Is(err, engine.ErrUnknownUser) {
			t.Errorf("got %v, want that the user is unknown", err)
		}
	}
}

// TestEraseForgetsMemory erases a user whom two processes have in memory: the feed, the latest
// events and the names of merged users.
func TestEraseForgetsMemory(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	ctx := t.Context()
	w.identify("anon", map[string]any{"plan": "pro"})
	_, err := w.Merge(ctx, "anon", "ada")
	must(t, err)
	w.erase("ada")
	equal(t, "recent events", recently(w.Engine, engine.RecentQuery{}), "")
	result, err := w.Ingest(ctx, engine.Event{UserID: "anon", Traits: map[string]any{"plan": "pro"}})
	must(t, err)
	equal(t, "key", result.Transitions[0].Key(), "bucket:pro:anon:entered:1:life-2")
	again := false
	for item, err := range w.Feed(ctx, engine.FeedOptions{Beat: time.Millisecond}) {
		must(t, err)
		if item.Transition != nil {
			equal(t, "key in the feed", item.Transition.Key(), "bucket:pro:anon:left:1:life-2")
			break
		}
		if !again {
			again = true
			w.identify("anon", map[string]any{"plan": "free"})
		}
	}
}

// TestEraseKeepsSharedIDs erases one of two users of a device. The id of the device stays shared:
// it has no owner and is not suppressed, and a third user does not get it.
func TestEraseKeepsSharedIDs(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	for _, user := range []string{"ada", "bob"} {
		ingestAll(t, w.Engine, []engine.Event{{UserID: user, AnonymousID: "tv", Name: "visit"}})
	}
	w.suppress("ada")
	ingestAll(t, w.Engine, []engine.Event{{AnonymousID: "tv", Name: "visit"}, {UserID: "cyd", AnonymousID: "tv", Name: "visit"}})
	equal(t, "events of the shared contact", w.count(`select count(*) from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id
		where c.user_id = E'\x01shared\x01\x01anonymous\x01tv'`), 1)
	equal(t, "events of cyd", w.count(`select count(*) from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id where c.user_id = 'cyd'`), 1)
	equal(t, "ids of contacts that are gone", w.count(`select count(*) from bucketgen.identities i where not exists (select from bucketgen.contacts c where c.id = i.contact_id)`), 0)
	known, err := w.People().Suppression(t.Context(), engine.KindAnonymous, "tv")
	if err != nil || known.Suppressed {
		t.Errorf("the id that bob uses, too: got %+v, %v, want that it is not suppressed", known, err)
	}
}

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

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
)

// noticed includes anonymous contacts. Its members are those who ever visited.
var noticed = bucket.Define(bucket.Spec{ID: "noticed", Criteria: visit.Exists(), Anonymous: bucket.Include})

func anonymous() engine.Event { return engine.Event{AnonymousID: "1", Name: "visit"} }

// contacts returns how many contacts there are, with those who have expired.
func (w *world) contacts() int { return w.count("select count(*) from bucketgen.contacts") }

// TestAnonymousExpires lets anonymous contacts be silent for 30 days (A12). At that very instant
// the stay ends, which is delivered; then nothing is left, and the id is that of a new contact
// whose keys are new.
func TestAnonymousExpires(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	w := newSecretWorld(t, noticed, pro)
	one := engine.By(engine.KindAnonymous, "1")
	must(t, w.Forward(t.Context(), engine.Forwarder{
		Name: "crm", Subscriptions: []engine.Subscription{{Name: "crm", Kinds: []engine.Kind{engine.Left}}},
		Func: func(context.Context, []engine.Delivery) ([]error, error) { return nil, nil },
	}))
	equal(t, "first", w.ingest(anonymous()), []string{"entered noticed 1"})
	w.ingest(engine.Event{AnonymousID: "2", Name: "other"})
	w.clock.Advance(month - time.Microsecond)
	w.settle()
	equal(t, "member before", w.has("noticed", one), true)
	equal(t, "contacts before", w.contacts(), 2)
	w.clock.Advance(time.Microsecond)
	w.settle()
	equal(t, "members after", w.count("select count(*) from bucketgen.memberships where left_at is null"), 0)
	_, err := w.Users().Get(t.Context(), one)
	equal(t, "known after", err != nil, true)
	equal(t, "due after", w.count("select count(*) from bucketgen.due"), 0)

	result, err := w.Ingest(t.Context(), anonymous())
	must(t, err)
	equal(t, "again", brief(result.Transitions), []string{"entered noticed 1"})
	logged, _, err := w.HistoryPage(t.Context(), one, engine.Page{})
	must(t, err)
	equal(t, "history of the new contact", brief(logged), []string{"entered noticed 1"})

	w.ingest(engine.Event{AnonymousID: "3", Name: "other"})

	w.start(engine.Config{SuppressionSecret: secret, NoDelivery: true}, nil) // it sweeps
	eventually(t, func() bool { return w.contacts() == 3 })                  // 2 was never in a bucket
	equal(t, "rows that wait for the delivery", w.count("select count(*) from bucketgen.deliveries"), 1)

	var mu sync.Mutex
	var delivered []engine.Transition
	w.start(engine.Config{SuppressionSecret: secret, NoClock: true}, func(e *engine.Engine) {
		must(t, e.Forward(t.Context(), engine.Forwarder{
			Name: "crm", Subscriptions: []engine.Subscription{{Name: "crm", Kinds: []engine.Kind{engine.Left}}},
			Func: func(_ context.Context, all []engine.Delivery) ([]error, error) {
				mu.Lock()
				defer mu.Unlock()
				for _, d := range all {
					delivered = append(delivered, d.Transition)
				}
				return make([]error, len(all)), nil
			},
		}))
	})
	eventually(t, w.outboxEmpty)
	mu.Lock()
	equal(t, "delivered", brief(delivered), []string{"left noticed 1 by expired"})
	equal(t, "of", delivered[0].Who(), engine.ID{Kind: engine.KindAnonymous, Value: "1"})
	equal(t, "at", delivered[0].At, epoch.Add(month).UTC())
	if logged[0].MembershipID == delivered[0].MembershipID {
		t.Error("the keys of the new contact are those of the former")
	}
	equal(t, "key of the leave", delivered[0].Key(), fmt.Sprintf("bucket-of:anonymous:noticed:%d:left", delivered[0].MembershipID))
	mu.Unlock()

	w.clock.Advance(month / 2)
	w.ingest(anonymous())
	w.clock.Advance(month / 2) // which ends 3 only
	eventually(t, func() bool { return w.contacts() == 1 })
	w.checkNoOrphans(t)
	eventually(t, func() bool { // a roll-up does nothing while another engine does one
		w.rollUp()
		return w.count("select members from bucketgen.sizes") == 1
	})
}

// TestMergeOfExpired merges a visitor into a user who is ahead of the clock, by whose time the
// visitor has expired: the visitor ends, and the merge has nothing but the id.
func TestMergeOfExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noticed, pro)
	ahead := startEngine(t, w.pool, w.registry, engine.Config{
		NoClock: true, NoDelivery: true, VirtualTime: true, Now: func() time.Time { return w.clock.Now().Add(time.Minute) },
	}, nil)
	w.ingest(anonymous())
	w.clock.Advance(30*24*time.Hour - time.Second)
	_, err := ahead.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "other"})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = w.Merge(ctx, engine.By(engine.KindAnonymous, "1"), "ada")
	must(t, err)
	equal(t, "leaves", w.count("select count(*) from bucketgen.transitions where reason = 'expired'"), 1)
	equal(t, "events of ada", w.count("select count(*) from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id where c.user_id = 'ada'"), 1)
}

// TestExpiredAreLookedUp lets PostgreSQL explain the sweep of contacts that have expired, while
// half of all have: it may enter contacts by the index of those, and all else by the contact.
func TestExpiredAreLookedUp(t *testing.T) {
	t.Parallel()
	w := grown(t)
	for _, sql := range []string{`update bucketgen.contacts set erase_at = now(), merged_at = now() where id > 15000`, `vacuum analyze bucketgen.contacts`} {
		_, err := w.pool.Exec(t.Context(), sql)
		must(t, err)
	}
	for name, q := range map[string]hotQuery{
		"ExpiredFirst": {db.ExpiredFirst, ""},
		"ExpiredNext":  {db.ExpiredNext, "now() - interval '30 days', now() - interval '1 hour', now(), 2000, now()"},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			plan := explain(t, w, q.sql, mode, q.args)
			entered, wrong := readsOf(plan)
			wrong = slices.DeleteFunc(wrong, func(line string) bool { return strings.Contains(line, " using contacts_erase on contacts ") })
			if entered == 0 || len(wrong) > 0 {
				t.Errorf("%s (%s): want it to go by contact, got %q:\n%s", name, mode, wrong, plan)
			}
		}
	}
}

// TestEraseOfExpired erases a user one of whose ids was that of a visitor who expired before: of
// the visitor nothing is left, by whichever id the user is erased.
func TestEraseOfExpired(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"ada", engine.By(engine.KindAnonymous, "1")} {
		w := newWorld(t, noticed)
		w.ingest(anonymous())
		w.clock.Advance(30 * 24 * time.Hour)
		w.settle()
		w.ingest(engine.Event{UserID: "ada", AnonymousID: "1", Name: "other"})
		w.erase(id)
		equal(t, "contacts after "+id, w.contacts(), 0)
		equal(t, "transitions after "+id, w.count("select count(*) from bucketgen.transitions"), 0)
	}
}

// TestExpiredAndDeleted sends an event with the ids of a user who is deleted and of a visitor who
// has expired, before the clock got to it: the visitor ends, and the id is the user's.
func TestExpiredAndDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noticed)
	w.ingest(anonymous())
	w.ingest(engine.Event{UserID: "ada", Name: "other"})
	must(t, w.Delete(t.Context(), "ada"))
	w.clock.Advance(31 * 24 * time.Hour)
	_, err := w.Ingest(t.Context(), engine.Event{UserID: "ada", AnonymousID: "1", Name: "other"})
	if err != nil && !errors.Is(err, engine.ErrDeleted) {
		t.Fatal(err)
	}
	equal(t, "leaves", w.count("select count(*) from bucketgen.transitions where reason = 'expired'"), 1)
	equal(t, "ids of ada", w.count("select count(*) from bucketgen.identities i join bucketgen.contacts c on c.id = i.contact_id where c.user_id = 'ada'"), 1)
}

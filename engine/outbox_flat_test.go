package engine_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/gen/db"
)

// TestClaimCostsWhatItTakes counts the buffers that PostgreSQL reads to lease 16 deliveries, with
// few and with many that wait, in outboxes of several shapes: of many users and of few, of 26
// subscriptions, with deliveries that were put off in front of what waits, and with a paused
// bucket.
func TestClaimCostsWhatItTakes(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]waiting{
		"many users":         {users: 50_000, subscriptions: 1},
		"300 users":          {users: 300, subscriptions: 1},
		"26 subscriptions":   {users: 300, subscriptions: 26},
		"one user put off":   {users: 300, subscriptions: 1, before: "update bucketgen.deliveries set next_at = now() + interval '1 hour' where contact_id = 1 and id in (select min(id) from bucketgen.deliveries group by contact_id)"},
		"all are put off":    {users: 300, subscriptions: 26, before: "update bucketgen.deliveries set next_at = now() + interval '1 hour' where id in (select min(id) from bucketgen.deliveries group by contact_id, subscription_no)"},
		"a bucket is paused": {users: 300, subscriptions: 26, paused: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			most := 50_000
			if o.before != "" || o.paused != "" {
				most = 15_000 // each of which a claim marks first
			}
			few, many := o.buffers(t, 1_000), o.buffers(t, most)
			t.Logf("%d buffers with 1,000 waiting, %d with %d", few, many, most)
			if many > 2*few+100 {
				t.Errorf("a claim reads %d buffers with %d waiting, and %d with 1,000", many, most, few)
			}
		})
	}
}

// planned is how statements are planned in an exchange, by TransactionPlanned.
const planned = "force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off"

// waiting is a shape of an outbox.
type waiting struct {
	users, subscriptions int
	before               string // what happens before claims
	paused               string // numbers of buckets
}

// buffers returns how many buffers a claim reads with that number of waiting deliveries, once
// claims have seen what cannot go out.
func (o waiting) buffers(t *testing.T, deliveries int) int {
	t.Helper()
	w := newWorld(t, pro)
	for _, sql := range []string{
		fmt.Sprintf(`insert into bucketgen.contacts (user_id, created_at, updated_at) select 'h' || i, now(), now() from generate_series(1, %d) i`, o.users),
		fmt.Sprintf(`insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source)
			select i %% %d + 1, 1, i / %[1]d + 1, 'entered', i, now(), now(), 'event' from generate_series(0, %[2]d - 1) i`, o.users, deliveries/o.subscriptions),
		fmt.Sprintf(`insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at)
			select t.contact_id, s, 1, t.id, now() - interval '1 hour' from bucketgen.transitions t, generate_series(1, %d) s order by t.id, s`, o.subscriptions),
		o.before,
	} {
		if sql != "" {
			execSQL(t, w, sql)
		}
	}
	var nos, shares []string
	for s := range o.subscriptions {
		nos, shares = append(nos, itoa(s+1)), append(shares, itoa(max(16/o.subscriptions, 4)))
	}
	claim := func(share []string, most int) (q hotQuery) {
		return hotQuery{db.DeliveriesClaim, fmt.Sprintf("false, now(), array[%s], array[%s], 1, array[%s]::integer[], %d, now() + interval '1 minute', gen_random_uuid()",
			strings.Join(nos, ", "), strings.Join(share, ", "), o.paused, most)}
	}
	if o.before != "" || o.paused != "" {
		wide := strings.Split(strings.Repeat("1000 ", o.subscriptions), " ")[:o.subscriptions]
		for before := -1; ; { // claims that lease nothing find all that cannot go out
			q := claim(wide, 0)
			explainBy(t, w, "explain (analyze, costs off, timing off)", q.sql, planned, q.args)
			unmarked := w.count("select count(*) from bucketgen.deliveries where not behind and paused_no is null and next_at <= now()")
			if unmarked == before {
				break
			}
			before = unmarked
		}
	}
	least := 0
	for range 5 { // now and then another statement of the engine keeps the server from cleaning up
		execSQL(t, w, "vacuum bucketgen.deliveries") // as the server does by itself
		q := claim(shares, 16)
		plan := explainBy(t, w, "explain (analyze, buffers, costs off, timing off)", q.sql, planned, q.args)
		if n := buffersOf(t, plan); least == 0 || n < least {
			least = n
		}
	}
	return least
}

var shared = regexp.MustCompile(`Buffers: shared (?:hit=(\d+))?(?: ?read=(\d+))?`)

// buffersOf returns how many buffers a plan has read that was analysed.
func buffersOf(t *testing.T, plan string) int {
	t.Helper()
	found := shared.FindStringSubmatch(plan) // of the topmost node
	if found == nil {
		t.Fatalf("no buffers in\n%s", plan)
	}
	n := 0
	for _, text := range found[1:] {
		if text != "" {
			k, err := strconv.Atoi(text)
			must(t, err)
			n += k
		}
	}
	return n
}

// TestCompletionLocksInOrder lets PostgreSQL explain the statements that complete deliveries. They
// find each delivery once, and lock deliveries in the order of ids, because they go through a
// sorted list: two processes never wait for each other in a circle.
func TestCompletionLocksInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, name := range []string{"DeliveriesDone", "DeliveriesRelease"} {
		q := hotQueries()[name]
		plan := explainBy(t, w, "explain (costs off)", q.sql, planned, q.args)
		steps := regexp.MustCompile(`Nested Loop|Sort Key|(?:Index|Seq|Bitmap Heap)[ \w]* Scan.* on deliveries|Hash|Merge`).FindAllString(plan, -1)
		want := []string{"Nested Loop", "Sort Key", "Index Scan using deliveries_pkey on deliveries"}
		if !slices.Equal(steps, want) {
			t.Errorf("%s: got %q, want %q in\n%s", name, steps, want, plan)
		}
	}
}

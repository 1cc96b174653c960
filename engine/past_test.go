package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestAsOf asks who was a member at and around every instant at which anything happened, and
// compares with a scan of all stays. Some users come and go within an instant, and some are
// deleted.
func TestAsOf(t *testing.T) {
	t.Parallel()
	short := bucket.Define(bucket.Spec{ID: "short", Criteria: visit.Within(bucket.Hour).AtLeast(2), MaxDwell: 20 * bucket.Minute})
	w := newWorld(t, regulars, short, testers)
	rng := rand.New(rand.NewPCG(1, 2))
	instants := []time.Time{epoch, epoch.AddDate(10, 0, 0)}
	for range 300 {
		user := "u" + itoa(rng.IntN(20))
		switch rng.IntN(8) {
		case 0:
			add(t, w, user)
		case 1:
			for _, step := range []func(){func() { remove(t, w, user) }, func() { add(t, w, user) }, func() { remove(t, w, user) }} {
				step()
			}
		default:
			w.track(user, "visit")
		}
		w.clock.Advance(time.Duration(rng.IntN(4)) * 5 * time.Minute)
	}
	w.settle()
	deleted := map[string]time.Time{}
	for i := range 3 {
		user := "u" + itoa(i)
		if err := w.Delete(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		deleted[user] = w.clock.Now()
		w.clock.Advance(time.Minute)
	}
	stays := allStays(t, w)
	for _, s := range stays {
		instants = append(instants, s.entered, s.entered.Add(-time.Microsecond))
		if s.left.Before(lasting) {
			instants = append(instants, s.left, s.left.Add(-time.Microsecond))
		}
	}
	for _, at := range deleted {
		instants = append(instants, at, at.Add(-time.Microsecond))
	}
	slices.SortFunc(instants, time.Time.Compare)
	instants = slices.CompactFunc(instants, time.Time.Equal)
	counted := 0
	for _, id := range []string{"regulars", "short", "testers"} {
		for _, at := range instants {
			want := membersOf(stays, deleted, id, at)
			counted += len(want)
			compareAsOf(t, w, id, at, want, "u"+itoa(rng.IntN(20)))
		}
	}
	if counted < 1000 {
		t.Errorf("there were %d members in all, too few to say much", counted)
	}
}

// membersOf works out who was in a bucket at a time, by a scan of all stays.
func membersOf(stays []pastStay, deleted map[string]time.Time, id string, at time.Time) []string {
	var users []string
	for _, s := range stays {
		gone, isDeleted := deleted[s.user]
		if s.bucket == id && !s.entered.After(at) && s.left.After(at) && (!isDeleted || gone.After(at)) {
			users = append(users, s.user)
		}
	}
	slices.Sort(users)
	return users
}

// compareAsOf compares the members of a bucket at a time with what was worked out, and whether one
// user was among them.
func compareAsOf(t *testing.T, w *world, id string, at time.Time, want []string, user string) {
	t.Helper()
	var got []string
	for m, err := range w.MembersAt(t.Context(), w.ref(id), at) {
		if err != nil {
			t.Fatal(err)
		}
		if m.EnteredAt.After(at) || !m.LeftAt.IsZero() && !m.LeftAt.After(at) {
			t.Errorf("the stay of %s as of %s is %+v", m.UserID, at, m)
		}
		got = append(got, m.UserID)
	}
	slices.Sort(got)
	equal(t, fmt.Sprintf("%s as of %s", id, at), got, want)
	had, err := w.HasAt(t.Context(), w.ref(id), user, at)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, fmt.Sprintf("%s in %s as of %s", user, id, at), had, slices.Contains(want, user))
}

func add(t *testing.T, w *world, user string) {
	t.Helper()
	if _, err := w.Add(t.Context(), w.manual("testers"), user); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, w *world, user string) {
	t.Helper()
	if _, err := w.Remove(t.Context(), w.manual("testers"), user); err != nil {
		t.Fatal(err)
	}
}

// lasting is when a stay ends that lasts.
var lasting = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// pastStay is a stay as it is stored.
type pastStay struct {
	user, bucket  string
	entered, left time.Time
}

func allStays(t *testing.T, w *world) []pastStay {
	t.Helper()
	rows, err := w.pool.Query(t.Context(), `select c.user_id, b.id, m.entered_at, coalesce(m.left_at, $1)
		from bucketgen.memberships m join bucketgen.contacts c on c.id = m.contact_id join bucketgen.buckets b on b.no = m.bucket_no`, lasting)
	if err != nil {
		t.Fatal(err)
	}
	stays, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s pastStay, err error) {
		err = row.Scan(&s.user, &s.bucket, &s.entered, &s.left)
		return s, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return stays
}

// TestMembersAtInPages walks through the past by small pages while the stays that it meets end.
func TestMembersAtInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testers)
	want := []string{}
	for i := range 25 {
		user := fmt.Sprintf("u%02d", i)
		add(t, w, user)
		want = append(want, user)
	}
	at := w.clock.Now()
	w.clock.Advance(time.Minute)
	got, after := []string{}, int64(0)
	for {
		page, next, err := w.MembersAtPage(t.Context(), w.ref("testers"), at, engine.Page{After: after, Size: 4})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			got = append(got, m.UserID)
		}
		for _, user := range []string{got[len(got)-1], want[min(len(got)+5, 24)], want[min(len(got), 24)]} {
			remove(t, w, user)
		}
		if after = next; next == 0 {
			break
		}
	}
	equal(t, "members", got, want)
	if _, err := w.HasAt(t.Context(), nil, "ada", at); err == nil {
		t.Error("no bucket was given, and there is no error")
	}
	for _, err := range w.MembersAt(t.Context(), nil, at) {
		if err == nil {
			t.Error("no bucket was given, and there is no error")
		}
	}
	var last engine.Member
	for m, err := range w.MembersAt(t.Context(), w.ref("testers"), at) {
		if err != nil {
			t.Fatal(err)
		}
		last = m
	}
	equal(t, "the end of a stay that ended", last.LeftAt, w.clock.Now())
}

// TestPastIsReadByIndex counts the rows that PostgreSQL touches to list who was a member of a
// bucket that users enter and leave again and again, and most users never: a page, and no more.
func TestPastIsReadByIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, sql := range []string{
		`insert into bucketgen.contacts (user_id, created_at, updated_at) select 'h' || i, now(), now() from generate_series(1, 20000) i`,
		`insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, left_at, source)
			select i, b, 4 - k, now() - k * interval '2 hours', case when k > 1 or i % 2 = 0 then now() - k * interval '2 hours' + interval '1 hour' end, 'event'
			from generate_series(1, 20000) i, generate_series(1, 2) b, generate_series(1, 3) k where b = 2 or i % 40 < 2`,
		`analyze`,
	} {
		execSQL(t, w, sql)
	}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		q := hotQueries()["MembershipsPageAt"]
		plan := explainBy(t, w, "explain (analyze, costs off, timing off)", q.sql, mode, "now() - interval '1 hour 30 minutes', 1, 100, 100")
		for _, index := range []string{"memberships_ended", "memberships_members"} {
			if !strings.Contains(plan, index) {
				t.Errorf("the index %s is not used (%s):\n%s", index, mode, plan)
			}
		}
		if n := mostRows(t, plan); n > 100 {
			t.Errorf("%d rows are touched (%s):\n%s", n, mode, plan)
		}
	}
}

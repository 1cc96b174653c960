package server_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestManageBuckets lists buckets, pauses one and resumes it.
func TestManageBuckets(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.is(t, "ada", "pro")
	m.is(t, "bob", "pro")
	m.clock.Advance(time.Hour)
	m.is(t, "bob", "free")

	list, err := m.read.ListBuckets(ctx, client.ListBucketsParams{})
	all, wantErr := m.engine.Buckets(ctx)
	page, pageErr := m.engine.Inspect().Buckets(ctx, engine.BucketQuery{})
	same(t, "buckets", list.Buckets, err, page.Rows, errors.Join(wantErr, pageErr))
	if list.Total != 3 || !list.AsOf.Equal(m.clock.Now()) || list.Next != "" || list.Buckets[1].Members != 1 {
		t.Errorf("got %+v", list)
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	if want := []string{"active", "pro", "testers"}; !slices.Equal(ids, want) {
		t.Fatalf("got %v, want %v", ids, want)
	}

	got, err := m.read.GetBucket(ctx, "pro")
	if err != nil {
		t.Fatal(err)
	}
	want := client.BucketDetail{
		ID: "pro", Name: "pro", Fingerprint: all[1].Fingerprint, Words: []string{`plan is "pro"`, "every join is announced"},
		Members: 1, Hour: client.Flow{Left: 1}, Day: client.Flow{Entered: 2, Left: 1}, Ever: client.Flow{Entered: 2, Left: 1}, MeanDwellSeconds: 3600,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the bucket (-want +got):\n%s", diff)
	}

	for range 2 {
		if got, err = m.admin.PauseBucket(ctx, "pro"); err != nil || !got.Paused {
			t.Fatalf("pause: got %+v, %v", got, err)
		}
	}
	m.is(t, "cyd", "pro")
	if in, err := m.engine.Has(ctx, m.ref(t, "pro"), "cyd"); err != nil || in {
		t.Errorf("cyd joined a bucket that is paused: %v", err)
	}
	if got, err = m.admin.ResumeBucket(ctx, "pro"); err != nil || got.Paused {
		t.Fatalf("resume: got %+v, %v", got, err)
	}
	m.does(t, "cyd", "look")
	if in, err := m.engine.Has(ctx, m.ref(t, "pro"), "cyd"); err != nil || !in {
		t.Errorf("cyd did not join the bucket that was resumed: %v", err)
	}

	_, err = m.read.GetBucket(ctx, "por")
	refused(t, "another bucket", err, 404, "bucket")
	if want := "there is no bucket of this id; there are active, pro, testers"; err != nil && !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = m.admin.PauseBucket(ctx, "por")
	refused(t, "pause another bucket", err, 404, "bucket")
	_, err = m.admin.ResumeBucket(ctx, "por")
	refused(t, "resume another bucket", err, 404, "bucket")
}

// TestManageSizes reads the size of a bucket over time.
func TestManageSizes(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.is(t, "ada", "pro")
	m.clock.Advance(90 * time.Minute)
	m.is(t, "bob", "pro")
	m.is(t, "ada", "free")
	got, err := m.read.GetSizes(ctx, "pro", client.GetSizesParams{From: dawn, To: m.clock.Now(), Step: client.StepHour})
	want := []map[string]any{
		{"at": dawn, "entered": 1, "left": 0, "members": 1, "meanDwellSeconds": 0},
		{"at": dawn.Add(time.Hour), "entered": 1, "left": 1, "members": 1, "meanDwellSeconds": 5400},
	}
	same(t, "by the hour", got.Points, err, want, nil)
	got, err = m.read.GetSizes(ctx, "pro", client.GetSizesParams{Step: client.StepDay})
	if err != nil || len(got.Points) != 100 || got.Points[99].Entered != 2 || got.Points[99].At != dawn || got.Step != client.StepDay {
		t.Errorf("by the day: got %d points, %v; want 100 of which the last is today", len(got.Points), err)
	}
	zoned, err := m.read.GetSizes(ctx, "pro", client.GetSizesParams{From: dawn, To: m.clock.Now(), Step: client.StepDay, Tz: "America/New_York", By: "source"})
	wantZoned := []map[string]any{{ // it is the last day of the year before there
		"at": dawn.Add(-19 * time.Hour), "entered": 2, "left": 1, "members": 1, "meanDwellSeconds": 5400,
		"sources": []map[string]any{{"source": "event", "entered": 2, "left": 1}},
	}}
	same(t, "by the day of a zone and by source", zoned.Points, err, wantZoned, nil)
	both, err := m.read.GetAllSizes(ctx, client.GetAllSizesParams{Buckets: "pro,testers", From: dawn, To: m.clock.Now()})
	if err != nil || len(both.Buckets) != 2 || both.Buckets[0].BucketID != "pro" || both.Buckets[1].Points[1].Members != 0 {
		t.Errorf("of two buckets: got %+v, %v", both, err)
	}
	same(t, "of two buckets", both.Buckets[0].Points, nil, want, nil)
	_, err = m.read.GetAllSizes(ctx, client.GetAllSizesParams{Buckets: "pro,por"})
	refused(t, "one of two buckets", err, 404, "bucket")
	for name, zone := range map[string]string{"no zone": "Mars/Base", "a zone of half hours": "Asia/Kolkata"} {
		_, err := m.read.GetSizes(ctx, "pro", client.GetSizesParams{Step: client.StepDay, Tz: zone})
		refused(t, name, err, 400, "tz")
	}
	for field, params := range map[string]client.GetSizesParams{
		"from": {From: dawn, To: dawn.Add(-time.Hour)}, "step": {Step: "week"},
	} {
		_, err := m.read.GetSizes(ctx, "pro", params)
		refused(t, field, err, 400, field)
	}
	_, err = m.read.GetSizes(ctx, "pro", client.GetSizesParams{From: dawn.AddDate(-2, 0, 0)})
	refused(t, "too many hours", err, 400, "from")
	_, err = m.read.GetSizes(ctx, "por", client.GetSizesParams{})
	refused(t, "another bucket", err, 404, "bucket")
}

// TestManageMembers lists members page by page, while some come and go, and those of an earlier
// time.
func TestManageMembers(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	const users = 25
	for i := range users {
		m.is(t, fmt.Sprintf("u%02d", i), "pro")
	}
	m.clock.Advance(time.Hour)
	var got []string
	for member, err := range m.read.Members(ctx, "pro", client.ListMembersParams{Limit: 10}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, member.UserID)
		switch len(got) {
		case 3: // on the page that was read
			m.is(t, "u05", "free")
		case 10: // before and behind
			m.is(t, "u00", "free")
			m.is(t, "u20", "free")
			m.is(t, "new", "pro")
		}
	}
	want := []string{}
	for i := range users {
		if i != 20 {
			want = append(want, fmt.Sprintf("u%02d", i))
		}
	}
	if diff := cmp.Diff(append(want, "new"), got); diff != "" {
		t.Errorf("while they come and go (-want +got):\n%s", diff)
	}

	page, err := m.read.ListMembers(ctx, "pro", client.ListMembersParams{Limit: 4, AsOf: dawn})
	then, _, wantErr := m.engine.MembersAtPage(ctx, m.ref(t, "pro"), dawn, engine.Page{Size: 4})
	same(t, "as of dawn", page.Members, err, then, wantErr)
	if len(page.Members) != 4 || page.Next == "" || page.Members[0].LeftAt.IsZero() {
		t.Errorf("as of dawn: got %+v", page)
	}
	next, err := m.read.ListMembers(ctx, "pro", client.ListMembersParams{Limit: 1000, AsOf: dawn, After: page.Next})
	if err != nil || len(next.Members) != users-4 || next.Next != "" {
		t.Errorf("the others: got %d, %q, %v", len(next.Members), next.Next, err)
	}
	none, err := m.read.ListMembers(ctx, "testers", client.ListMembersParams{})
	if err != nil || none.Members == nil || len(none.Members) != 0 || none.Next != "" {
		t.Errorf("none: got %+v, %v", none, err)
	}
	timeline, err := m.read.GetTimeline(ctx, "u00", client.GetTimelineParams{Limit: 1})
	if err != nil || timeline.Next == "" {
		t.Fatalf("got %+v, %v", timeline, err)
	}
	for what, after := range map[string]string{"nonsense": "x", "a number": "12", "that of another list": timeline.Next} {
		_, err := m.read.ListMembers(ctx, "pro", client.ListMembersParams{After: after})
		refused(t, what, err, 400, "after")
	}
	_, err = m.read.ListMembers(ctx, "por", client.ListMembersParams{})
	refused(t, "another bucket", err, 404, "bucket")
}

// TestManageMember adds users to a bucket and removes them, and asks about them.
func TestManageMember(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	manual := registrytest.ManualRef(t, m.registry, "testers")
	for _, user := range []string{"ada", "a/b", "ä", "..", ".", "%2F", "a b?c#d", "{user}", "日本"} {
		got, err := m.admin.AddMember(ctx, "testers", user)
		if err != nil || len(got.Transitions) != 1 || got.Transitions[0].Transition != client.KindEntered || got.Transitions[0].UserID != user {
			t.Fatalf("add %q: got %+v, %v", user, got, err)
		}
		if in, err := m.engine.Has(ctx, manual, user); err != nil || !in {
			t.Errorf("%q is in it: %t, %v", user, in, err)
		}
		if got, err := m.admin.AddMember(ctx, "testers", user); err != nil || len(got.Transitions) != 0 {
			t.Errorf("add %q again: got %+v, %v", user, got, err)
		}
		is, err := m.read.GetMember(ctx, "testers", user)
		stay, _, wantErr := m.engine.Users().LatestStay(ctx, manual, user)
		same(t, user, is, err, map[string]any{"bucketId": "testers", "userId": user, "member": true, "stay": stay}, wantErr)
		where, err := m.read.ListUserBuckets(ctx, user)
		stays, wantErr := m.engine.Users().Stays(ctx, user)
		same(t, user, where, err, map[string]any{"userId": user, "buckets": stays}, wantErr)
		x, err := m.read.ExplainMember(ctx, "testers", user)
		want, wantErr := m.engine.Explain(ctx, manual, user)
		same(t, user, x, err, want, wantErr)
	}
	m.clock.Advance(time.Minute)
	got, err := m.admin.RemoveMember(ctx, "testers", "ada")
	if err != nil || len(got.Transitions) != 1 || got.Transitions[0].Reason != client.ReasonManual {
		t.Errorf("remove: got %+v, %v", got, err)
	}
	is, err := m.read.GetMember(ctx, "testers", "ada")
	if err != nil || is.Member || is.Stay == nil || !is.Stay.LeftAt.Equal(m.clock.Now()) {
		t.Errorf("who left: got %+v, %v", is, err)
	}
	is, err = m.read.GetMember(ctx, "pro", "ada")
	if err != nil || is.Member || is.Stay != nil {
		t.Errorf("who never was: got %+v, %v", is, err)
	}
	for _, user := range []string{"ada", "unknown"} {
		if got, err := m.admin.RemoveMember(ctx, "testers", user); err != nil || len(got.Transitions) != 0 {
			t.Errorf("remove %s: got %+v, %v", user, got, err)
		}
	}
	_, err = m.admin.AddMember(ctx, "pro", "ada")
	refused(t, "add to a dynamic bucket", err, 409, "bucket")
	_, err = m.admin.RemoveMember(ctx, "pro", "ada")
	refused(t, "remove from a dynamic bucket", err, 409, "bucket")
	_, err = m.admin.AddMember(ctx, "por", "ada")
	refused(t, "add to another bucket", err, 404, "bucket")
	if _, err = m.admin.PauseBucket(ctx, "testers"); err != nil {
		t.Fatal(err)
	}
	_, err = m.admin.AddMember(ctx, "testers", "ada")
	refused(t, "add to a paused bucket", err, 409, "bucket")
	_, err = m.read.GetMember(ctx, "testers", "unknown")
	refused(t, "unknown", err, 404, "user")
	_, err = m.read.ExplainMember(ctx, "testers", "unknown")
	refused(t, "explain unknown", err, 404, "user")
	_, err = m.read.ExplainMember(ctx, "por", "ada")
	refused(t, "explain another bucket", err, 404, "bucket")
}

// TestManageUsers asks what happened to users, deletes one and restores them.
func TestManageUsers(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for range 3 {
		m.is(t, "ada", "pro")
		m.is(t, "ada", "free")
		m.does(t, "ada", "order")
	}
	var got []client.Transition
	for tr, err := range m.read.Timeline(ctx, "ada", client.GetTimelineParams{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, tr)
	}
	var want []engine.Transition
	for tr, err := range m.engine.History(ctx, "ada") {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, tr)
	}
	if len(want) != 7 {
		t.Fatalf("%d things happened", len(want))
	}
	same(t, "timeline", got, nil, want, nil)

	x, err := m.read.ExplainMember(ctx, "active", "ada")
	why, wantErr := m.engine.Explain(ctx, m.ref(t, "active"), "ada")
	same(t, "explanation", x, err, why, wantErr)
	if x.Criteria == nil || x.Criteria.Evidence == nil || x.Criteria.Evidence.Count == nil || len(x.Next) != 1 {
		t.Errorf("got %+v, want evidence and what happens next", x)
	}

	for range 2 {
		if _, err := m.admin.DeleteUser(ctx, "ada"); err != nil {
			t.Fatal(err)
		}
	}
	_, err = m.read.ListUserBuckets(ctx, "ada")
	refused(t, "the buckets of who is deleted", err, 409, "user")
	_, err = m.read.GetTimeline(ctx, "ada", client.GetTimelineParams{})
	refused(t, "the timeline of who is deleted", err, 409, "user")
	_, err = m.read.ExplainMember(ctx, "active", "ada")
	refused(t, "explain who is deleted", err, 409, "user")
	_, err = m.admin.AddMember(ctx, "testers", "ada")
	refused(t, "add who is deleted", err, 409, "user")
	m.clock.Advance(48 * time.Hour)
	restored, err := m.admin.RestoreUser(ctx, "ada")
	if err != nil || len(restored.Transitions) != 1 || restored.Transitions[0].BucketID != "active" || restored.Transitions[0].Transition != client.KindLeft {
		t.Errorf("restore: got %+v, %v", restored, err)
	}
	where, err := m.read.ListUserBuckets(ctx, "ada")
	if err != nil || where.Buckets == nil || len(where.Buckets) != 0 {
		t.Errorf("got %+v, %v; want no bucket", where, err)
	}
	for what, do := range map[string]func(string) error{
		"buckets": func(user string) error { _, err := m.read.ListUserBuckets(ctx, user); return err },
		"timeline": func(user string) error {
			_, err := m.read.GetTimeline(ctx, user, client.GetTimelineParams{})
			return err
		},
	} {
		refused(t, what, do("unknown"), 404, "user")
		refused(t, what, do("\xff"), 400, "user")
		refused(t, what, do("a\x00b"), 400, "user")
	}
}

// TestManageOutbox lists backlogs and dead letters, and replays those.
func TestManageOutbox(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.down.Store(true)
	const users = 5
	for i := range users {
		m.is(t, fmt.Sprintf("u%d", i), "pro")
	}
	eventually(t, func() bool { return m.engine.Stats().DeadLetter == users })
	outbox, err := m.read.GetOutbox(ctx)
	backlogs, wantErr := m.engine.Outbox().Backlogs(ctx)
	same(t, "outbox", outbox.Subscriptions, err, backlogs, wantErr)
	if len(outbox.Subscriptions) != 1 || outbox.Subscriptions[0].Dead != users {
		t.Errorf("got %+v", outbox)
	}
	var got []client.DeadLetter
	for letter, err := range m.read.DeadLetters(ctx, client.ListDeadLettersParams{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, letter)
	}
	want := []map[string]any{}
	for l, err := range m.engine.Outbox().DeadLetters(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, map[string]any{"id": l.ID, "subscription": "welcome", "transition": l.Transition, "attempts": 1, "error": "down"})
	}
	same(t, "dead letters", got, nil, want, nil)
	if len(got) != users {
		t.Fatalf("got %d", len(got))
	}
	m.down.Store(false)
	for _, body := range []client.Replay{{}, {All: true, IDs: []int64{1}}} {
		_, err := m.admin.ReplayDeadLetters(ctx, body)
		refused(t, "neither or both", err, 400, "ids")
	}
	if replayed, err := m.admin.ReplayDeadLetters(ctx, client.Replay{IDs: []int64{got[0].ID, got[1].ID, 999}}); err != nil || replayed.Replayed != 2 {
		t.Errorf("replay some: got %+v, %v", replayed, err)
	}
	if replayed, err := m.admin.ReplayDeadLetters(ctx, client.Replay{All: true}); err != nil || replayed.Replayed != users-2 {
		t.Errorf("replay all: got %+v, %v", replayed, err)
	}
	eventually(t, func() bool { return m.engine.Stats().Delivered == users })
	left, err := m.read.ListDeadLetters(ctx, client.ListDeadLettersParams{})
	if err != nil || left.DeadLetters == nil || len(left.DeadLetters) != 0 {
		t.Errorf("afterwards: got %+v, %v", left, err)
	}
	_, err = m.read.ListDeadLetters(ctx, client.ListDeadLettersParams{After: "x"})
	refused(t, "a bad cursor", err, 400, "after")
}

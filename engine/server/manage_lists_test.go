package server_test

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageBucketList lists buckets in an order, in pages, and by what they are, as the Go API
// does.
func TestManageBucketList(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, user := range []string{"ada", "bob", "cyd"} {
		m.is(t, user, "pro")
	}
	m.clock.Advance(25 * time.Hour)
	m.is(t, "bob", "free")
	if _, err := m.admin.AddMember(ctx, "testers", "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.admin.PauseBucket(ctx, "active"); err != nil {
		t.Fatal(err)
	}
	manual := true
	for _, test := range []struct {
		name   string
		params client.ListBucketsParams
		query  engine.BucketQuery
		want   []string
	}{
		{"largest first", client.ListBucketsParams{Sort: "size", Order: "desc"}, engine.BucketQuery{Sort: bucketgen.SortBySize, Descending: true}, []string{"pro", "testers", "active"}},
		{"by leaves", client.ListBucketsParams{Sort: "left", Order: "desc"}, engine.BucketQuery{Sort: bucketgen.SortByLeft, Descending: true}, []string{"pro", "testers", "active"}},
		{"by name", client.ListBucketsParams{Sort: "name"}, engine.BucketQuery{Sort: bucketgen.SortByName}, []string{"active", "pro", "testers"}},
		{"paused", client.ListBucketsParams{State: client.BucketStatePaused}, engine.BucketQuery{State: bucketgen.BucketPaused}, []string{"active"}},
		{"manual", client.ListBucketsParams{Kind: "manual"}, engine.BucketQuery{Manual: &manual}, []string{"testers"}},
		{"by a part", client.ListBucketsParams{Q: "TEST"}, engine.BucketQuery{Text: "TEST"}, []string{"testers"}},
	} {
		page, err := m.read.ListBuckets(ctx, test.params)
		want, wantErr := m.engine.Inspect().Buckets(ctx, test.query)
		same(t, test.name, page.Buckets, err, want.Rows, wantErr)
		if page.Total != int64(want.Total) {
			t.Errorf("%s: got a total of %d, want %d", test.name, page.Total, want.Total)
		}
		var got []string
		for params := test.params; ; {
			params.Limit = 1
			page, err := m.read.ListBuckets(ctx, params)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page.Buckets[0].ID)
			if params.After = page.Next; params.After == "" {
				break
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v one by one, want %v", test.name, got, test.want)
		}
	}
	first, err := m.read.ListBuckets(ctx, client.ListBucketsParams{Sort: "size", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for field, params := range map[string]client.ListBucketsParams{
		"after": {After: first.Next}, "sort": {Sort: "color"}, "state": {State: "asleep"}, "kind": {Kind: "odd"}, "order": {Order: "up"}, "limit": {Limit: 1001},
	} {
		_, err := m.read.ListBuckets(ctx, params)
		refused(t, field, err, 400, field)
	}

	m.down.Store(true)
	got, err := m.read.GetSummary(ctx, client.GetSummaryParams{})
	want, wantErr := m.engine.Inspect().Summary(ctx, 0)
	if diff := got.OutboxLagSeconds - want.OutboxLagSeconds; diff > 60 || diff < -60 { // deliveries go on meanwhile
		t.Errorf("got %+v, want %+v", got, want)
	}
	got.OutboxLagSeconds, want.OutboxLagSeconds, got.Waiting, want.Waiting, got.Dead, want.Dead = 0, 0, 0, 0, 0, 0
	same(t, "summary", got, err, want, wantErr)
	if got.Buckets != 3 || got.Paused != 1 || !got.Agreed || !got.AsOf.Equal(m.clock.Now()) {
		t.Errorf("got %+v", got)
	}
}

// TestManageTransitions lists what happened to a bucket, by filters and in pages.
func TestManageTransitions(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for range 3 {
		m.is(t, "ada", "pro")
		m.clock.Advance(time.Hour)
		m.is(t, "bob", "pro")
		m.is(t, "ada", "free")
		m.clock.Advance(time.Hour)
		m.is(t, "bob", "free")
	}
	m.is(t, "cyd", "pro")
	if err := m.engine.Delete(ctx, "cyd"); err != nil {
		t.Fatal(err)
	}
	ref := m.ref(t, "pro")
	want := map[string][]engine.Transition{}
	for _, user := range []string{"ada", "bob"} {
		for _, tr := range m.history(t, user) {
			want["all"] = append(want["all"], tr)
			if tr.Kind == engine.Left {
				want["left"] = append(want["left"], tr)
			}
			if !tr.At.Before(dawn.Add(time.Hour)) && tr.At.Before(dawn.Add(4*time.Hour)) {
				want["range"] = append(want["range"], tr)
			}
		}
	}
	for _, test := range []struct {
		name   string
		params client.ListTransitionsParams
		query  engine.TransitionQuery
	}{
		{"all", client.ListTransitionsParams{}, engine.TransitionQuery{}},
		{"left", client.ListTransitionsParams{Kind: client.KindLeft, Source: client.SourceEvent, Reason: client.ReasonCriteria}, engine.TransitionQuery{Kind: engine.Left}},
		{"range", client.ListTransitionsParams{From: dawn.Add(time.Hour), To: dawn.Add(4 * time.Hour)}, engine.TransitionQuery{From: dawn.Add(time.Hour), To: dawn.Add(4 * time.Hour)}},
		{"none", client.ListTransitionsParams{Source: client.SourceManual}, engine.TransitionQuery{Source: engine.SourceManual}},
	} {
		for _, order := range []string{"asc", "desc"} {
			test.query.Oldest = order == "asc"
			wanted := slices.Clone(want[test.name])
			slices.SortStableFunc(wanted, func(a, b engine.Transition) int { return a.At.Compare(b.At) })
			test.params.Order, test.params.Limit = client.ListTransitionsParamsOrder(order), 2
			got := m.transitions(t, test.params)
			page, err := m.engine.Inspect().Transitions(ctx, ref, test.query)
			if err != nil {
				t.Fatal(err)
			}
			if len(wanted) > 0 {
				same(t, test.name+" "+order, got, nil, page.Transitions, err)
			}
			if order == "desc" {
				slices.Reverse(got)
			}
			if !slices.EqualFunc(got, wanted, func(a client.Transition, b engine.Transition) bool { return a.At.Equal(b.At) }) {
				t.Errorf("%s %s: got %+v, want %+v", test.name, order, got, wanted)
			}
		}
	}
	for field, params := range map[string]client.ListTransitionsParams{
		"kind": {Kind: "came"}, "source": {Source: "me"}, "reason": {Reason: "why"}, "order": {Order: "up"}, "after": {After: "x"}, "limit": {Limit: 1001},
	} {
		_, err := m.read.ListTransitions(ctx, "pro", params)
		refused(t, field, err, 400, field)
	}
	_, err := m.read.ListTransitions(ctx, "por", client.ListTransitionsParams{})
	refused(t, "another bucket", err, 404, "bucket")
}

// transitions returns those of the bucket pro, read in pages.
func (m *managed) transitions(t *testing.T, params client.ListTransitionsParams) (all []client.Transition) {
	t.Helper()
	for {
		page, err := m.read.ListTransitions(t.Context(), "pro", params)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Transitions...)
		if params.After = page.Next; params.After == "" {
			return all
		}
	}
}

// TestManageMemberFilters lists members by filters, and exports them.
func TestManageMemberFilters(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, user := range []string{"ada", "=b", "cyd", ".."} {
		if _, err := m.engine.Ingest(ctx, engine.Event{UserID: user, Traits: map[string]any{"plan": "pro", "email": user + "@Example.com"}}); err != nil {
			t.Fatal(err)
		}
		m.clock.Advance(time.Hour)
	}
	m.is(t, "ada", "free")
	m.is(t, "ada", "pro") // anew, and so the newest
	ref := m.ref(t, "pro")
	for _, test := range []struct {
		name   string
		params client.ListMembersParams
		query  engine.MemberQuery
		want   []string
	}{
		{"by default", client.ListMembersParams{}, engine.MemberQuery{}, []string{"ada", "=b", "cyd", ".."}},
		{"newest first", client.ListMembersParams{Order: "newest"}, engine.MemberQuery{Newest: true}, []string{"ada", "..", "cyd", "=b"}},
		{"by id", client.ListMembersParams{Q: ".."}, engine.MemberQuery{Text: ".."}, []string{".."}},
		{"by e-mail address", client.ListMembersParams{Q: "CYD@example.com"}, engine.MemberQuery{Text: "CYD@example.com"}, []string{"cyd"}},
		{"by both", client.ListMembersParams{Q: "cyd", EnteredAfter: dawn.Add(3 * time.Hour)}, engine.MemberQuery{Text: "cyd", EnteredFrom: dawn.Add(3 * time.Hour)}, nil},
		{"since", client.ListMembersParams{EnteredAfter: dawn.Add(2 * time.Hour)}, engine.MemberQuery{EnteredFrom: dawn.Add(2 * time.Hour)}, []string{"ada", "cyd", ".."}},
		{"before", client.ListMembersParams{Order: "newest", Before: dawn.Add(3 * time.Hour)}, engine.MemberQuery{Newest: true, EnteredBefore: dawn.Add(3 * time.Hour)}, []string{"cyd", "=b"}},
		{"by clock", client.ListMembersParams{Source: client.SourceClock}, engine.MemberQuery{Source: engine.SourceClock}, nil},
	} {
		test.params.Limit = 1
		got := []client.Member{}
		for member, err := range m.read.Members(ctx, "pro", test.params) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, member)
		}
		page, err := m.engine.Inspect().Members(ctx, ref, test.query)
		same(t, test.name, got, nil, page.Members, err)
		var ids []string
		for _, member := range page.Members {
			ids = append(ids, member.UserID)
		}
		if !slices.Equal(ids, test.want) || !page.AsOf.Equal(m.clock.Now()) {
			t.Errorf("%s: got %v as of %s, want %v", test.name, ids, page.AsOf, test.want)
		}
	}
	for field, params := range map[string]client.ListMembersParams{
		"q": {Q: "ada"}, "source": {Source: client.SourceEvent}, "before": {Before: dawn}, "order": {Order: "newest"}, "enteredAfter": {EnteredAfter: dawn},
	} {
		params.AsOf = dawn
		_, err := m.read.ListMembers(ctx, "pro", params)
		refused(t, field, err, 400, field)
	}

	for _, test := range []struct{ query, want string }{
		{"", "ada,ada@Example.com,2026-01-01T04:00:00Z,,2,5,event,user,ada,,\n'=b,'=b@Example.com,2026-01-01T01:00:00Z,,1,2,event,user,'=b,,\n" +
			"cyd,cyd@Example.com,2026-01-01T02:00:00Z,,1,3,event,user,cyd,,\n..,..@Example.com,2026-01-01T03:00:00Z,,1,4,event,user,..,,\n"},
		{"?order=newest&before=2026-01-01T02:00:00Z", "'=b,'=b@Example.com,2026-01-01T01:00:00Z,,1,2,event,user,'=b,,\n"},
		{"?asOf=2026-01-01T00:30:00Z", "ada,ada@Example.com,2026-01-01T00:00:00Z,2026-01-01T04:00:00Z,1,1,event,user,ada,,\n"},
		{"?q=absent", ""},
	} {
		status, header, text := m.get(t, "/v1/buckets/pro/members.csv"+test.query, m.board, "text/csv")
		if want := "userId,email,enteredAt,leftAt,entryCount,membershipId,source,idKind,id,enteredAsKind,enteredAsId\n" + test.want; status != 200 || text != want || header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("export %s: got %d\n%s\nwant\n%s", test.query, status, text, want)
		}
	}
	for path, want := range map[string]int{"/v1/buckets/por/members.csv": 404, "/v1/buckets/pro/members.csv?order=up": 400, "/v1/buckets/pro/members.csv?q=a&asOf=2026-01-01T00:30:00Z": 400} {
		if status, _, text := m.get(t, path, m.board, "*/*"); status != want {
			t.Errorf("%s: got %d %s, want %d", path, status, text, want)
		}
	}
	if status, _, _ := m.get(t, "/v1/buckets/pro/members.csv", m.write, "*/*"); status != 403 {
		t.Errorf("export by a write key: got %d", status)
	}
	if status, _, _ := m.get(t, "/v1/buckets/pro/members.csv", m.board, "application/json"); status != 406 {
		t.Errorf("export as JSON: got %d", status)
	}
}

// get sends a GET with a key.
func (m *managed) get(t *testing.T, path, key, accept string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Accept", accept)
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, got.Header, string(text)
}

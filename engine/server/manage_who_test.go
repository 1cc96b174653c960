package server_test

import (
	"iter"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestUsersWithoutUserID reads every answer that names users who have no user id, by each way to
// name them: each says the kind and the value of the id, and none has the mark that names begin
// with.
func TestUsersWithoutUserID(t *testing.T) {
	t.Parallel()
	m := newManaged(t, bucket.Define(bucket.Spec{ID: "visitors", Anonymous: bucket.Include, Criteria: orders.Exists()}))
	m.sends(t, engine.Event{AnonymousID: "phone", Name: "order"})
	m.sends(t, engine.Event{Email: "Bob@example.com", Name: "order"})
	get := func(path string) string {
		t.Helper()
		status, _, text := m.get(t, path, m.board, "*/*")
		if status != 200 || strings.Contains(text, `\u0001`) || strings.Contains(text, "\x01") {
			t.Errorf("GET %s: got %d, %s", path, status, text)
		}
		return text
	}
	has := func(path string, want ...string) {
		t.Helper()
		text := get(path)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("GET %s has no %s: %s", path, part, text)
			}
		}
	}
	const visitor, lead = `"anonymousId":"phone"`, `"ids":{"email":"bob@example.com"}`
	has("/v1/buckets/visitors/members", visitor, lead)
	has("/v1/buckets/visitors/members.csv", "anonymous,phone", "email,bob@example.com")
	has("/v1/buckets/visitors/transitions", visitor, lead)
	has("/v1/events", visitor, lead)
	for _, who := range []struct{ path, query, want string }{
		{"phone", "by=anonymous", visitor}, {"bob@example.com", "by=email", lead}, {url.PathEscape(engine.By("anonymous", "phone")), "", visitor},
	} {
		user := "/v1/users/" + who.path
		has(user+"?"+who.query, who.want)
		has(user+"/buckets?"+who.query, who.want)
		has(user+"/timeline?"+who.query, who.want)
		has(user+"/activity?"+who.query, who.want)
		has(user+"/forecast?"+who.query, who.want)
		has("/v1/buckets/visitors/members/"+who.path+"?"+who.query, who.want)
		has("/v1/buckets/visitors/members/"+who.path+"/explain?"+who.query, who.want)
		get(user + "/events?" + who.query)
		get(user + "/ids?" + who.query)
		get(user + "/export.jsonl?" + who.query)
	}
	has("/v1/events?user=phone&by=anonymous", visitor)
	if status, _, text := m.get(t, "/v1/users/phone?by=no+kind", m.board, "*/*"); status != 400 || !strings.Contains(text, `"field":"by"`) {
		t.Errorf("an impossible kind: got %d, %s", status, text)
	}
}

// memberOf returns the member who is a user.
func memberOf(t *testing.T, all iter.Seq2[engine.Member, error], user string) engine.Member {
	t.Helper()
	for m, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		if m.UserID == user {
			return m
		}
	}
	t.Fatalf("%s is no member", user)
	return engine.Member{}
}

// TestEnteredAs reads a stay that began under the anonymous id of a user, and one that did not.
func TestEnteredAs(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t, bucket.Define(bucket.Spec{ID: "visitors", Anonymous: bucket.Include, Criteria: orders.Exists()})), t.Context()
	m.sends(t, engine.Event{AnonymousID: "phone", Name: "order"})
	m.sends(t, engine.Event{UserID: "ada", AnonymousID: "phone", Name: "visit"})
	m.sends(t, engine.Event{UserID: "bob", Name: "order"})
	phone := engine.ID{Kind: engine.KindAnonymous, Value: "phone"}
	for user, want := range map[string]engine.ID{"ada": phone, "bob": {}} {
		is := func(what string, got *engine.ID) {
			t.Helper()
			if got == nil && want != (engine.ID{}) || got != nil && *got != want {
				t.Errorf("%s of %s: entered as %+v, want %+v", what, user, got, want)
			}
		}
		latest, _, err := m.engine.Users().LatestStay(ctx, m.ref(t, "visitors"), user)
		is("the latest stay", latest.EnteredAs)
		stays, failed := m.engine.Users().Stays(ctx, user)
		if err != nil || failed != nil || len(stays) != 1 {
			t.Fatalf("got %+v, %v, %v", stays, err, failed)
		}
		is("a stay", stays[0].EnteredAs)
		x, err := m.engine.Explain(ctx, m.ref(t, "visitors"), user)
		if err != nil {
			t.Fatal(err)
		}
		is("the explanation", x.Stay.EnteredAs)
		is("the member", memberOf(t, m.engine.Members(ctx, m.ref(t, "visitors")), user).EnteredAs)
		is("the member as of now", memberOf(t, m.engine.MembersAt(ctx, m.ref(t, "visitors"), m.clock.Now()), user).EnteredAs)
		in, err := m.read.GetMember(ctx, "visitors", user)
		if err != nil || in.Stay == nil || in.Stay.EnteredAs.Value != want.Value || in.Stay.EnteredAs.Kind != want.Kind {
			t.Errorf("the API says of %s: %+v, %v", user, in, err)
		}
	}
	for _, query := range []string{"", "?order=newest", "?q=ada"} {
		_, _, text := m.get(t, "/v1/buckets/visitors/members.csv"+query, m.board, "text/csv")
		if !strings.Contains(text, ",user,ada,anonymous,phone\n") || query != "?q=ada" && !strings.Contains(text, ",user,bob,,\n") {
			t.Errorf("members.csv%s: got %s", query, text)
		}
	}
}

// TestBodiesNameUsersByKind names users by other ids than user ids in bodies and paths.
func TestBodiesNameUsersByKind(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.sends(t, engine.Event{UserID: "ada", AnonymousID: "laptop", Name: "visit"})
	m.sends(t, engine.Event{Email: "bob@example.com", Name: "visit"})
	m.sends(t, engine.Event{AnonymousID: "phone", Name: "visit"})

	changed, err := m.admin.ChangeMembers(ctx, "testers", client.ChangeMembers{By: "email", UserIDs: []string{"Bob@example.com", "eve"}})
	if err != nil || changed.Changed != 1 || len(changed.Refused) != 1 || changed.Refused[0].UserID != "eve" {
		t.Errorf("change members: got %+v, %v", changed, err)
	}
	in, err := m.read.GetMember(ctx, "testers", "bob@example.com", client.GetMemberParams{By: "email"})
	if err != nil || !in.Member {
		t.Errorf("the lead is no member: %+v, %v", in, err)
	}
	tried, err := m.admin.Try(ctx, client.TriedEvent{By: "anonymous", UserID: "phone", Name: "visit"})
	if err != nil || tried.Created {
		t.Errorf("try: got %+v, %v", tried, err)
	}
	if _, err := m.admin.SendEvent(ctx, "bob@example.com", client.SentEvent{Name: "called"}, client.SendEventParams{By: "email"}); err != nil {
		t.Error(err)
	}
	if got, err := m.read.ListUserEvents(ctx, "bob@example.com", client.ListUserEventsParams{By: "email", Name: "called"}); err != nil || len(got.Events) != 1 {
		t.Errorf("events of the lead: got %+v, %v", got, err)
	}
	if _, err := m.admin.MergeUser(ctx, "phone", client.Merge{By: "email", Into: "bob@example.com"}, client.MergeUserParams{By: "anonymous"}); err != nil {
		t.Error(err)
	}
	if ids, err := m.read.ListUserIds(ctx, "phone", client.ListUserIdsParams{By: "anonymous"}); err != nil || len(ids.Ids) != 2 || ids.Ids[0].Value != "bob@example.com" {
		t.Errorf("ids after the merge: got %+v, %v", ids, err)
	}
	if got, err := m.admin.DiscardDeadLetters(ctx, client.Replay{DryRun: true, Filter: &client.DeadLetterFilter{By: "anonymous", UserID: "phone"}}); err != nil || got.Discarded != 0 {
		t.Errorf("dead letters: got %+v, %v", got, err)
	}
	j, err := m.admin.EraseUsers(ctx, client.ErasePeople{By: "anonymous", IDs: []string{"phone", "laptop"}, Rate: 1000})
	eventually(t, func() bool {
		if err == nil {
			j, err = m.read.GetJob(ctx, j.ID)
		}
		return err != nil || !j.FinishedAt.IsZero()
	})
	if err != nil || j.Erase.Erased != 2 {
		t.Errorf("erase: got %+v, %v", j, err)
	}

	_, err = m.admin.ChangeMembers(ctx, "testers", client.ChangeMembers{By: "no kind", UserIDs: []string{"x"}})
	refused(t, "an impossible kind in a body", err, 400, "by")
	_, err = m.admin.DiscardDeadLetters(ctx, client.Replay{All: true, Filter: &client.DeadLetterFilter{By: "shared"}})
	refused(t, "an impossible kind within a body", err, 400, "filter.by")
	_, err = m.read.ListEvents(ctx, client.ListEventsParams{By: "email"})
	refused(t, "a kind without an id", err, 400, "by")
}

// TestManageUnlink takes ids away from users. The audit log has the kind, and no id.
func TestManageUnlink(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.sends(t, engine.Event{UserID: "ada", AnonymousID: "laptop", Name: "visit"})
	by := client.UnlinkIDParams{By: "anonymous"}
	_, err := m.read.UnlinkID(ctx, "laptop", by)
	refused(t, "by a reader", err, 403, "")
	_, err = m.admin.UnlinkID(ctx, "ada")
	refused(t, "a user id", err, 400, "user")
	_, err = m.admin.UnlinkID(ctx, "watch", by)
	refused(t, "an unknown id", err, 404, "user")
	id, err := m.admin.UnlinkID(ctx, "laptop", by)
	if err != nil || id.Kind != "anonymous" || id.Value != "laptop" || !id.Shared {
		t.Errorf("got %+v, %v", id, err)
	}
	m.sends(t, engine.Event{AnonymousID: "laptop", Name: "order"})
	if got := m.events(t, "ada", "order"); len(got) != 0 {
		t.Errorf("what comes by the id is still the user's: %+v", got)
	}
	log, err := m.read.ListAudit(ctx, client.ListAuditParams{Action: "unlinkId"})
	if err != nil || len(log.Entries) != 3 {
		t.Fatalf("audit: got %+v, %v", log, err)
	}
	for _, e := range log.Entries {
		if e.UserID != "" || strings.Contains(e.Detail, "laptop") || !strings.Contains(e.Detail, "an id of the kind ") {
			t.Errorf("the audit log has %+v", e)
		}
	}
	if log.Entries[0].Outcome != "done" || log.Entries[0].Detail != "an id of the kind anonymous" {
		t.Errorf("the audit log has %+v", log.Entries[0])
	}
}

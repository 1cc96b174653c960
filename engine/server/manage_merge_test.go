package server_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageMerge merges users by the API: a dry run changes nothing, and the merge is what it
// said.
func TestManageMerge(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.is(t, "visitor", "pro")
	m.does(t, "ada", "order")
	dry, err := m.admin.MergeUser(ctx, "visitor", client.Merge{Into: "ada", DryRun: true})
	if err != nil || dry.Preview == nil || len(dry.Preview.Stays) == 0 {
		t.Fatalf("dry run: got %+v, %v", dry, err)
	}
	if u, err := m.read.GetUser(ctx, "visitor"); err != nil || u.UserID != "visitor" {
		t.Errorf("after the dry run: got %+v, %v", u, err)
	}
	made, err := m.admin.MergeUser(ctx, "visitor", client.Merge{Into: "ada"})
	same(t, "transitions", dry.Transitions, nil, made.Transitions, err)
	if made.Preview != nil {
		t.Errorf("the merge has a preview: %+v", made.Preview)
	}
	if u, err := m.read.GetUser(ctx, "visitor"); err != nil || u.UserID != "ada" {
		t.Errorf("after the merge: got %+v, %v", u, err)
	}
	stays, err := m.read.ListUserBuckets(ctx, "ada")
	if err != nil || len(stays.Buckets) != len(dry.Preview.Stays) {
		t.Errorf("got %+v, %v; the dry run has %+v", stays, err, dry.Preview.Stays)
	}
	_, err = m.read.MergeUser(ctx, "ada", client.Merge{Into: "bob", DryRun: true})
	refused(t, "a reader", err, 403, "")
	_, err = m.admin.MergeUser(ctx, "ada", client.Merge{})
	refused(t, "without into", err, 400, "into")
	if _, err := m.admin.DeleteUser(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	_, err = m.admin.MergeUser(ctx, "carl", client.Merge{Into: "ada"})
	refused(t, "into a deleted user", err, 409, "user")
	audit, err := m.read.ListAudit(ctx, client.ListAuditParams{Action: "mergeUser", User: "visitor"})
	if err != nil || len(audit.Entries) != 2 || audit.Entries[0].Detail != "into ada" || audit.Entries[1].Detail != "dry run: into ada" {
		t.Errorf("the audit log: got %+v, %v", audit.Entries, err)
	}
}

// TestManageTry tries an event, then sends it, and compares.
func TestManageTry(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.is(t, "ada", "free")
	for _, user := range []string{"ada", "newcomer"} {
		tried, err := m.admin.Try(ctx, client.TriedEvent{UserID: user, Traits: map[string]any{"plan": "pro"}})
		if err != nil || tried.Created != (user == "newcomer") || len(tried.Transitions) == 0 {
			t.Fatalf("%s: got %+v, %v", user, tried, err)
		}
		flipped := false
		for _, b := range tried.Evaluated {
			flipped = flipped || b.BucketID == "pro" && !b.Before && b.After && len(b.Flips) == 1 && b.Flips[0].Holds && b.Flips[0].Evidence != nil
		}
		if !flipped {
			t.Errorf("%s: pro does not flip: %+v", user, tried.Evaluated)
		}
		if stays, err := m.read.ListUserBuckets(ctx, user); err == nil && len(stays.Buckets) > 0 {
			t.Errorf("%s: the try has changed memberships: %+v", user, stays.Buckets)
		}
		sent, err := m.admin.SendEvent(ctx, user, client.SentEvent{Traits: map[string]any{"plan": "pro"}})
		same(t, user, tried.Transitions, nil, sent.Transitions, err)
		stays, err := m.read.ListUserBuckets(ctx, user)
		if err != nil || len(stays.Buckets) != len(tried.Buckets) || stays.Buckets[0].BucketID != tried.Buckets[0] {
			t.Errorf("%s: got %+v, %v; the try has %v", user, stays.Buckets, err, tried.Buckets)
		}
	}
	_, err := m.read.Try(ctx, client.TriedEvent{UserID: "ada", Name: "order"})
	refused(t, "a reader", err, 403, "")
	_, err = m.admin.Try(ctx, client.TriedEvent{UserID: "ada"})
	refused(t, "without a name and traits", err, 400, "name")
}

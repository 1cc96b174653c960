package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestAudit makes changes by the API and by the command line, and reads who made them.
func TestAudit(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.clock.Advance(time.Hour)
	for _, user := range []string{"ada", "b\x00d", strings.Repeat("x", 300)} {
		_, _ = m.admin.AddMember(ctx, "testers", user)
	}
	if _, err := m.admin.PauseBucket(ctx, "pro"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.admin.PauseBucket(ctx, "none"); err == nil {
		t.Fatal("an unknown bucket is paused")
	}
	if _, err := m.read.PauseBucket(ctx, "pro"); err == nil {
		t.Fatal("a reader pauses a bucket")
	}
	if _, err := m.read.GetBucket(ctx, "pro"); err != nil {
		t.Fatal(err)
	}
	type short struct{ By, Via, Action, Bucket, User, Object, Outcome string }
	read := func(p client.ListAuditParams) (all []short) {
		t.Helper()
		got, err := m.read.ListAudit(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Entries {
			all = append(all, short{e.By, e.Via, e.Action, e.BucketID, e.UserID, e.Object, e.Outcome})
			if e.Via == "api" && (!e.At.Equal(m.clock.Now()) || e.Key == 0) {
				t.Errorf("got %+v, want it at %v by a key", e, m.clock.Now())
			}
		}
		return all
	}
	me := read(client.ListAuditParams{Action: "keys create"})
	if len(me) != 3 || me[0].By == "" || me[0].By != me[2].By {
		t.Fatalf("the keys were made by %+v", me)
	}
	want := []short{
		{"ops", "api", "pauseBucket", "none", "", "", "refused"},
		{"ops", "api", "pauseBucket", "pro", "", "", "done"},
		{"ops", "api", "addMember", "testers", strings.Repeat("x", 300), "", "refused"},
		{"ops", "api", "addMember", "testers", "bd", "", "refused"},
		{"ops", "api", "addMember", "testers", "ada", "", "done"},
		{me[0].By, "cli", "keys create", "", "", "ops", "done"},
		{me[0].By, "cli", "keys create", "", "", "board", "done"},
		{me[0].By, "cli", "keys create", "", "", "web", "done"},
	}
	if diff := cmp.Diff(want, read(client.ListAuditParams{})); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:2], read(client.ListAuditParams{Bucket: "pro"})); diff != "" {
		t.Errorf("of a bucket (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[4:5], read(client.ListAuditParams{User: "ada"})); diff != "" {
		t.Errorf("of a user (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:5], read(client.ListAuditParams{By: "ops"})); diff != "" {
		t.Errorf("of a person (-want +got):\n%s", diff)
	}
	page, err := m.read.ListAudit(ctx, client.ListAuditParams{Limit: 5})
	all, _, wantErr := m.engine.Audit().Page(ctx, engine.AuditFilter{}, engine.Page{Size: 5})
	same(t, "a page", page.Entries, err, all, wantErr)
	rest, err := m.read.ListAudit(ctx, client.ListAuditParams{Limit: 5, After: page.Next})
	if err != nil || len(rest.Entries) != 3 || rest.Next != "" || rest.Entries[0].ID >= page.Entries[4].ID {
		t.Errorf("the rest: got %+v, %v", rest, err)
	}
	command(t, "webhooks", "create", "crm", "https://crm.example/hook?secret=x", "--database", m.url)
	if got := read(client.ListAuditParams{Limit: 1}); got[0] != (short{me[0].By, "cli", "webhooks create", "", "", "crm", "done"}) {
		t.Errorf("got %+v", got)
	}
	command(t, "deploy", "--database", m.url)
	if got := read(client.ListAuditParams{Limit: 1}); got[0] != (short{me[0].By, "cli", "deploy", "", "", "", "done"}) {
		t.Errorf("got %+v", got)
	}
}

package server_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestManageDeploy deploys what was planned, and refuses to deploy anything else.
func TestManageDeploy(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for i := range 4 {
		m.is(t, fmt.Sprintf("u%d", i), "pro")
	}
	changed := startOn(t, m.pool, registrytest.Build(t, paying, shrunk), engine.Config{NoClock: true, NoDelivery: true, NoDeploy: true, Now: m.clock.Now, VirtualTime: true})
	other := m.servingAs(t, changed, m.ops)
	plan, err := other.GetPlan(ctx, client.GetPlanParams{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.admin.Deploy(ctx, client.NewDeployment{Expect: plan.Compiled})
	refused(t, "a server with other definitions", err, 409, "expect")
	_, err = m.read.Deploy(ctx, client.NewDeployment{Expect: plan.Deployed})
	refused(t, "a reader", err, 403, "")
	_, err = other.Deploy(ctx, client.NewDeployment{})
	refused(t, "no expectation", err, 400, "expect")
	_, err = other.Deploy(ctx, client.NewDeployment{Expect: plan.Compiled, Emit: "some"})
	refused(t, "emit", err, 400, "emit")

	d, err := other.Deploy(ctx, client.NewDeployment{Expect: plan.Compiled, Emit: client.EmitAll, Rate: 1000})
	if err != nil || d.Emit != client.EmitAll || d.Rate != 1000 || d.Fingerprint != plan.Compiled || d.Users != 4 || d.Progress != 0 {
		t.Fatalf("deploy: got %+v, %v", d, err)
	}
	got, err := m.read.GetDeployment(ctx, d.No)
	want, wantErr := m.engine.Deployments().Get(ctx, int(d.No))
	same(t, "deployment", got.Users, err, want.Users, wantErr)
	if _, err := changed.Deployments().Backfill(ctx, nil); err != nil {
		t.Fatal(err)
	}
	got, err = m.read.GetDeployment(ctx, d.No)
	if err != nil || got.Progress != 1 || got.Joined != 4 || got.FinishedAt.IsZero() || got.RemainingSeconds != 0 {
		t.Errorf("after the backfill: got %+v, %v", got, err)
	}
	again, err := other.Deploy(ctx, client.NewDeployment{Expect: plan.Compiled})
	if err != nil || again.No != d.No {
		t.Errorf("deploy again: got %+v, %v", again, err)
	}
	_, err = m.read.GetDeployment(ctx, 99)
	refused(t, "unknown", err, 404, "no")
	audit, err := m.read.ListAudit(ctx, client.ListAuditParams{Action: "deploy", By: "ops"})
	if err != nil || len(audit.Entries) != 3 || audit.Entries[1].Object != strconv.FormatInt(d.No, 10) || audit.Entries[2].Outcome != "refused" {
		t.Errorf("the audit log: got %+v, %v", audit, err)
	}
}

// TestManageProgress reads how far a backfill is, and how long it will take.
func TestManageProgress(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	if _, err := m.pool.Exec(ctx, `insert into bucketgen.deployments (no, kind, fingerprint, emit, at, rate, contacts, followed)
		values (50, 'deploy', 'x', 'all', $1, 0, 100, 25)`, m.clock.Now()); err != nil {
		t.Fatal(err)
	}
	m.clock.Advance(time.Minute)
	if d, err := m.read.GetDeployment(ctx, 50); err != nil || d.Progress != 0.25 || d.RemainingSeconds != 180 {
		t.Errorf("got %+v, %v; want a quarter in a minute, so 3 minutes are left", d, err)
	}
}

// TestManageManyMembers adds and removes users of a manual bucket; a dry run foretells it.
func TestManageManyMembers(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	manual := registrytest.ManualRef(t, m.registry, "testers")
	m.is(t, "ada", "pro")
	m.is(t, "gone", "pro")
	if err := m.engine.Delete(ctx, "gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.engine.Add(ctx, manual, "in"); err != nil {
		t.Fatal(err)
	}
	m.is(t, "other", "free")
	if _, err := m.engine.Merge(ctx, "other", "in"); err != nil { // other is a name of in
		t.Fatal(err)
	}
	ask := func(remove, dry bool, users ...string) client.MemberChanges {
		t.Helper()
		got, err := m.admin.ChangeMembers(ctx, "testers", client.ChangeMembers{UserIDs: users, Remove: remove, DryRun: dry})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	members := func() (all []string) {
		for member, err := range m.engine.Members(ctx, manual) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, member.UserID)
		}
		slices.Sort(all)
		return all
	}
	users := []string{"ada", "new", "in", "other", "gone", "a\x00b", "ada"}
	foretold := ask(false, true, users...)
	if diff := cmp.Diff([]string{"in"}, members()); diff != "" {
		t.Errorf("a dry run changes members (-want +got):\n%s", diff)
	}
	did := ask(false, false, users...)
	if foretold.Created != 1 || foretold.Changed != 2 || foretold.Unchanged != 3 || foretold.Asked != 7 || len(foretold.Refused) != 2 {
		t.Errorf("foretold: got %+v", foretold)
	}
	foretold.Created = 0
	for _, all := range [][]client.RefusedMember{foretold.Refused, did.Refused} {
		slices.SortFunc(all, func(a, b client.RefusedMember) int { return strings.Compare(a.UserID, b.UserID) })
	}
	if diff := cmp.Diff(foretold, did); diff != "" {
		t.Errorf("add (-foretold +did):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ada", "in", "new"}, members()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	users = []string{"ada", "other", "never", "gone"}
	foretold, did = ask(true, true, users...), ask(true, false, users...)
	if diff := cmp.Diff(foretold, did); diff != "" || did.Changed != 2 || did.Unchanged != 1 {
		t.Errorf("remove (-foretold +did): got %+v\n%s", did, diff)
	}
	if diff := cmp.Diff([]string{"new"}, members()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	_, err := m.admin.ChangeMembers(ctx, "pro", client.ChangeMembers{UserIDs: users})
	refused(t, "a dynamic bucket", err, 409, "bucket")
	_, err = m.admin.ChangeMembers(ctx, "testers", client.ChangeMembers{})
	refused(t, "no users", err, 400, "userIds")
	_, err = m.admin.ChangeMembers(ctx, "testers", client.ChangeMembers{UserIDs: make([]string, 1001)})
	refused(t, "too many", err, 400, "userIds")
	if _, err := m.admin.PauseBucket(ctx, "testers"); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		_, err = m.admin.ChangeMembers(ctx, "testers", client.ChangeMembers{UserIDs: users, DryRun: dry})
		refused(t, "a paused bucket", err, 409, "bucket")
	}
}

// TestManageDeadFilters lists, counts, replays and discards dead letters by what they have in
// common.
func TestManageDeadFilters(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.down.Store(true)
	for i := range 6 {
		m.is(t, fmt.Sprintf("u%d", i), "pro")
	}
	eventually(t, func() bool { return m.engine.Stats().DeadLetter == 6 })
	if _, err := m.pool.Exec(ctx, "update bucketgen.deliveries set error = 'timeout after 5s' where id in (select id from bucketgen.deliveries order by id limit 2)"); err != nil {
		t.Fatal(err)
	}
	list := func(p client.ListDeadLettersParams) (ids []int64) {
		t.Helper()
		for letter, err := range m.read.DeadLetters(ctx, p) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, letter.ID)
		}
		return ids
	}
	all := list(client.ListDeadLettersParams{Limit: 4})
	newest := list(client.ListDeadLettersParams{Limit: 4, Order: "newest"})
	slices.Reverse(newest)
	if diff := cmp.Diff(all, newest); diff != "" || len(all) != 6 {
		t.Errorf("oldest and newest first (-oldest +newest):\n%s", diff)
	}
	for what, p := range map[string]client.ListDeadLettersParams{
		"error": {Error: "timeout"}, "error and subscription": {Error: "5s", Subscription: "welcome", Bucket: "pro"},
	} {
		if got := list(p); !slices.Equal(got, all[:2]) {
			t.Errorf("%s: got %v, want %v", what, got, all[:2])
		}
	}
	for what, p := range map[string]client.ListDeadLettersParams{
		"error": {Error: "%"}, "subscription": {Subscription: "none"}, "bucket": {Bucket: "active"}, "user": {User: "none"},
	} {
		if got := list(p); len(got) != 0 {
			t.Errorf("another %s: got %v", what, got)
		}
	}
	page, err := m.read.ListDeadLetters(ctx, client.ListDeadLettersParams{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.read.ListDeadLetters(ctx, client.ListDeadLettersParams{After: page.Next, Order: "newest"})
	refused(t, "the cursor of another order", err, 400, "after")

	down := client.DeadLetterFilter{Error: "down"}
	counted, err := m.admin.ReplayDeadLetters(ctx, client.Replay{Filter: &down, DryRun: true})
	if err != nil || counted.Replayed != 4 || counted.UpTo != all[5] {
		t.Errorf("dry run: got %+v, %v", counted, err)
	}
	down.UpTo = all[4] // as if the last came after the dry run
	m.down.Store(false)
	if got, err := m.admin.ReplayDeadLetters(ctx, client.Replay{Filter: &down}); err != nil || got.Replayed != 3 {
		t.Errorf("replay: got %+v, %v", got, err)
	}
	eventually(t, func() bool { return m.engine.Stats().Delivered == 3 })
	if got := list(client.ListDeadLettersParams{}); !slices.Equal(got, []int64{all[0], all[1], all[5]}) {
		t.Errorf("after the replay: got %v of %v", got, all)
	}
	if got, err := m.admin.DiscardDeadLetters(ctx, client.Replay{All: true, DryRun: true}); err != nil || got.Discarded != 3 {
		t.Errorf("dry run: got %+v, %v", got, err)
	}
	if got, err := m.admin.DiscardDeadLetters(ctx, client.Replay{IDs: []int64{all[0], all[3], 999}}); err != nil || got.Discarded != 1 {
		t.Errorf("discard some: got %+v, %v", got, err)
	}
	if got, err := m.admin.DiscardDeadLetters(ctx, client.Replay{Filter: &client.DeadLetterFilter{UserID: "u1"}}); err != nil || got.Discarded != 1 {
		t.Errorf("discard those of a user: got %+v, %v", got, err)
	}
	if got := list(client.ListDeadLettersParams{}); !slices.Equal(got, all[5:]) {
		t.Errorf("at last: got %v, want %v", got, all[5:])
	}
	for field, body := range map[string]client.Replay{
		"ids": {}, "dryRun": {IDs: []int64{1}, DryRun: true},
	} {
		_, err := m.admin.DiscardDeadLetters(ctx, body)
		refused(t, field, err, 400, field)
	}
	_, err = m.admin.DiscardDeadLetters(ctx, client.Replay{All: true, Filter: &down})
	refused(t, "all and a filter", err, 400, "ids")
}

// TestManageDeliveries lists what waits for a subscription, and why.
func TestManageDeliveries(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	if _, err := m.admin.PauseBucket(ctx, "pro"); err != nil {
		t.Fatal(err)
	}
	none, err := m.read.ListDeliveries(ctx, "welcome", client.ListDeliveriesParams{})
	if err != nil || none.Deliveries == nil || len(none.Deliveries) != 0 {
		t.Errorf("none: got %+v, %v", none, err)
	}
	if _, err := m.pool.Exec(ctx, `with s as (insert into bucketgen.subscriptions (name, kinds) values ('a/b', '{entered}') returning no)
		select no from s`); err != nil {
		t.Fatal(err)
	}
	if _, err := m.admin.ResumeBucket(ctx, "pro"); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		m.is(t, fmt.Sprintf("u%d", i), "pro")
	}
	if _, err := m.pool.Exec(ctx, `update bucketgen.deliveries d set attempts = 2, error = 'timeout', behind = true
		from bucketgen.subscriptions s, bucketgen.contacts c where s.no = d.subscription_no and s.name = 'a/b' and c.id = d.contact_id and c.user_id = 'u0'`); err != nil {
		t.Fatal(err)
	}
	page, err := m.read.ListDeliveries(ctx, "a/b", client.ListDeliveriesParams{Limit: 3})
	all, _, wantErr := m.engine.Outbox().WaitingPage(ctx, "a/b", engine.Page{Size: 3})
	same(t, "deliveries", page.Deliveries, err, all, wantErr)
	if len(all) != 3 || page.Next == "" || page.Deliveries[0].Attempts != 2 || page.Deliveries[0].Error != "timeout" || !page.Deliveries[0].Behind {
		t.Fatalf("got %+v", page)
	}
	rest, err := m.read.ListDeliveries(ctx, "a/b", client.ListDeliveriesParams{Limit: 3, After: page.Next})
	if err != nil || len(rest.Deliveries) != 2 || rest.Next != "" || rest.Deliveries[1].Transition.UserID != "u4" {
		t.Errorf("the rest: got %+v, %v", rest, err)
	}
	_, err = m.read.ListDeliveries(ctx, "unknown", client.ListDeliveriesParams{})
	refused(t, "unknown", err, 404, "subscription")
}

package server_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageAPIKeys creates keys, uses them, and revokes them.
func TestManageAPIKeys(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	made, err := m.admin.CreateKey(ctx, client.NewKey{Name: "desk", Kind: "read", Rate: 50})
	if err != nil || made.Key == "" || made.Rate != 50 || made.Kind != "read" {
		t.Fatalf("got %+v, %v", made, err)
	}
	desk := m.as(t, made.Key)
	list, err := desk.ListKeys(ctx)
	if err != nil || len(list.Keys) != 4 || slices.ContainsFunc(list.Keys, func(k client.Key) bool { return k.Key != "" }) || list.Keys[3].Name != "desk" {
		t.Errorf("got %+v, %v", list, err)
	}
	_, err = desk.CreateKey(ctx, client.NewKey{Name: "mine", Kind: "admin"})
	refused(t, "a reader creates a key", err, 403, "")
	for range 2 {
		_, err = m.admin.RevokeKey(ctx, made.No)
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = desk.ListKeys(ctx)
	refused(t, "revoked", err, 401, "")
	for field, key := range map[string]client.NewKey{"name": {Name: "12", Kind: "read"}, "kind": {Name: "x", Kind: "root"}, "rate": {Name: "x", Kind: "read", Rate: -1}} {
		_, err := m.admin.CreateKey(ctx, key)
		refused(t, field, err, 400, field)
	}
	audit, err := m.read.ListAudit(ctx, client.ListAuditParams{Action: "createKey"})
	if err != nil || len(audit.Entries) != 2 || strings.Contains(audit.Entries[1].Detail, made.Key) || audit.Entries[1].Object != "4" {
		t.Errorf("the audit log: got %+v, %v", audit, err)
	}
}

// TestManageKeyUse shows when a key was used last: it was not before its first request.
func TestManageKeyUse(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	made, err := m.admin.CreateKey(ctx, client.NewKey{Name: "desk", Kind: "read"})
	if err != nil || !made.UsedAt.IsZero() {
		t.Fatalf("got %+v, %v", made, err)
	}
	usedAt := func() time.Time {
		list, err := m.admin.ListKeys(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return list.Keys[made.No-1].UsedAt
	}
	if at := usedAt(); !at.IsZero() {
		t.Errorf("it was used at %s, before its first request", at)
	}
	before := time.Now()
	if _, err := m.as(t, made.Key).GetSummary(ctx, client.GetSummaryParams{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return !usedAt().Before(before.Truncate(time.Microsecond)) })
	if text := command(t, "keys", "list", "--database", m.url); !strings.Contains(text, usedAt().Format(time.RFC3339)) {
		t.Errorf("the command line does not show %s:\n%s", usedAt(), text)
	}
}

// TestManageWebhooks creates an endpoint, changes it, and deletes it.
func TestManageWebhooks(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	e, err := m.admin.CreateWebhook(ctx, client.NewWebhook{Name: "crm", URL: "https://crm.example/hooks", Kinds: []string{"entered"}, Buckets: []string{"pro"}})
	if err != nil || !strings.HasPrefix(e.Secret, "whsec_") || len(e.Kinds) != 1 {
		t.Fatalf("create: got %+v, %v", e, err)
	}
	list, err := m.read.ListWebhooks(ctx)
	if err != nil || len(list.Webhooks) != 1 || list.Webhooks[0].Secret != "" || list.Webhooks[0].URL != e.URL {
		t.Errorf("list: got %+v, %v", list, err)
	}
	m.is(t, "ada", "pro")
	waiting, err := m.read.ListDeliveries(ctx, "webhook:1:pro", client.ListDeliveriesParams{})
	if err != nil || len(waiting.Deliveries) != 1 {
		t.Errorf("what waits: got %+v, %v", waiting, err)
	}
	changed, err := m.admin.ChangeWebhook(ctx, e.No, client.WebhookChange{URL: "https://crm.example/v2", Batch: 10})
	if err != nil || changed.URL != "https://crm.example/v2" || changed.Batch != 10 || changed.Secret != "" {
		t.Errorf("change: got %+v, %v", changed, err)
	}
	off, err := m.admin.DisableWebhook(ctx, e.No, client.Disabling{Reason: "moving"})
	if err != nil || off.DisabledAt.IsZero() || off.DisabledReason != "moving" {
		t.Errorf("disable: got %+v, %v", off, err)
	}
	if on, err := m.admin.EnableWebhook(ctx, e.No); err != nil || !on.DisabledAt.IsZero() {
		t.Errorf("enable: got %+v, %v", on, err)
	}
	rotated, err := m.admin.RotateWebhook(ctx, e.No, client.Rotation{GraceSeconds: new(int64(60))})
	if err != nil || rotated.Secret == e.Secret || rotated.Secret == "" {
		t.Errorf("rotate: got %+v, %v", rotated, err)
	}
	for field, hook := range map[string]client.NewWebhook{
		"name": {Name: "crm", URL: "https://x.example"}, "url": {Name: "x", URL: "http://127.0.0.1/"}, "kinds": {Name: "x", URL: "https://x.example", Kinds: []string{"died"}},
	} {
		_, err := m.admin.CreateWebhook(ctx, hook)
		refused(t, field, err, 400, field)
	}
	if _, err := m.pool.Exec(ctx, `insert into bucketgen.endpoint_attempts (endpoint_no, at, took_us, status, transitions, error)
		values ($1, $2, 1500, 503, 1, ''), ($1, $2, 2000, 204, 3, '')`, e.No, m.clock.Now()); err != nil {
		t.Fatal(err)
	}
	attempts, err := m.read.ListWebhookAttempts(ctx, e.No, client.ListWebhookAttemptsParams{Limit: 1})
	if err != nil || len(attempts.Attempts) != 1 || !attempts.Attempts[0].Taken || attempts.Attempts[0].TookMs != 2 || attempts.Attempts[0].Transitions != 3 {
		t.Errorf("attempts: got %+v, %v", attempts, err)
	}
	attempts, err = m.read.ListWebhookAttempts(ctx, e.No, client.ListWebhookAttemptsParams{Limit: 1, After: attempts.Next})
	if err != nil || len(attempts.Attempts) != 1 || attempts.Attempts[0].Error != "answered 503 Service Unavailable" || attempts.Next != "" {
		t.Errorf("earlier attempts: got %+v, %v", attempts, err)
	}
	_, err = m.read.ListWebhookAttempts(ctx, 99, client.ListWebhookAttemptsParams{})
	refused(t, "attempts of an unknown endpoint", err, 404, "webhook")
	_, err = m.admin.ChangeWebhook(ctx, e.No, client.WebhookChange{})
	refused(t, "no change", err, 400, "url")
	_, err = m.read.DeleteWebhook(ctx, e.No)
	refused(t, "a reader deletes", err, 403, "")
	if _, err := m.admin.DeleteWebhook(ctx, e.No); err != nil {
		t.Fatal(err)
	}
	_, err = m.admin.TestWebhook(ctx, e.No)
	refused(t, "unknown", err, 404, "webhook")
}

// TestManageHealth reads findings, and what the clock will do.
func TestManageHealth(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	h, err := m.read.GetHealth(ctx)
	names := []string{}
	for _, f := range h.Findings {
		if names = append(names, f.Name); f.Says == "" || f.State == "failed" {
			t.Errorf("got %+v", f)
		}
	}
	if want := strings.Fields("database durability clocks tables writes deployment catalog processes clock outbox webhooks ids merges shared services"); err != nil || !slices.Equal(names, want) {
		t.Errorf("got %v, %v; want %v", names, err, want)
	}
	m.does(t, "ada", "order")
	m.does(t, "ada", "order")
	due, err := m.read.GetDue(ctx, client.GetDueParams{Hours: 48})
	all, wantErr := m.engine.Clock().DueByHour(ctx, 48)
	same(t, "due", due.Hours, err, all, wantErr)
	if len(all) != 1 || all[0].Due != 1 || !all[0].At.Equal(dawn.Add(24*time.Hour)) {
		t.Errorf("got %+v, want a user in the hour in which an order is a day old", all)
	}
	if none, err := m.read.GetDue(ctx, client.GetDueParams{Hours: 2}); err != nil || len(none.Hours) != 0 {
		t.Errorf("in 2 hours: got %+v, %v", none, err)
	}
}

// TestStreamFilters streams the transitions of one user and one kind.
func TestStreamFilters(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/stream?kind=died", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+m.board)
	w := httptest.NewRecorder()
	m.Config.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"field":"kind"`) {
		t.Errorf("another kind: got %d %s", w.Code, w.Body)
	}
	slow := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/stream?pace=60001", http.NoBody)
	slow.Header.Set("Authorization", "Bearer "+m.board)
	w = httptest.NewRecorder()
	m.Config.Handler.ServeHTTP(w, slow)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"field":"pace"`) {
		t.Errorf("too slow a pace: got %d %s", w.Code, w.Body)
	}
	got, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL+"/v1/stream?kind=left&user=ada&pace=20", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	got.Header.Set("Authorization", "Bearer "+m.board)
	answer, err := http.DefaultClient.Do(got)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for _, user := range []string{"bob", "ada"} {
		m.is(t, user, "pro")
		m.is(t, user, "free")
	}
	text := ""
	for buffer := make([]byte, 4096); !strings.Contains(text, "event: "); {
		n, err := answer.Body.Read(buffer)
		if text += string(buffer[:n]); err != nil {
			t.Fatalf("after %q: %v", text, err)
		}
	}
	if strings.Contains(text, "bob") || strings.Contains(text, "bucket."+string(engine.Entered)) || !strings.Contains(text, `"userId":"ada"`) {
		t.Errorf("got %s", text)
	}
}

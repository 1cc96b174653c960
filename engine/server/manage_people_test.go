package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestManageErasure erases users one by one and by a job. The audit log names none of them.
func TestManageErasure(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, user := range []string{"ada", "a/b", "bob", "eve"} {
		m.is(t, user, "pro")
	}
	status, header, text := m.get(t, "/v1/users/ada/export.jsonl", m.board, "application/x-ndjson")
	if lines := strings.Count(text, "\n"); status != 200 || header.Get("Content-Type") != "application/x-ndjson" || lines < 4 ||
		!strings.Contains(text, `{"table":"transitions","row":{`) || strings.Contains(text, "bob") {
		t.Errorf("export: got %d, %s", status, text)
	}
	if status, _, _ := m.get(t, "/v1/users/zoe/export.jsonl", m.board, ""); status != 404 {
		t.Errorf("export of an unknown user: got %d", status)
	}
	out, err := m.admin.EraseUser(ctx, "a/b", client.ErasePerson{Ticket: "GDPR-17"})
	if err != nil || out.By != "ops" || out.Ticket != "GDPR-17" || out.Events != 1 || out.FinishedAt.IsZero() {
		t.Errorf("erase: got %+v, %v", out, err)
	}
	_, err = m.admin.EraseUser(ctx, "a/b", client.ErasePerson{})
	refused(t, "erase again", err, 404, "user")
	_, err = m.read.EraseUser(ctx, "ada", client.ErasePerson{})
	refused(t, "by a reader", err, 403, "")
	_, err = m.admin.EraseUser(ctx, "ada", client.ErasePerson{Suppress: true})
	refused(t, "without a secret", err, 409, "")
	j, err := m.admin.EraseUsers(ctx, client.ErasePeople{IDs: []string{"ada", "bob", "zoe"}, Rate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		j, err = m.read.GetJob(ctx, j.ID)
		return err == nil && !j.FinishedAt.IsZero()
	})
	if j.Erase.Asked != 3 || j.Erase.Erased != 2 {
		t.Errorf("job: got %+v", j)
	}
	all, err := m.read.ListErasures(ctx, client.ListErasuresParams{Limit: 2})
	if err != nil || len(all.Erasures) != 2 || all.Next == "" {
		t.Errorf("erasures: got %+v, %v", all, err)
	}
	log, err := m.read.ListAudit(ctx, client.ListAuditParams{Action: "eraseUser"})
	if err != nil || len(log.Entries) == 0 {
		t.Errorf("audit: got %+v, %v", log, err)
	}
	for _, e := range log.Entries {
		if e.UserID != "" || strings.Contains(e.Detail, "a/b") {
			t.Errorf("the audit log has %+v", e)
		}
	}
	if n, err := m.engine.Count(ctx, m.ref(t, "pro")); err != nil || n != 1 {
		t.Errorf("got %d members, %v, want eve", n, err)
	}
}

// TestManageSuppressions refuses ids and lets them in again, with a secret. Events of a refused id
// are answered as if they were stored.
func TestManageSuppressions(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	config := engine.Config{Now: m.clock.Now, VirtualTime: true, NoClock: true, NoDelivery: true, SuppressionSecret: "a secret of the tests"}
	e, err := engine.New(m.pool, registrytest.Build(t, paying, testers, eager), config)
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { waitfor.Stop(t, e) })
	m.is(t, "ada", "pro")
	c := m.servingAs(t, e, m.ops)
	if _, err := c.EraseUser(ctx, "ada", client.ErasePerson{Suppress: true}); err != nil {
		t.Fatal(err)
	}
	known, err := c.CheckSuppression(ctx, client.PersonID{ID: "ada"})
	if err != nil || !known.Suppressed || known.Lives != 1 || known.Kind != "user" {
		t.Errorf("check: got %+v, %v", known, err)
	}
	h := server.NewHandler(e, m.pool, "bucketgen", server.HTTP{}, nil)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/batch?results=1", strings.NewReader(
		`{"batch": [{"type": "track", "event": "visit", "userId": "ada"}, {"type": "track", "event": "visit", "userId": "bob"}]}`))
	r.SetBasicAuth(m.write, "")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"accepted":2,"results":[{"status":"suppressed"},{"status":"accepted"}]`) {
		t.Errorf("batch: got %d, %s", w.Code, w.Body)
	}
	known, err = c.SetSuppression(ctx, client.SetSuppression{ID: "ada", Remove: true})
	if err != nil || known.Suppressed {
		t.Errorf("remove: got %+v, %v", known, err)
	}
	imported, err := c.ImportSuppressions(ctx, client.ImportSuppressions{Suppressions: []client.Suppression{{
		Hash: strings.Repeat("ab", 32), Kind: "user", Suppressed: true, Lives: 1, At: m.clock.Now().Add(time.Hour),
	}}})
	if err != nil || imported.Erased != 0 {
		t.Errorf("import: got %+v, %v", imported, err)
	}
}

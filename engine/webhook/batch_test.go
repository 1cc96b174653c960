package webhook_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
)

// carried is a transition in a webhook that carries several.
type carried struct {
	ID    string            `json:"id"`
	Type  string            `json:"type"`
	Fence int64             `json:"fence"`
	Data  engine.Transition `json:"data"`
}

// batchOf reads what a webhook of the type bucket.batch carries.
func batchOf(t *testing.T, p webhookPost) []carried {
	t.Helper()
	var m struct {
		Type string    `json:"type"`
		Data []carried `json:"data"`
	}
	must(t, json.Unmarshal(p.body, &m))
	equal(t, "type", m.Type, "bucket.batch")
	return m.Data
}

// batching is a receiver that reads bodies itself: those of batches are no single transition.
func batching(t *testing.T, answer func(batch []carried) int) (r *receiver, posts func() []webhookPost) {
	t.Helper()
	r = newReceiver(t)
	r.batches = true
	r.does(func(out http.ResponseWriter, in *http.Request) {
		var m struct {
			Data []carried `json:"data"`
		}
		must(t, json.NewDecoder(in.Body).Decode(&m))
		out.WriteHeader(answer(m.Data))
	})
	return r, r.all
}

// TestBatches posts the joins of five users by webhooks of three at most, signed and each with its
// fence.
func TestBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r, posts := batching(t, func([]carried) int { return http.StatusOK })
	e, err := w.hooks.Create(t.Context(), webhook.Endpoint{Name: "crm", URL: r.URL, Batch: 3})
	must(t, err)
	for i := range 5 {
		w.joins("u" + strconv.Itoa(i))
	}
	w.serve(local)
	eventually(t, func() bool { return w.waiting() == 0 })
	var users []string
	ids := map[string]bool{}
	for _, p := range posts() {
		equal(t, "signed", verify(t, p, e.Secret), true)
		batch := batchOf(t, p)
		if len(batch) > 3 {
			t.Errorf("%d transitions in a webhook, want 3 at most", len(batch))
		}
		for _, c := range batch {
			users, ids[c.ID] = append(users, c.Data.UserID), true
			if c.Type != "bucket.entered" || c.Fence < 1 {
				t.Errorf("got %+v", c)
			}
		}
	}
	slices.Sort(users)
	equal(t, "users", users, []string{"u0", "u1", "u2", "u3", "u4"})
	equal(t, "ids", len(ids), 5)
}

// TestBatchThatIsRefused has a receiver that does not take one user: the others are taken, and it
// alone is tried again.
func TestBatchThatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r, _ := batching(t, func(batch []carried) int {
		if slices.ContainsFunc(batch, func(c carried) bool { return c.Data.UserID == "u2" }) {
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	_, err := w.hooks.Create(t.Context(), webhook.Endpoint{Name: "crm", URL: r.URL, Batch: 100})
	must(t, err)
	for i := range 5 {
		w.joins("u" + strconv.Itoa(i))
	}
	e, _ := w.serve(local)
	eventually(t, func() bool { return e.Stats().Delivered == 4 && e.Stats().Failed == 1 })
	equal(t, "waiting", w.count("select count(*) from bucketgen.deliveries d join bucketgen.contacts c on c.id = d.contact_id where c.user_id = 'u2' and d.attempts = 1"), 1)
}

// TestBatchChanges lets an endpoint take several at once while a service posts to it.
func TestBatchChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	w.endpoint("crm", r.URL)
	w.serve(local)
	w.joins("ada")
	p := r.got(t, 1)[0]
	if fence, err := strconv.ParseInt(p.header.Get("Bucketgen-Fence"), 10, 64); err != nil || fence < 1 {
		t.Errorf("fence: got %q", p.header.Get("Bucketgen-Fence"))
	}
	r.mu.Lock()
	r.batches = true
	r.mu.Unlock()
	_, err := w.hooks.SetBatch(t.Context(), "crm", 50)
	must(t, err)
	w.joins("bob")
	eventually(t, func() bool { return w.waiting() == 0 })
	posts := r.all()
	equal(t, "user", batchOf(t, posts[len(posts)-1])[0].Data.UserID, "bob")
	if _, err := w.hooks.SetBatch(t.Context(), "crm", 101); err == nil {
		t.Error("a batch of 101 is taken")
	}
}

package webhook_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
)

// verify has the official library say whether a webhook is signed by a secret.
func verify(t *testing.T, p webhookPost, secret string) bool {
	t.Helper()
	w, err := standard.NewWebhook(secret)
	must(t, err)
	return w.Verify(p.body, p.header) == nil
}

// TestWebhookIsWhatReceiversExpect posts a transition, and checks all of it.
func TestWebhookIsWhatReceiversExpect(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	e := w.endpoint("crm", r.URL)
	w.serve(local)
	w.joins("ada")
	p := r.got(t, 1)[0]
	equal(t, "signed", []bool{verify(t, p, e.Secret), verify(t, p, w.endpoint("other", r.URL).Secret)}, []bool{true, false})
	equal(t, "type", []string{p.Type, p.header.Get("Content-Type"), p.Data.UserID, p.Data.BucketID, string(p.Data.Kind)}, []string{"bucket.entered", "application/json", "ada", "pro", "entered"})
	equal(t, "times", []time.Time{p.Timestamp, p.Data.At}, []time.Time{p.Data.At, p.Data.At})
	equal(t, "timestamp", p.header.Get("Webhook-Timestamp"), strconv.FormatInt(w.Time.Now().Unix(), 10))
	if !strings.HasPrefix(p.id(), "msg_") || strings.Contains(p.id(), "ada") || len(p.id()) != 36 {
		t.Errorf("id %q", p.id())
	}
	eventually(t, func() bool { return w.waiting() == 0 }) // nothing for the other one, which came later
}

// TestSecretsRotate changes a secret: for a while both are good, then the new one alone.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	first := w.endpoint("crm", r.URL).Secret
	w.serve(local)
	rotated, err := w.hooks.Rotate(t.Context(), "crm", time.Minute)
	must(t, err)
	second := rotated.Secret
	rotated, err = w.hooks.Rotate(t.Context(), "1", webhook.Grace)
	must(t, err)
	third := rotated.Secret

	good := func(user string) []bool {
		t.Helper()
		before := len(r.all())
		w.joins(user)
		p := r.got(t, before+1)[before]
		return []bool{verify(t, p, first), verify(t, p, second), verify(t, p, third)}
	}
	equal(t, "all", good("ada"), []bool{true, true, true})
	w.Time.Advance(2 * time.Minute)
	equal(t, "once the first has ended", good("bob"), []bool{false, true, true})
	rotated, err = w.hooks.Rotate(t.Context(), "crm", 0)
	must(t, err)
	equal(t, "without a grace", good("cy"), []bool{false, false, false})
	equal(t, "by the new one", verify(t, r.all()[2], rotated.Secret), true)
	equal(t, "secrets that are kept", w.count("select count(*) from bucketgen.endpoint_secrets"), 3)
	if _, err := w.hooks.Rotate(t.Context(), "crm", -1); err == nil || !strings.Contains(err.Error(), "grace is -1ns") {
		t.Errorf("got %v", err)
	}
}

// TestGone has an endpoint answer 410 to one of three webhooks: it is disabled at once, and that
// one waits until it is enabled, together with what happens meanwhile. The others are not posted
// again.
func TestGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	w.endpoint("crm", r.URL)
	for _, user := range []string{"ada", "bob", "cy"} {
		w.joins(user)
	}
	r.does(func(out http.ResponseWriter, in *http.Request) {
		var p webhookPost
		if err := json.NewDecoder(in.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		if p.Data.UserID == "bob" {
			out.WriteHeader(http.StatusGone)
		}
	})
	e, s := w.serve(local)
	eventually(t, func() bool { return e.Stats().Delivered == 2 && e.Stats().Returned == 1 })
	eventually(t, func() bool { return s.String() == "webhooks: no endpoints" })
	found, err := w.hooks.Find(t.Context(), "crm")
	must(t, err)
	equal(t, "disabled", []any{found.DisabledReason, found.DisabledAt}, []any{"answered 410 Gone", w.Time.Now().Truncate(time.Microsecond)})
	w.joins("dee")
	w.Time.Advance(time.Hour)
	r.answers(http.StatusNoContent)
	_, err = w.hooks.Enable(t.Context(), "crm")
	must(t, err)
	users := []string{}
	for _, p := range r.got(t, 5)[3:] {
		users = append(users, p.Data.UserID)
	}
	slices.Sort(users)
	equal(t, "afterwards", users, []string{"bob", "dee"})
	eventually(t, func() bool { return w.waiting() == 0 })
	equal(t, "attempts that failed", e.Stats().Failed, int64(0))
}

// TestDeadEndpointDelaysNobody has one endpoint that never answers, one that is not there, and one
// that works.
func TestDeadEndpointDelaysNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	hangs, closed, works := newReceiver(t), newReceiver(t), newReceiver(t)
	over := make(chan struct{})
	hangs.does(func(http.ResponseWriter, *http.Request) { <-over })
	closed.Close()
	w.endpoint("hangs", hangs.URL)
	w.endpoint("closed", closed.URL)
	w.endpoint("works", works.URL)
	w.serve(local)
	t.Cleanup(func() { close(over) }) // before the service is stopped, which waits for what is on its way
	for i := range 40 {               // more than go out to one endpoint at once
		w.joins("u" + strconv.Itoa(i))
		works.got(t, i+1)
	}
	if n := len(hangs.all()); n > 16 {
		t.Errorf("%d webhooks hang, want 16 at most", n)
	}
	eventually(t, func() bool {
		return w.count("select count(*) from bucketgen.deliveries where error like '%connection refused'") > 0
	})
}

// TestOrder has an endpoint that refuses much, posted to by two processes: of each user webhooks
// come in order.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	taken := map[string][]string{}
	n := 0
	r.does(func(out http.ResponseWriter, _ *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if n++; n%3 == 0 {
			out.WriteHeader(http.StatusInternalServerError)
		}
	})
	seen := func() map[string][]string {
		clear(taken)
		for _, p := range r.all() {
			kinds := taken[p.Data.UserID]
			if this := string(p.Data.Kind) + strconv.Itoa(p.Data.EntryCount); len(kinds) == 0 || kinds[len(kinds)-1] != this {
				taken[p.Data.UserID] = append(kinds, this)
			}
		}
		return taken
	}
	w.endpoint("crm", r.URL)
	w.serve(local)
	w.serve(local)
	want := map[string][]string{}
	for range 2 {
		for i := range 10 {
			user := "u" + strconv.Itoa(i)
			w.joins(user)
			w.leaves(user)
			want[user] = []string{"entered1", "left1", "entered2", "left2"}
		}
	}
	eventually(t, func() bool {
		w.Time.Advance(time.Second)
		return w.waiting() == 0
	})
	equal(t, "in order", seen(), want)
}

// TestThreeDays has an endpoint that never takes anything: it is tried for about three days, then
// given up, and can be delivered anew, with the same id.
func TestThreeDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	r.answers(http.StatusInternalServerError)
	e := w.endpoint("crm", r.URL)
	w.endpoint("other", newReceiver(t).URL)
	begin := w.Time.Now()
	w.joins("ada")
	serving, _ := w.serve(local)
	for i := range 68 {
		eventually(t, func() bool { return serving.Stats().Failed == int64(i+1) })
		var next time.Time
		must(t, w.Pool.QueryRow(t.Context(), "select max(next_at) from bucketgen.deliveries").Scan(&next))
		if i < 67 {
			w.Time.Advance(next.Sub(w.Time.Now()))
		}
	}
	if took := w.Time.Now().Sub(begin); took < 60*time.Hour || took > 84*time.Hour {
		t.Errorf("it took %v, want about three days", took)
	}
	posts := r.got(t, 68)
	for _, p := range posts {
		equal(t, "id", p.id(), posts[0].id())
	}
	var dead []int64
	for letter, err := range w.Outbox().DeadLetters(t.Context(), e.Subscriptions()...) {
		must(t, err)
		dead = append(dead, letter.ID)
		equal(t, "error", letter.Error, "answered 500 Internal Server Error: this is 500")
	}
	equal(t, "dead", len(dead), 1)
	for letter, err := range w.Outbox().DeadLetters(t.Context(), "webhook:2") {
		t.Errorf("the other one has %v, %v", letter, err)
	}
	r.answers(http.StatusOK)
	_, err := w.Outbox().Replay(t.Context(), dead...)
	must(t, err)
	p := r.got(t, 69)[68]
	equal(t, "replayed", []any{p.id(), p.Data.Replayed}, []any{posts[0].id(), true})
}

// TestRetryAfter obeys an endpoint that says when to come again.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	at := w.Time.Now().Add(2 * time.Hour).Truncate(time.Second)
	for name, header := range map[string]string{
		"seconds": "7200", "time": at.Format(http.TimeFormat), "too long": "604800", "past": "Mon, 02 Jan 2006 15:04:05 GMT", "nonsense": "soon",
	} {
		r := newReceiver(t)
		r.answers(map[bool]int{true: http.StatusTooManyRequests, false: http.StatusServiceUnavailable}[name == "seconds"], "Retry-After", header)
		w.endpoint(name, r.URL)
	}
	w.joins("ada")
	e, _ := w.serve(local)
	eventually(t, func() bool { return e.Stats().Failed == 5 })
	for name, want := range map[string]time.Duration{"seconds": 2 * time.Hour, "time": 2 * time.Hour, "too long": 24 * time.Hour, "past": time.Second, "nonsense": time.Second} {
		var next time.Time
		must(t, w.Pool.QueryRow(t.Context(), `select d.next_at from bucketgen.deliveries d
			join bucketgen.subscriptions s on s.no = d.subscription_no
			join bucketgen.endpoints e on s.name = 'webhook:' || e.no where e.name = $1`, name).Scan(&next))
		if rest := next.Sub(w.Time.Now()); rest < want-time.Second || rest > want+time.Second {
			t.Errorf("%s: left alone for %v, want %v", name, rest, want)
		}
	}
}

// TestNoAnswer has an endpoint that takes too long.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	over := make(chan struct{})
	r.does(func(_ http.ResponseWriter, in *http.Request) {
		select {
		case <-in.Context().Done():
		case <-over:
		}
	})
	t.Cleanup(func() { close(over) })
	w.endpoint("slow", r.URL)
	w.joins("ada")
	impatient := local
	impatient.Timeout = 50 * time.Millisecond
	w.serve(impatient)
	eventually(t, func() bool {
		return w.count("select count(*) from bucketgen.deliveries where error = 'no answer within 50ms'") == 1
	})
}

// TestEndlessAnswer has an endpoint whose body never ends: its beginning is kept, and the rest is
// not awaited.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	r.does(func(out http.ResponseWriter, in *http.Request) {
		out.WriteHeader(http.StatusTeapot)
		for in.Context().Err() == nil {
			if _, err := out.Write([]byte(strings.Repeat("x", 1<<10))); err != nil {
				return
			}
		}
	})
	w.endpoint("endless", r.URL)
	w.joins("ada")
	patient := local
	patient.Timeout = time.Hour
	w.serve(patient)
	eventually(t, func() bool {
		return w.count("select count(*) from bucketgen.deliveries where error = $1", "answered 418 I'm a teapot: "+strings.Repeat("x", 200)+"…") == 1
	})
}

// TestEndpointsComeAndGo makes, disables, enables and deletes endpoints while a process serves them
// that never hears of it.
func TestEndpointsComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	r := newReceiver(t)
	_, s := w.serve(local)
	says := func(text string) {
		t.Helper()
		eventually(t, func() bool { return s.String() == text })
	}
	says("webhooks: no endpoints")
	w.endpoint("all", r.URL+"/all")
	some, err := w.hooks.Create(t.Context(), webhook.Endpoint{Name: "some", URL: r.URL + "/some", Buckets: []string{"regulars", "pro", "pro"}, Kinds: []engine.Kind{engine.Left}})
	must(t, err)
	equal(t, "subscriptions", some.Subscriptions(), []string{"webhook:2:pro", "webhook:2:regulars", "webhook:2::notices"})
	says("webhooks: 2 endpoints")
	w.joins("ada")
	r.got(t, 1)
	w.leaves("ada")
	r.got(t, 3)

	disabled, err := w.hooks.Disable(t.Context(), "all", "by hand")
	must(t, err)
	equal(t, "reason", disabled.DisabledReason, "by hand")
	says("webhooks: 1 endpoint")
	w.joins("ada")
	equal(t, "waiting", w.waiting(), 1)
	_, err = w.hooks.Enable(t.Context(), "all")
	must(t, err)
	r.got(t, 4)
	_, err = w.hooks.Delete(t.Context(), "some")
	must(t, err)
	says("webhooks: 1 endpoint")
	w.leaves("ada")
	r.got(t, 5)
	equal(t, "subscriptions", w.count("select count(*) from bucketgen.subscriptions"), 1)
	equal(t, "secrets", w.count("select count(*) from bucketgen.endpoint_secrets"), 1)
	all, err := w.hooks.List(t.Context())
	must(t, err)
	equal(t, "endpoints", len(all), 1)
	equal(t, "secret", all[0].Secret, "")
	w.endpoint("some", r.URL) // its name is free again
}

// TestEndpointsChange moves an endpoint without an answer, and changes its kinds, while a process
// serves it that never hears of it.
func TestEndpointsChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	r := newReceiver(t)
	_, err := w.hooks.Create(t.Context(), webhook.Endpoint{Name: "crm", URL: "http://127.0.0.1:1/", Buckets: []string{"pro", "regulars"}})
	must(t, err)
	w.serve(local)
	w.joins("ada")
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.deliveries where error is not null") == 1 })
	moved, err := w.hooks.Change(t.Context(), "crm", r.URL, nil)
	must(t, err)
	equal(t, "kinds", moved.Kinds, []engine.Kind{engine.Entered, engine.Left, engine.Dwell})
	r.got(t, 1)
	changed, err := w.hooks.Change(t.Context(), "1", "", []engine.Kind{engine.Left})
	must(t, err)
	equal(t, "url", changed.URL, r.URL)
	equal(t, "subscriptions of that kind", w.count("select count(*) from bucketgen.subscriptions where kinds = '{left}'"), 2)
	w.joins("bob")
	w.leaves("bob")
	equal(t, "type", r.got(t, 2)[1].Type, "bucket.left")
	found, err := w.hooks.Find(t.Context(), "crm")
	must(t, err)
	equal(t, "endpoint", found, changed)
	if _, err := w.hooks.Change(t.Context(), "crm", "", []engine.Kind{"born"}); err == nil || !strings.Contains(err.Error(), `kinds has "born"`) {
		t.Errorf("got %v", err)
	}
}

// TestNothingIsLostBeforeAnybodyRuns makes an endpoint where no engine posts: what happens from
// then on is kept, and what was before is not.
func TestNothingIsLostBeforeAnybodyRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	w.joins("ada")
	w.endpoint("crm", r.URL)
	w.joins("bob")
	equal(t, "waiting", w.waiting(), 1)
	w.serve(local)
	equal(t, "user", r.got(t, 1)[0].Data.UserID, "bob")
}

// TestStopLeavesWebhooksToOthers stops a service while a webhook is on its way, without patience:
// another process posts it again, with the same id.
func TestStopLeavesWebhooksToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	over := make(chan struct{})
	r.does(func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	w.endpoint("crm", r.URL)
	w.joins("ada")
	_, s := w.serve(local)
	r.got(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err == nil {
		t.Error("stop without patience: got no error")
	}
	must(t, s.Stop(t.Context()))
	if err := s.Start(t.Context()); err == nil {
		t.Error("started again: got no error")
	}
	r.does(nil)
	w.serve(local)
	w.Time.Advance(31 * time.Second) // the lease
	posts := r.got(t, 2)
	equal(t, "id", posts[1].id(), posts[0].id())
	eventually(t, func() bool { return w.waiting() == 0 })
}

package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
)

func TestEndpointsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	endpoints := w.open(webhook.Config{})
	good := func(change func(*webhook.Endpoint)) webhook.Endpoint {
		e := webhook.Endpoint{Name: "crm", URL: "https://example.com/hooks?key=1"}
		change(&e)
		return e
	}
	at := func(url string) webhook.Endpoint { return good(func(e *webhook.Endpoint) { e.URL = url }) }
	for _, test := range []struct {
		want     string
		endpoint webhook.Endpoint
	}{
		{"name is empty", good(func(e *webhook.Endpoint) { e.Name = " " })},
		{`name is "7", which would be taken for a number`, good(func(e *webhook.Endpoint) { e.Name = "7" })},
		{"name has more than 255 bytes, or characters", good(func(e *webhook.Endpoint) { e.Name = "a\x00b" })},
		{"url cannot be read as a URL", at("https://exa mple.com")},
		{`url is "ftp://example.com"; it must begin with https://`, at("ftp://example.com")},
		{`url is "example.com/hooks"; it must begin with https://`, at("example.com/hooks")},
		{`url is "https:///hooks", which names no host`, at("https:///hooks")},
		{`url is "https://ada:xxxxx@example.com", with a user name`, at("https://ada:secret@example.com")},
		{`url is "https://example.com/#top", with a fragment`, at("https://example.com/#top")},
		{"url leads to 127.0.0.1, which is private", at("http://127.0.0.1:8080")},
		{"url leads to 169.254.169.254, which is private", at("http://169.254.169.254/latest/meta-data")},
		{"url leads to ::1, which is private", at("http://[::1]/")},
		{"url leads to ::ffff:10.0.0.1, which is private", at("http://[::ffff:10.0.0.1]/")},
		{"url leads to localhost, which is private", at("http://LOCALHOST./")},
		{`kinds has "born"`, good(func(e *webhook.Endpoint) { e.Kinds = []engine.Kind{"born"} })},
		{`buckets has "poor", which no engine has ever had here`, good(func(e *webhook.Endpoint) { e.Buckets = []string{"pro", "poor"} })},
	} {
		if _, err := endpoints.Create(t.Context(), test.endpoint); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
	equal(t, "subscriptions", w.count("select count(*) from bucketgen.subscriptions"), 0)
	e, err := endpoints.Create(t.Context(), at("https://example.com"))
	must(t, err)
	equal(t, "kinds", e.Kinds, []engine.Kind{engine.Entered, engine.Left, engine.Dwell})
	if _, err := endpoints.Create(t.Context(), at("https://example.com")); err == nil || !strings.Contains(err.Error(), `there is another of the name "crm"`) {
		t.Errorf("again: got %v", err)
	}
	if _, err := w.hooks.Rotate(t.Context(), "erp", webhook.Grace); !errors.Is(err, webhook.ErrUnknownEndpoint) {
		t.Errorf("rotate what is not there: got %v", err)
	}
	if _, err := w.hooks.Find(t.Context(), "7"); !errors.Is(err, webhook.ErrUnknownEndpoint) {
		t.Errorf("find what is not there: got %v", err)
	}
}

// TestPrivateTargetsAreRefused has endpoints that were let in, and lead to this machine by number,
// by name, and by way of somewhere else: nothing is sent there.
func TestPrivateTargetsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	u, err := url.Parse(r.URL)
	must(t, err)
	w.endpoint("number", r.URL)
	w.endpoint("name", "http://localhost:"+u.Port())
	w.endpoint("mapped", "http://[::ffff:127.0.0.1]:"+u.Port())
	w.joins("ada")
	careful := local
	careful.AllowPrivate = false
	e, _ := w.serve(careful)
	eventually(t, func() bool { return e.Stats().Failed == 3 })
	equal(t, "refused", w.count("select count(*) from bucketgen.deliveries where error like 'leads to % which is private: %'"), 3)
	answer, err := w.open(webhook.Config{}).Test(t.Context(), "name")
	must(t, err)
	if answer.Taken() || !strings.Contains(answer.String(), "which is private") {
		t.Errorf("test: got %q", answer)
	}
	equal(t, "received", len(r.all()), 0)
}

// TestRedirectsAreNotFollowed has an endpoint that sends elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	elsewhere := httptest.NewServer(http.RedirectHandler(r.URL, http.StatusTemporaryRedirect))
	t.Cleanup(elsewhere.Close)
	w.endpoint("crm", elsewhere.URL)
	w.joins("ada")
	e, _ := w.serve(local)
	eventually(t, func() bool { return e.Stats().Failed == 1 })
	equal(t, "error", w.count("select count(*) from bucketgen.deliveries where error = 'answered 307 Temporary Redirect; redirects are not followed'"), 1)
	equal(t, "received", len(r.all()), 0)
}

// TestTestEvent posts an event that is none.
func TestTestEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	e := w.endpoint("crm", r.URL)
	_, err := w.hooks.Disable(t.Context(), "crm", "by hand")
	must(t, err)
	answer, err := w.hooks.Test(t.Context(), "crm")
	must(t, err)
	equal(t, "answer", []any{answer.Taken(), answer.String()}, []any{true, "200 OK"})
	p := r.got(t, 1)[0]
	equal(t, "signed", []any{verify(t, p, e.Secret), p.Type}, []any{true, "bucket.test"})
	r.answers(http.StatusForbidden)
	answer, err = w.hooks.Test(t.Context(), "1")
	must(t, err)
	equal(t, "answer", []any{answer.Taken(), answer.String()}, []any{false, "403 Forbidden: this is 403"})
	if _, err := w.hooks.Test(t.Context(), "erp"); !errors.Is(err, webhook.ErrUnknownEndpoint) {
		t.Errorf("got %v", err)
	}
}

func TestConfigNamesTheField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for want, config := range map[string]webhook.Config{
		"webhook.Config.MaxAttempts is -1": {MaxAttempts: -1},
		"webhook.Config.Schema":            {Schema: `ten"ant`},
	} {
		if _, err := webhook.New(w.Engine, w.Pool, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := webhook.New(nil, w.Pool, webhook.Config{}); err == nil || !strings.Contains(err.Error(), "the engine is nil") {
		t.Errorf("got %v", err)
	}
	if _, err := webhook.Open(nil, webhook.Config{}); err == nil || !strings.Contains(err.Error(), "the pool is nil") {
		t.Errorf("got %v", err)
	}
}

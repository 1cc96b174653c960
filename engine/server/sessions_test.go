package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/session"
)

// browser calls a server as the pages of a site do. It keeps one cookie.
type browser struct {
	url    string
	client *http.Client
	header http.Header
	cookie *http.Cookie
}

// answered is an answer whose body was read.
type answered struct {
	Status     string
	StatusCode int
	Header     http.Header
}

// call makes a call and returns the answer and its body.
func (b *browser) call(t *testing.T, method, path, body string) (answered, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, b.header)
	if host := b.header.Get("Host"); host != "" {
		r.Host = host
	}
	r.Header.Set("Content-Type", "application/json")
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	got, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Cookies() {
		if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	return answered{got.Status, got.StatusCode, got.Header}, string(text)
}

// want makes a call that must have a status.
func (b *browser) want(t *testing.T, status int, method, path, body string) string {
	t.Helper()
	got, text := b.call(t, method, path, body)
	if got.StatusCode != status {
		t.Errorf("%s %s: got %s %s, want %d", method, path, got.Status, text, status)
	}
	return text
}

// signIn is the body of a sign-in.
func signIn(t *testing.T, body client.SignIn) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sameSite are headers that browsers send with the calls of a page of the same origin.
func sameSite() http.Header {
	return http.Header{"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"cors"}}
}

// TestSession signs in over plain HTTP on this machine, uses the session, and ends it in each way.
func TestSession(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	b := &browser{url: m.URL, client: m.Client(), header: sameSite()}
	in := func(key string) {
		t.Helper()
		b.want(t, http.StatusOK, "POST", "/v1/sessions", signIn(t, client.SignIn{Key: key}))
	}

	got, _ := b.call(t, "GET", "/v1/buckets", "")
	if got.StatusCode != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("without a session: got %s with challenge %q; a page must see no window of the browser", got.Status, got.Header.Get("WWW-Authenticate"))
	}
	in(m.board)
	c := b.cookie
	if c == nil || c.Name != "bucketgen" || c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" ||
		c.MaxAge != int(session.Longest/time.Second) || len(c.Value) < 26 {
		t.Fatalf("the cookie is %+v", c)
	}
	if me := b.want(t, http.StatusOK, "GET", "/v1/me", ""); me != `{"name":"board","role":"read"}`+"\n" {
		t.Errorf("me: got %s", me)
	}
	b.want(t, http.StatusOK, "GET", "/v1/buckets", "")
	b.want(t, http.StatusForbidden, "POST", "/v1/buckets/pro/pause", "")
	m.clock.Advance(session.Idle - time.Minute)
	b.want(t, http.StatusOK, "GET", "/v1/buckets", "")
	m.clock.Advance(session.Idle)
	if got, text := b.call(t, "GET", "/v1/buckets", ""); got.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "session has ended") {
		t.Errorf("after 12 hours: got %s %s", got.Status, text)
	}

	in(m.ops)
	b.want(t, http.StatusOK, "POST", "/v1/buckets/pro/pause", "")
	kept := b.cookie
	b.want(t, http.StatusOK, "DELETE", "/v1/sessions", "")
	if b.cookie != nil {
		t.Error("signing out leaves the cookie")
	}
	b.cookie = kept
	b.want(t, http.StatusUnauthorized, "GET", "/v1/buckets", "")

	in(m.ops)
	command(t, "keys", "revoke", "ops", "--database", m.url)
	b.want(t, http.StatusUnauthorized, "GET", "/v1/buckets", "")
	b.cookie = nil

	for what, body := range map[string]struct {
		client.SignIn
		status int
		field  string
	}{
		"neither":       {client.SignIn{}, 400, "key"},
		"both":          {client.SignIn{Key: "a", Once: "b"}, 400, "once"},
		"unknown key":   {client.SignIn{Key: "bg_read_x"}, 401, ""},
		"revoked key":   {client.SignIn{Key: m.ops}, 401, ""},
		"write key":     {client.SignIn{Key: m.write}, 403, ""},
		"unknown offer": {client.SignIn{Once: "x"}, 401, "once"},
	} {
		text := b.want(t, body.status, "POST", "/v1/sessions", signIn(t, body.SignIn))
		if body.field != "" && !strings.Contains(text, `"field":"`+body.field+`"`) {
			t.Errorf("%s: got %s, want the field %s", what, text, body.field)
		}
		if b.cookie != nil {
			t.Fatalf("%s: got a cookie", what)
		}
	}
	b.want(t, http.StatusRequestEntityTooLarge, "POST", "/v1/sessions", `{"key":"`+strings.Repeat("x", 1<<20)+`"}`)
}

// TestSessionOfAnotherSite has pages of other origins, and requests from other machines, call with
// a valid cookie.
func TestSessionOfAnotherSite(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	b := &browser{url: m.URL, client: m.Client(), header: sameSite()}
	b.want(t, http.StatusOK, "POST", "/v1/sessions", signIn(t, client.SignIn{Key: m.ops}))
	for what, header := range map[string]http.Header{
		"cross-site": {"Sec-Fetch-Site": {"cross-site"}},
		"same-site":  {"Sec-Fetch-Site": {"same-site"}},
		"old":        {"Origin": {"https://evil.example"}},
	} {
		b.header = header
		if text := b.want(t, http.StatusForbidden, "POST", "/v1/buckets/pro/pause", ""); !strings.Contains(text, "another origin") {
			t.Errorf("%s: got %s", what, text)
		}
		b.want(t, http.StatusForbidden, "DELETE", "/v1/sessions", "")
	}
	b.header = sameSite()
	b.want(t, http.StatusOK, "GET", "/v1/me", "")
	// A cookie lets no events in: pages of all origins may send those.
	b.want(t, http.StatusUnauthorized, "POST", "/v1/track", `{"userId":"ada","event":"order"}`)
	b.cookie, b.header = nil, http.Header{"Host": {"segments.example"}}
	if text := b.want(t, http.StatusForbidden, "POST", "/v1/sessions", signIn(t, client.SignIn{Key: m.board})); !strings.Contains(text, "use TLS") {
		t.Errorf("plain HTTP under another name: got %s", text)
	}
}

// TestSecureSession signs in over TLS, by the server's own and that of a proxy.
func TestSecureSession(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	secure := httptest.NewTLSServer(server.NewHandler(m.engine, m.pool, "bucketgen", server.HTTP{}, nil))
	t.Cleanup(secure.Close)
	proxied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.NewHandler(m.engine, m.pool, "bucketgen", server.HTTP{BehindTLS: true}, nil).
			ServeHTTP(w, r.WithContext(identity.WithPrefix(r.Context(), "/studio")))
	}))
	t.Cleanup(proxied.Close)
	for what, at := range map[string]struct {
		*httptest.Server
		path string
	}{"server": {secure, "/"}, "proxy": {proxied, "/studio"}} {
		b := &browser{url: at.URL, client: at.Client(), header: sameSite()}
		b.want(t, http.StatusOK, "POST", "/v1/sessions", signIn(t, client.SignIn{Key: m.board}))
		if c := b.cookie; c == nil || c.Name != "__Secure-bucketgen" || !c.Secure || c.Path != at.path {
			t.Fatalf("%s: the cookie is %+v", what, c)
		}
		b.want(t, http.StatusOK, "GET", "/v1/me", "")
		b.cookie = &http.Cookie{Name: "bucketgen", Value: b.cookie.Value} //nolint:gosec // what a client sends; it is one which another page of the host could have set
		b.want(t, http.StatusUnauthorized, "GET", "/v1/me", "")
	}
}

// TestOffer signs in with the secret of a link.
func TestOffer(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	var no int
	if err := m.pool.QueryRow(t.Context(), "select no from bucketgen.keys where name = 'ops'").Scan(&no); err != nil {
		t.Fatal(err)
	}
	once, err := session.Store{Pool: m.pool, Schema: "bucketgen", Now: m.clock.Now}.Offer(t.Context(), no)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{url: m.URL, client: m.Client(), header: sameSite()}
	b.want(t, http.StatusOK, "POST", "/v1/sessions", signIn(t, client.SignIn{Once: once}))
	b.want(t, http.StatusOK, "POST", "/v1/buckets/pro/pause", "")
	b.want(t, http.StatusUnauthorized, "POST", "/v1/sessions", signIn(t, client.SignIn{Once: once}))
}

// TestAuthenticate lets the host sign people in.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	people := map[string]identity.Person{
		"ada": {Name: "ada", Role: identity.Admin}, "bob": {Name: "bob", Role: identity.Read},
		"sue": {Name: "sue", Role: identity.Read, Masked: true}, "bad": {Name: "bad", Role: "root"},
	}
	var log bytes.Buffer
	h := httptest.NewServer(server.NewHandler(m.engine, m.pool, "bucketgen", server.HTTP{Authenticate: func(r *http.Request) (identity.Person, error) {
		c, err := r.Cookie("host")
		if err != nil {
			return identity.Person{}, errors.Join(err, identity.ErrUnknown)
		}
		if c.Value == "down" {
			return identity.Person{}, errors.New("the directory is down")
		}
		return people[c.Value], nil
	}}, slog.New(slog.NewTextHandler(&log, nil))))
	t.Cleanup(h.Close)
	for _, test := range []struct {
		who  string
		want []int // want are the answers to me, a list, and a change
	}{
		{"down", []int{503, 503, 503}}, // the first failure is logged
		{"", []int{401, 401, 401}},
		{"ada", []int{200, 200, 200}},
		{"bob", []int{200, 200, 403}},
		{"sue", []int{200, 403, 403}},
		{"bad", []int{503, 503, 503}},
	} {
		who, want := test.who, test.want
		b := &browser{url: h.URL, client: h.Client(), header: sameSite()}
		got := []int{}
		for _, call := range [][2]string{{"GET", "/v1/me"}, {"GET", "/v1/buckets"}, {"POST", "/v1/buckets/pro/pause"}} {
			if b.cookie = nil; who != "" {
				b.cookie = &http.Cookie{Name: "host", Value: who} //nolint:gosec // what a client sends
			}
			answer, _ := b.call(t, call[0], call[1], "")
			got = append(got, answer.StatusCode)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", who, got, want)
		}
	}
	if !strings.Contains(log.String(), "the directory is down") {
		t.Errorf("the log has %s", log.String())
	}
	b := &browser{url: h.URL, client: h.Client(), header: sameSite()}
	b.want(t, http.StatusForbidden, "POST", "/v1/sessions", signIn(t, client.SignIn{Key: m.ops}))
	b.header.Set("Authorization", "Bearer "+m.ops) // programs still have keys
	b.want(t, http.StatusOK, "GET", "/v1/buckets", "")
}

// TestSupportKey asks with a key that shows no lists.
func TestSupportKey(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	support := m.as(t, command(t, "keys", "create", "desk", "--support", "--database", m.url))
	me, err := support.GetMe(ctx)
	if err != nil || !me.Masked || me.Role != client.MeRoleRead || me.Name != "desk" {
		t.Errorf("me: got %+v, %v", me, err)
	}
	_, err = support.ListMembers(ctx, "pro", client.ListMembersParams{})
	refused(t, "members", err, 403, "")
	_, err = support.ListDeadLetters(context.WithoutCancel(ctx), client.ListDeadLettersParams{})
	refused(t, "dead letters", err, 403, "")
	_, err = support.PauseBucket(ctx, "pro")
	refused(t, "pause", err, 403, "")

	if _, err := m.engine.Ingest(ctx, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro", "email": "ada@example.com"}}); err != nil {
		t.Fatal(err)
	}
	whole := map[string]any{}
	for what, do := range map[string]func(c *client.Client) (any, error){
		"explain":  func(c *client.Client) (any, error) { return c.ExplainMember(ctx, "pro", "ada") },
		"timeline": func(c *client.Client) (any, error) { return c.GetTimeline(ctx, "ada", client.GetTimelineParams{}) },
		"buckets":  func(c *client.Client) (any, error) { return c.ListUserBuckets(ctx, "ada") },
		"member":   func(c *client.Client) (any, error) { return c.GetMember(ctx, "pro", "ada") },
	} {
		got, err := do(support)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		whole[what] = got
		text := fmt.Sprintf("%+v", plainly(t, got))
		if strings.Contains(text, "example.com") || strings.Contains(text, "text:plan") || strings.Contains(text, "value:\"pro") {
			t.Errorf("%s shows %s", what, text)
		}
		if seen, err := do(m.read); err != nil || (what == "timeline" || what == "explain") && !strings.Contains(fmt.Sprintf("%+v", plainly(t, seen)), "ada@example.com") {
			t.Errorf("%s to a reader: got %+v, %v; want the address", what, seen, err)
		}
	}
	if x, ok := whole["explain"].(client.Explanation); !ok || x.UserEmail != "a...@e..." || x.Criteria.Evidence.Text != "hidden" || x.Criteria.Evidence.Value != "hidden" || !x.Member {
		t.Errorf("explain: got %+v", whole["explain"])
	}
	looks, err := m.read.ListAudit(ctx, client.ListAuditParams{By: "desk", User: "ada"})
	if err != nil || len(looks.Entries) != 4 || looks.Entries[0].Outcome != "done" {
		t.Errorf("the looks: got %+v, %v", looks, err)
	}
}

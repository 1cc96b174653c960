package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

func serving(t testing.TB, h http.HandlerFunc) *client.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL+"/", "key", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNew makes clients of what is no server.
func TestNew(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ url, key, want string }{
		{"localhost:8080", "key", `the URL of the server is "localhost:8080"; write it like http://localhost:8080`},
		{"", "key", `the URL of the server is ""; write it like http://localhost:8080`},
		{"http://\x7f", "key", `the URL of the server: parse "http://\x7f": net/url: invalid control character in URL`},
		{"http://localhost:8080", "", "the key is empty; make one by bucketd keys create"},
	} {
		if _, err := client.New(tc.url, tc.key, client.Options{}); err == nil || err.Error() != tc.want {
			t.Errorf("%q, %q: got %v, want %s", tc.url, tc.key, err, tc.want)
		}
	}
}

// TestCalls checks the requests.
func TestCalls(t *testing.T) {
	t.Parallel()
	var got string
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if agent, want := r.UserAgent(), "bucketgen-client/"+bucketgen.Version; agent != want {
			t.Errorf("got the user agent %s, want %s", agent, want)
		}
		got = fmt.Sprintf("%s %s %s %s %s", r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body)
		_, _ = w.Write([]byte("{}"))
	})
	at := time.Date(2026, time.December, 1, 0, 0, 0, 1000, time.FixedZone("", 3600))
	for want, call := range map[string]func(context.Context) error{
		"GET /v1/buckets Bearer key  ": func(ctx context.Context) error { _, err := c.ListBuckets(ctx, client.ListBucketsParams{}); return err },
		"GET /v1/buckets/b/members?after=a%2Bb&asOf=2026-12-01T00%3A00%3A00.000001%2B01%3A00&limit=5 Bearer key  ": func(ctx context.Context) error {
			_, err := c.ListMembers(ctx, "b", client.ListMembersParams{Limit: 5, After: "a+b", AsOf: at})
			return err
		},
		"PUT /v1/buckets/%7Buser%7D/members/%2E%2E Bearer key  ": func(ctx context.Context) error { _, err := c.AddMember(ctx, "{user}", ".."); return err },
		"DELETE /v1/users/a%2Fb%3F Bearer key  ":                 func(ctx context.Context) error { _, err := c.DeleteUser(ctx, "a/b?"); return err },
		`POST /v1/outbox/dead/replay Bearer key application/json {"ids":[7]}`: func(ctx context.Context) error {
			_, err := c.ReplayDeadLetters(ctx, client.Replay{IDs: []int64{7}})
			return err
		},
	} {
		if err := call(t.Context()); err != nil || got != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
}

// TestRefusals checks the errors of refused calls, by the server or by a proxy before it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind, body string
		status     int
		want       string
	}{
		{"application/problem+json", `{"title":"Bad Request","status":400,"detail":"is 0","field":"limit"}`, 400, "GET /v1/outbox: 400 Bad Request: limit: is 0"},
		{"application/problem+json; charset=utf-8", `{"title":"Forbidden","status":403,"detail":"no"}`, 403, "GET /v1/outbox: 403 Forbidden: no"},
		{"application/problem+json", `{"title":`, 500, "GET /v1/outbox: 500 Internal Server Error"},
		{"text/html", "<h1>Bad Gateway</h1>", 502, "GET /v1/outbox: 502 Bad Gateway"},
		{"application/json", "<h1>", 200, "GET /v1/outbox: read the answer: invalid character '<' looking for beginning of value"},
	} {
		c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tc.kind)
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		})
		_, err := c.GetOutbox(t.Context())
		if err == nil || err.Error() != tc.want {
			t.Errorf("got %v, want %s", err, tc.want)
		}
		if p, ok := errors.AsType[*client.Problem](err); ok != (tc.status != 200) || ok && int(p.Status) != tc.status {
			t.Errorf("%s: got the problem %+v", tc.body, p)
		}
	}
}

// TestPages goes through pages, of which the last cannot be read.
func TestPages(t *testing.T) {
	t.Parallel()
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("after") {
		case "":
			_, _ = w.Write([]byte(`{"members":[{"userId":"a"},{"userId":"b"}],"next":"2"}`))
		case "2":
			_, _ = w.Write([]byte(`{"members":[],"next":"3"}`))
		case "3":
			_, _ = w.Write([]byte(`{"members":[{"userId":"c"}],"next":"4"}`))
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	var got []string
	var failed error
	for m, err := range c.Members(t.Context(), "b", client.ListMembersParams{}) {
		if err != nil {
			failed = err
			continue
		}
		got = append(got, m.UserID)
	}
	if fmt.Sprint(got) != "[a b c]" || failed == nil {
		t.Errorf("got %v, %v; want three and an error", got, failed)
	}
	for _, err := range c.Members(t.Context(), "b", client.ListMembersParams{}) {
		if err != nil {
			t.Error(err)
		}
		break // which must not read on
	}
}

func ExampleNew() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"members":[{"userId":"ada","enteredAt":"2026-12-01T00:00:00Z","entryCount":1,"membershipId":7,"source":"event"}]}`))
	}))
	defer s.Close()
	c, err := client.New(s.URL, "bg_read_…", client.Options{})
	if err != nil {
		panic(err)
	}
	for m, err := range c.Members(context.Background(), "power-users", client.ListMembersParams{}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(m.UserID, "since", m.EnteredAt.Format(time.DateOnly))
	}
	// Output: ada since 2026-12-01
}

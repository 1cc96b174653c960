package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// visitor is a browser.
type visitor struct {
	*http.Client
	site string
}

func newVisitor(t *testing.T, site string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{&http.Client{Jar: jar}, site}
}

// answer checks the status of an answer and returns its body.
func answer(t *testing.T, got *http.Response, err error, want int) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != want {
		t.Fatalf("%s: got %d, %v, want %d: %s", got.Request.URL, got.StatusCode, err, want, text)
	}
	return string(text)
}

func (v *visitor) get(t *testing.T, path string, want int) string {
	t.Helper()
	got, err := v.Get(v.site + path) //nolint:noctx // the server ends with the test
	return answer(t, got, err, want)
}

// signIn returns the page that a person sees after the sign-in.
func (v *visitor) signIn(t *testing.T, name, password string, want int) string {
	t.Helper()
	got, err := v.PostForm(v.site+"/login", url.Values{"name": {name}, "password": {password}}) //nolint:noctx // as above
	return answer(t, got, err, want)
}

// TestHost starts the program and signs in by its own sign-in: Studio and the API know the person.
func TestHost(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	database := pgtest.NewEmptyURL(t)
	go func() { ended <- run(ctx, database, "correct horse", listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	site := "http://" + listener.Addr().String()

	stranger := newVisitor(t, site)
	if text := stranger.get(t, "/", http.StatusOK); !strings.Contains(text, "Sign in") {
		t.Errorf("the host's page for strangers: got %s", text)
	}
	for _, path := range []string{"/studio/", "/studio/v1/buckets", "/v1/buckets"} {
		if text := stranger.get(t, path, http.StatusUnauthorized); strings.Contains(text, "power-users") {
			t.Errorf("%s shows buckets to strangers", path)
		}
	}
	stranger.signIn(t, "ada", "wrong", http.StatusForbidden)

	ada := newVisitor(t, site)
	if text := ada.signIn(t, "ada", "correct horse", http.StatusOK); !strings.Contains(text, "power-users") {
		t.Errorf("Studio for ada: got %s", text)
	}
	if text := ada.get(t, "/v1/me", http.StatusOK); !strings.Contains(text, `"name":"ada"`) || !strings.Contains(text, `"role":"admin"`) {
		t.Errorf("the API for ada: got %s", text)
	}
	ada.get(t, "/studio/keys", http.StatusOK)

	sam := newVisitor(t, site)
	if text := sam.signIn(t, "sam", "correct horse", http.StatusOK); strings.Contains(text, "power-users") {
		t.Errorf("Studio lists buckets for sam: %s", text)
	}
	sam.get(t, "/studio/keys", http.StatusForbidden)
	sam.get(t, "/v1/users?q=a", http.StatusForbidden)
}

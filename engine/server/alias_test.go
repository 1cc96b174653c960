package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
)

// contacts returns the users there are, and further names of theirs: kind, name and user.
func (a *api) contacts(t *testing.T) (users, names []string) {
	t.Helper()
	for query, into := range map[string]*[]string{
		"select user_id from bucketgen.contacts where left(user_id, 1) <> chr(1) order by 1":                                                        &users,
		"select concat_ws(' ', i.kind, i.value, c.user_id) from bucketgen.identities i join bucketgen.contacts c on c.id = i.contact_id order by 1": &names,
	} {
		rows, err := a.pool.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			*into = append(*into, text)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return users, names
}

// TestAliasByWriteKey sends aliases by a key that every visitor can read in a page: it merges no
// two users, whether both are known or only the one who would be taken over, and no id is claimed
// that another user may have later. A server key merges them (A6).
func TestAliasByWriteKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	send := func(path, body string) (int, string) {
		got, text := a.send(t, path, strings.NewReader(body), nil)
		return got.StatusCode, text
	}
	for _, user := range []string{"victim", "mallory"} {
		if status, text := send("/v1/identify", `{"userId":"`+user+`","traits":{"plan":"pro"}}`); status != http.StatusOK {
			t.Fatal(text)
		}
	}
	for _, into := range []string{"mallory", "mallory2"} {
		body := `{"previousId":"victim","userId":"` + into + `"}`
		if status, text := send("/v1/alias", body); status != http.StatusForbidden || !strings.Contains(text, `"code":"merge-not-allowed"`) {
			t.Errorf("into %s: got %d %s, want 403", into, status, text)
		}
		status, text := send("/v1/batch?results=1", `{"batch":[{"type":"track","userId":"mallory","event":"order"},{"type":"alias",`+body[1:]+`]}`)
		if want := `{"status":"refused","code":"merge-not-allowed","field":"previousId"`; status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("into %s in a batch: got %d %s, want %s", into, status, text, want)
		}
		if status, text := send("/v1/batch", `{"batch":[{"type":"alias",`+body[1:]+`]}`); status != http.StatusForbidden {
			t.Errorf("alone in a batch: got %d %s, want 403", status, text)
		}
	}
	for _, body := range []string{`{"previousId":"future","userId":"mallory"}`, `{"previousId":"anon","userId":"eve"}`, `{"previousId":"eve","userId":"eve"}`, `{"previousId":"future","userId":"eve"}`} {
		if status, text := send("/v1/a", body); status != http.StatusOK {
			t.Errorf("%s: got %d %s", body, status, text)
		}
	}
	if status, text := send("/v1/identify", `{"userId":"future","traits":{"plan":"pro"}}`); status != http.StatusOK {
		t.Error(text)
	}
	users, names := a.contacts(t)
	if diff := cmp.Diff([]string{"eve", "future", "mallory", "victim"}, users); diff != "" {
		t.Errorf("users: %s", diff)
	}
	if diff := cmp.Diff([]string{"anonymous anon eve", "anonymous future mallory"}, names); diff != "" {
		t.Errorf("names: %s", diff)
	}
	if diff := cmp.Diff([]string{"future", "mallory", "victim"}, memberships(t, a.pool, tracked(t))["pro"]); diff != "" {
		t.Errorf("in pro: %s", diff)
	}
	if err := a.engine.Delete(t.Context(), "eve"); err != nil {
		t.Fatal(err)
	}
	if status, text := send("/v1/alias", `{"previousId":"anon-2","userId":"eve"}`); status != http.StatusBadRequest || !strings.Contains(text, "deleted") {
		t.Errorf("a deleted user: got %d %s", status, text)
	}
	a.key = command(t, "keys", "create", "backend", "--server", "--database", a.url)
	if status, text := send("/v1/alias", `{"previousId":"victim","userId":"mallory"}`); status != http.StatusOK {
		t.Errorf("by a server key: got %d %s", status, text)
	}
	if _, names := a.contacts(t); !slices.Contains(names, "user victim mallory") {
		t.Errorf("by a server key: the names are %q, want that victim is mallory", names)
	}
	a.key = command(t, "keys", "create", "web", "--database", a.url)
	if status, text := send("/v1/alias", `{"previousId":"victim","userId":"mallory"}`); status != http.StatusOK {
		t.Errorf("again, when they are one: got %d %s", status, text)
	}
}

// TestShortPaths sends calls to the paths of SDKs in browsers and on phones, with and without a
// slash at the end.
func TestShortPaths(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	calls := map[string]string{
		"/v1/t": `{"type":"track","userId":"ada","event":"order"}`, "/v1/i": `{"type":"identify","userId":"ada","traits":{}}`,
		"/v1/p": `{"type":"page","userId":"ada"}`, "/v1/s": `{"type":"screen","userId":"ada"}`,
		"/v1/g": `{"type":"group","userId":"ada","groupId":"acme"}`, "/v1/a": `{"type":"alias","userId":"ada","previousId":"anon"}`,
		"/v1/b": `{"batch":[{"type":"track","userId":"ada","event":"order"}]}`, "/v1/import": `{"batch":[{"type":"track","userId":"ada","event":"order"}]}`,
		"/beacon/v1/batch": `{"batch":[{"type":"track","userId":"ada","event":"order"}]}`,
	}
	for path, body := range calls {
		for _, path := range []string{path, path + "/"} {
			if got, text := a.send(t, path, strings.NewReader(body), header("Content-Type", "text/plain;charset=UTF-8")); got.StatusCode != http.StatusOK {
				t.Errorf("%s: got %d %s", path, got.StatusCode, text)
			}
			if got, text := a.send(t, path, strings.NewReader(body), header("Content-Type", "application/x-www-form-urlencoded")); got.StatusCode != http.StatusOK {
				t.Errorf("%s by curl: got %d %s", path, got.StatusCode, text)
			}
			for _, name := range []string{"Authorization", "AnonymousId", "SentAt", "X-Retry-Count", "Rsa-Retry-Reason"} {
				got, _ := a.preflight(t, path, name)
				if !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), name) || got.StatusCode != http.StatusNoContent {
					t.Errorf("%s: got %d %v, want that %s may be sent", path, got.StatusCode, got.Header, name)
				}
			}
		}
	}
	for _, path := range []string{"/v1//t", "/v1/t//", "//v1/t", "/v1/buckets/", "/v1/users//buckets"} {
		if got, text := a.send(t, path, strings.NewReader(calls["/v1/t"]), nil); got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d %s, want nothing there", path, got.StatusCode, text)
		}
	}
}

// TestSettings asks what SDKs ask for before they begin: only a write key is confirmed.
func TestSettings(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	admin := command(t, "keys", "create", "ops", "--admin", "--database", a.url)
	server := command(t, "keys", "create", "backend", "--server", "--database", a.url)
	for path, want := range map[string]int{
		"/v1/projects/" + a.key + "/settings": 200, "/v1/projects/" + a.key + "/settings/": 200, "/sourceConfig?p=npm&writeKey=" + a.key: 200,
		"/sourceConfig/?writeKey=" + a.key: 200, "/v1/projects/" + admin + "/settings": 404, "/v1/projects/" + server + "/settings": 404,
		"/v1/projects/unknown/settings": 404, "/sourceConfig/": 404, "/sourceConfig/?writeKey=" + admin: 404,
	} {
		if got := a.get(t, path); got.StatusCode != want || got.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: got %d %v, want %d", path, got.StatusCode, got.Header, want)
		}
	}
}

// preflight asks, as a browser does, whether a page may send a header.
func (a *api) preflight(t *testing.T, path, name string) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, a.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", http.MethodPost)
	r.Header.Set("Access-Control-Request-Headers", strings.ToLower(name))
	return a.do(t, r)
}

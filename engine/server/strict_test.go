package server_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
)

// TestStrictCalls sends what readers could understand differently, one call at a time and in a
// batch: it is refused, and the field is named.
func TestStrictCalls(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	t.Cleanup(func() { // when the cases, which are parallel, are through
		var aliased int
		err := a.pool.QueryRow(context.WithoutCancel(t.Context()), "select count(*) from bucketgen.identities").Scan(&aliased)
		if err != nil || aliased != 0 {
			t.Errorf("%d names are stored: %v", aliased, err)
		}
	})
	for name, tc := range map[string]struct{ kind, call, field string }{
		"Latin-1 user":          {"track", "{\"userId\":\"hh\xe9\",\"event\":\"order\"}", "userId"},
		"another Latin-1 user":  {"track", "{\"userId\":\"hh\xe8\",\"event\":\"order\"}", "userId"},
		"Latin-1 property":      {"track", "{\"userId\":\"ada\",\"event\":\"order\",\"properties\":{\"a\":\"\xe9\"}}", "properties.a"},
		"user twice":            {"track", `{"userId":"me","userId":"victim","event":"order"}`, "userId"},
		"property of page":      {"page", `{"userId":"ada","name":"x","properties":{"a":1,"a":2}}`, "properties.a"},
		"trait of group":        {"group", `{"userId":"ada","groupId":"x","traits":{"a":1,"a":2}}`, "traits.a"},
		"trait":                 {"identify", `{"userId":"ada","traits":{"a":1,"a":2}}`, "traits.a"},
		"half of an emoji":      {"track", `{"userId":"ada\ud83d","event":"order"}`, "userId"},
		"no user in particular": {"track", `{"userId":"undefined","event":"order"}`, "userId"},
		"alias of undefined":    {"alias", `{"userId":"ada","previousId":"undefined"}`, "previousId"},
		"alias of null":         {"alias", `{"userId":"ada","previousId":"null"}`, "previousId"},
		"alias of an object":    {"alias", `{"userId":"ada","previousId":"[object Object]"}`, "previousId"},
		"alias of zero":         {"alias", `{"userId":"ada","previousId":"0"}`, "previousId"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, body := a.send(t, "/v1/"+tc.kind, strings.NewReader(tc.call), nil)
			if field := `"field":"` + tc.field + `"`; got.StatusCode != http.StatusBadRequest || !strings.Contains(body, field) {
				t.Errorf("got %d %s, want 400 with %s", got.StatusCode, body, field)
			}
			batch := `{"batch":[{"type":"track","userId":"ada","event":"order"},{"type":"` + tc.kind + `",` + tc.call[1:] + `]}`
			got, body = a.send(t, "/v1/batch?results=1", strings.NewReader(batch), nil)
			if field := `"status":"refused","field":"` + tc.field + `"`; got.StatusCode != http.StatusOK || !strings.Contains(body, field) {
				t.Errorf("in a batch: got %d %s, want %s", got.StatusCode, body, field)
			}
		})
	}
	if got, body := a.send(t, "/v1/batch", strings.NewReader(`{"batch":[],"batch":[]}`), nil); got.StatusCode != http.StatusBadRequest || !strings.Contains(body, `"field":"batch"`) {
		t.Errorf("two batches: got %d %s", got.StatusCode, body)
	}
}

// TestLenientCalls sends what SDKs send that are as they are.
func TestLenientCalls(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	for path, body := range map[string]string{
		"/v1/track":    `{"userId":"me","USERID":"victim","event":"order","properties":[]}`,
		"/v1/identify": "\ufeff" + `{"userId":"c1","context":{"traits":{"plan":"pro"}}}`,
		"/v1/page":     `{"userId":7,"name":"Half an emoji \ud83d","context":{"page":{"title":"\ud83d"}}}`,
		"/v1/group":    `{"userId":12345678901234567890,"groupId":42,"traits":[]}`,
		"/v1/batch":    "\ufeff" + `{"batch":[{"type":"identify","userId":8,"traits":{"plan":"pro","title":"x\ud83d"},"messageId":9}]}`,
	} {
		if got, text := a.send(t, path, strings.NewReader(body), nil); got.StatusCode != http.StatusOK || strings.Contains(text, "refused") {
			t.Errorf("%s: got %d %s", path, got.StatusCode, text)
		}
	}
	rows, err := a.pool.Query(t.Context(), "select user_id from bucketgen.contacts order by user_id")
	if err != nil {
		t.Fatal(err)
	}
	var users []string
	for rows.Next() {
		var user string
		if err := rows.Scan(&user); err != nil {
			t.Fatal(err)
		}
		users = append(users, user)
	}
	if diff := cmp.Diff([]string{"12345678901234567890", "7", "8", "c1", "me"}, users); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"8", "c1"}, memberships(t, a.pool, tracked(t))["pro"]); diff != "" {
		t.Error(diff)
	}
}

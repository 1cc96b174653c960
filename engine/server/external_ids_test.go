package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
)

// TestExternalIDs sends context.externalIds by a server key: those of declared types are ids of the
// user, others are ignored with a warning that names the field, and the event counts in any case.
// By a write key all are ignored.
func TestExternalIDs(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true, IDKinds: map[string]int{"crm": 1, "card": 2}})
	web := a.key
	backend := command(t, "keys", "create", "backend", "--server", "--database", a.url)
	send := func(key, user, externalIDs string) string {
		t.Helper()
		a.key = key
		body := `{"batch":[{"type":"track","userId":"` + user + `","event":"order","context":{"externalIds":` + externalIDs + `}}]}`
		got, text := a.send(t, "/v1/batch?results=1", strings.NewReader(body), nil)
		if got.StatusCode != http.StatusOK || !strings.Contains(text, `"status":"accepted"`) {
			t.Errorf("%s: got %d %s, want that the event counts", externalIDs, got.StatusCode, text)
		}
		return text
	}
	for _, test := range []struct{ externalIDs, says string }{
		{`[{"id":"4711","type":"crm","collection":"users","encoding":"none"},{"id":815,"type":"card"}]`, ""},
		{`null`, ""},
		{`[]`, ""},
		{`[{"id":"1","type":"ga_client_id"}]`, `context.externalIds[0].type is \"ga_client_id\", which is not declared`},
		{`[{"id":"1","type":"crm","collection":"accounts"}]`, `context.externalIds[0].collection is \"accounts\"`},
		{`[{"id":"1","type":"crm","encoding":"sha256"}]`, `context.externalIds[0].encoding is \"sha256\"`},
		{`[{"id":"4711","type":"crm"},{"id":"1","type":"crm"}]`, `context.externalIds[1].type is \"crm\", as that of another id is`},
		{`[{"type":"crm"}]`, `context.externalIds[0].id is empty`},
		{`[{"id":"1"}]`, `context.externalIds[0].type is missing`},
		{`[{"id":{},"type":"crm"}]`, `context.externalIds[0] id is a JSON object`},
		{`[{"id":"` + strings.Repeat("x", 300) + `","type":"crm"}]`, `context.externalIds[0].id is 300 bytes`},
		{`[5]`, `context.externalIds[0] `},
		{`{"id":"1"}`, `context.externalIds `},
	} {
		text := send(backend, "ada", test.externalIDs)
		if warned := strings.Contains(text, `"code":"ignored-id"`); warned != (test.says != "") || !strings.Contains(text, test.says) {
			t.Errorf("%s: got %s, want a warning %q", test.externalIDs, text, test.says)
		}
	}
	if text := send(web, "eve", `[{"id":"4711","type":"crm"},{"id":"1","type":"ga"}]`); strings.Contains(text, "warnings") {
		t.Errorf("by a write key: got %s, want no warning", text)
	}
	_, names := a.contacts(t)
	if diff := cmp.Diff([]string{"card 815 ada", "crm 4711 ada"}, names); diff != "" {
		t.Errorf("ids: %s", diff)
	}
}

// TestForcedAlias sends an alias of an id that users share: that takes a server key and force.
func TestForcedAlias(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	web := a.key
	backend := command(t, "keys", "create", "backend", "--server", "--database", a.url)
	for _, user := range []string{"ada", "bob"} {
		a.send(t, "/v1/track", strings.NewReader(`{"userId":"`+user+`","anonymousId":"tv","event":"order"}`), nil)
	}
	for _, test := range []struct {
		key, force string
		status     int
		says, owns string
	}{
		{backend, "", http.StatusConflict, `"code":"id-shared"`, ""},
		{backend, `,"force":false`, http.StatusConflict, `"force`, ""},
		{web, `,"force":true`, http.StatusOK, "", ""},
		{backend, `,"force":true`, http.StatusOK, "", "anonymous tv cy"},
	} {
		a.key = test.key
		got, text := a.send(t, "/v1/alias", strings.NewReader(`{"previousId":"tv","userId":"cy"`+test.force+`}`), nil)
		_, names := a.contacts(t)
		if got.StatusCode != test.status || !strings.Contains(text, test.says) || slices.Contains(names, "anonymous tv cy") != (test.owns != "") {
			t.Errorf("%s: got %d %s, ids %q, want %d with %q, and %q", test.force, got.StatusCode, text, names, test.status, test.says, test.owns)
		}
	}
}

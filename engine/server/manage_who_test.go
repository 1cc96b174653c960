package server_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestUsersWithoutUserID reads every answer that names users who have no user id, by each way to
// name them: each says the kind and the value of the id, and none has the mark that names begin
// with.
func TestUsersWithoutUserID(t *testing.T) {
	t.Parallel()
	m := newManaged(t, bucket.Define(bucket.Spec{ID: "visitors", Anonymous: bucket.Include, Criteria: orders.Exists()}))
	m.sends(t, engine.Event{AnonymousID: "phone", Name: "order"})
	m.sends(t, engine.Event{Email: "Bob@example.com", Name: "order"})
	get := func(path string) string {
		t.Helper()
		status, _, text := m.get(t, path, m.board, "*/*")
		if status != 200 || strings.Contains(text, `\u0001`) || strings.Contains(text, "\x01") {
			t.Errorf("GET %s: got %d, %s", path, status, text)
		}
		return text
	}
	has := func(path string, want ...string) {
		t.Helper()
		text := get(path)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("GET %s has no %s: %s", path, part, text)
			}
		}
	}
	const visitor, lead = `"anonymousId":"phone"`, `"ids":{"email":"bob@example.com"}`
	has("/v1/buckets/visitors/members", visitor, lead)
	has("/v1/buckets/visitors/members.csv", "anonymous,phone", "email,bob@example.com")
	has("/v1/buckets/visitors/transitions", visitor, lead)
	has("/v1/events", visitor, lead)
	for _, who := range []struct{ path, query, want string }{
		{"phone", "by=anonymous", visitor}, {"bob@example.com", "by=email", lead}, {url.PathEscape(engine.By("anonymous", "phone")), "", visitor},
	} {
		user := "/v1/users/" + who.path
		has(user+"?"+who.query, who.want)
		has(user+"/buckets?"+who.query, who.want)
		has(user+"/timeline?"+who.query, who.want)
		has(user+"/activity?"+who.query, who.want)
		has(user+"/forecast?"+who.query, who.want)
		has("/v1/buckets/visitors/members/"+who.path+"?"+who.query, who.want)
		has("/v1/buckets/visitors/members/"+who.path+"/explain?"+who.query, who.want)
		get(user + "/events?" + who.query)
		get(user + "/ids?" + who.query)
		get(user + "/export.jsonl?" + who.query)
	}
	has("/v1/events?user=phone&by=anonymous", visitor)
	if status, _, text := m.get(t, "/v1/users/phone?by=no+kind", m.board, "*/*"); status != 400 || !strings.Contains(text, `"field":"by"`) {
		t.Errorf("an impossible kind: got %d, %s", status, text)
	}
}

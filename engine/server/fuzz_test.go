package server_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzManage asks for any path and query: nothing is answered by 5xx, and whatever is wrong by a
// problem.
func FuzzManage(f *testing.F) {
	for _, seed := range [][2]string{
		{"/v1/buckets", ""},
		{"/v1/buckets/pro", "x=1"},
		{"/v1/buckets/pro/members", "limit=2&asOf=2026-01-01T00:00:00Z"},
		{"/v1/buckets/pro/members", "after=bWVtYmVycyAx"},
		{"/v1/buckets/pro/members/%2e%2e/explain", ""},
		{"/v1/buckets/testers/members/a%2Fb", ""},
		{"/v1/buckets/pro/sizes", "from=0001-01-01T00:00:00Z&step=day"},
		{"/v1/users/%ff/timeline", "limit=0"},
		{"/v1/users/ada/buckets", "%"},
		{"/v1/plan", "sample=NaN&users=-2"},
		{"/v1/outbox/dead", "after=&limit="},
		{"/v1/deployments", "limit=+1"},
		{"/v1//..", ";"},
	} {
		f.Add(seed[0], seed[1])
	}
	m := newManaged(f)
	m.is(f, "ada", "pro")
	f.Fuzz(func(t *testing.T, path, query string) {
		u, err := url.Parse("/" + strings.TrimPrefix(path, "/"))
		if err != nil || u.Host != "" || slices.ContainsFunc([]byte(path+query), func(b byte) bool { return b <= ' ' || b == 0x7f }) {
			return // no client can send it
		}
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			r := &http.Request{
				Method: method, URL: u, Host: "x", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RequestURI: u.EscapedPath(),
				Header: http.Header{"Authorization": {"Bearer " + m.ops}}, Body: http.NoBody,
			}
			u.RawQuery = query
			w := &recorded{header: http.Header{}, status: http.StatusOK}
			m.Config.Handler.ServeHTTP(w, r.WithContext(t.Context()))
			w.check(t)
		}
	})
}

// recorded is a recorded answer.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorded) Header() http.Header         { return w.header }
func (w *recorded) WriteHeader(status int)      { w.status = status }
func (w *recorded) Write(b []byte) (int, error) { return w.body.Write(b) }

// check says what is wrong with an answer, whatever was asked.
func (w *recorded) check(t *testing.T) {
	t.Helper()
	switch body := w.body.String(); {
	case w.status >= 200 && w.status < 300:
		givesNothingAway(t, body)
	default:
		isProblem(t, answer{w.status, w.header}, body)
	}
}

// FuzzTracking sends any body to whatever takes events in: nothing is answered by 5xx, and whatever
// is wrong by a problem.
func FuzzTracking(f *testing.F) {
	for _, body := range []string{
		`{"userId":"ada","event":"order","messageId":"1","timestamp":"2026-01-01T00:00:00Z","sentAt":"2026-01-01T00:00:01Z"}`,
		`{"userId":"ada","traits":{"plan":"pro","email":null,"n":1e300,"deep":{"a":[1,{"b":""}]}}}`,
		`{"batch":[{"type":"track","userId":"ada","event":"order"},{"type":"identify","userId":"\u00e4","traits":{}},7,null,"x",[]]}`,
		`{"userId":"ada","event":"order","properties":{"a":"\u0000"}}`, `{"userId":"ada","event":"order","properties":{"a":1e400}}`,
		`{"userId":"\ud800","event":"order"}`, "{\"userId\":\"\xff\",\"event\":\"order\"}", `{"type":"alias","userId":"ada","previousId":"bob"}`,
		`{"batch":{}}`, `{"batch":null}`, `[]`, `null`, `{`, ``, `{"userId":7,"event":{}}`, `{"userId":"ada","groupId":"acme","name":"x","category":"y"}`,
		`{"userId":"ada","event":"bucket:entered:pro"}`, `{"userId":"ada","event":"order","timestamp":"0000-01-01T00:00:00Z"}`,
		`{"event":"$identify","distinct_id":"ada","properties":{"$set":{"a":1},"$set_once":{"b":null},"$anon_distinct_id":"x"}}`,
		`{"batch":[{"event":"$create_alias","distinct_id":"ada","properties":{"alias":"bob"}},{"event":"$groupidentify","distinct_id":"a","offset":1e9}]}`,
		`[{"event":"$set","distinct_id":7,"properties":{"$unset":["a"]},"timestamp":"2026-01-01T00:00:00Z"}]`,
		`{"writeKey":1}`, `{"userId":"a","userId":"b","event":"order"}`,
	} {
		for kind := range byte(len(fuzzed)) {
			f.Add([]byte(body), kind)
		}
	}
	m := newManaged(f)
	f.Fuzz(func(t *testing.T, body []byte, kind byte) {
		path := fuzzed[int(kind)%len(fuzzed)]
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+m.write)
		if int(kind) >= 128 {
			r.Header.Set("Content-Encoding", "gzip")
		}
		w := &recorded{header: http.Header{}, status: http.StatusOK}
		m.Config.Handler.ServeHTTP(w, r)
		w.check(t)
	})
}

// fuzzed are the paths that take events in.
var fuzzed = []string{"/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/group", "/v1/alias", "/v1/batch?results=1", "/v1/import", "/capture", "/batch"}

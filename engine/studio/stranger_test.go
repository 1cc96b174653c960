package studio_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// What the persons of a fortress must not see of its only user without being allowed to.
const (
	secretMail  = "ada.secret@example.com"
	secretPhone = "555-0199"
	secretName  = "Hidden buyers"

	secretBefore = "555-0100"            // secretBefore was the phone before.
	secretCoupon = "birthday of Ada"     // secretCoupon is in the payload of an event.
	secretNote   = "allergic to peanuts" // secretNote is deep inside of a property that nothing asks about.
	secretMerged = "old.ada@example.com" // secretMerged is the id of a user who was merged into ada.

	shownPlan = "platinum" // shownPlan is the value of a property that masked readers may see.
)

// hiddenData are what a masked reader must not see.
var hiddenData = []string{secretMail, secretPhone, secretBefore, secretCoupon, secretNote, secretMerged, "ada.secret", "old.ada"}

// fortress is Studio beside the API, with people who sign in by keys.
type fortress struct {
	*httptest.Server
	pages   []route // pages are what Studio answers.
	calls   []route // calls are the operations of the API.
	keys    map[string]string
	cookies map[string]string
}

// route is something that can be asked for.
type route struct{ method, path, operation string }

func newFortress(t *testing.T) *fortress {
	t.Helper()
	pool := pgtest.New(t)
	order, plan := bucket.Event("order"), bucket.Text("plan")
	phone := bucket.Text("phone")
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "buyers", Name: secretName, Criteria: bucket.All(
			order.Exists(), phone.Exists(), plan.Exists(), bucket.Not(phone.HasBeen("none", bucket.Day)),
			order.Where(order.Text("coupon").Exists()).Exists(), order.Sum(order.Number("total")).AtLeast(1),
			order.Distinct(order.Text("coupon")).AtLeast(1),
		)}),
		bucket.Define(bucket.Spec{ID: "guests", Name: "Guests", Kind: bucket.Manual}),
	)
	w := enginetest.New(t, pool, r, enginetest.Options{Prepare: func(e *engine.Engine) error {
		return e.OnEnter(registrytest.Ref(t, r, "buyers"), engine.EnterHandler{Name: "welcome", Func: giveUp})
	}})
	for _, ev := range []engine.Event{
		{UserID: secretMerged, Name: "order"},
		{UserID: "ada", Traits: map[string]any{"phone": secretBefore}},
		{
			UserID: "ada", Name: "order", Properties: map[string]any{"coupon": secretCoupon, "total": 4711.25, "nested": map[string]any{"text": secretCoupon}},
			Traits: map[string]any{"email": secretMail, "phone": secretPhone, "plan": shownPlan, "notes": []any{map[string]any{"text": secretNote}}},
		},
	} {
		if _, err := w.Ingest(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Merge(t.Context(), secretMerged, "ada"); err != nil {
		t.Fatal(err)
	}
	w.Settle() // the letter is dead
	f := &fortress{keys: map[string]string{}, cookies: map[string]string{}}
	store := apikey.Store{Pool: pool, Schema: "bucketgen"}
	for _, kind := range []string{apikey.Admin, apikey.Read, apikey.Support, apikey.Write, apikey.Server} {
		k, err := store.Create(t.Context(), kind, kind, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.keys[kind] = k.Secret
	}
	api := server.NewHandler(w.Engine, pool, "bucketgen", server.HTTP{Refusals: 1 << 20, Show: []string{"plan"}}, nil)
	page, err := studio.New(api, studio.Config{Now: w.Time.Now})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/studio/", page)
	mux.Handle("/", api)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	f.pages, f.calls = routesOfStudio(t), routesOfAPI(t)
	for _, kind := range []string{apikey.Admin, apikey.Read, apikey.Support} {
		f.cookies[kind] = f.signIn(t, f.keys[kind])
	}
	return f
}

// giveUp is a handler that fails for good.
func giveUp(context.Context, engine.Transition) error {
	return engine.GiveUp(errors.New("the mail server does not know " + secretMail))
}

// routesOfStudio reads routes.go, so that a new page is checked, too.
func routesOfStudio(t *testing.T) []route {
	t.Helper()
	text, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []route
	for _, m := range regexp.MustCompile(`\b(get|post)\("([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		all = append(all, route{method: strings.ToUpper(m[1]), path: "/studio" + filled(m[2])})
	}
	if len(all) < 25 {
		t.Fatalf("got %d routes: %v", len(all), all)
	}
	return all
}

// routesOfAPI reads the document, so that a new operation is checked, too.
func routesOfAPI(t *testing.T) []route {
	t.Helper()
	d, err := openapi3.NewLoader().LoadFromFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := []route{{method: http.MethodGet, path: "/v1/stream"}, {method: http.MethodGet, path: "/v1/openapi.json"}, {method: http.MethodGet, path: "/v1/openapi.yaml"}}
	for path, item := range d.Paths.Map() {
		for method, op := range item.Operations() {
			if r := (route{method, filled(path), op.OperationID}); r.path != "/v1/stream" {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b route) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

// filled replaces the parameters of a path.
func filled(path string) string {
	path = strings.NewReplacer("{$}", "", "{bucket}", "buyers", "{user}", "ada").Replace(path)
	return regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "1")
}

// signIn returns the cookie of a new session.
func (f *fortress) signIn(t *testing.T, key string) string {
	t.Helper()
	got := f.ask(t, route{method: http.MethodPost, path: "/studio/v1/sessions"}, `{"key":"`+key+`"}`, nil)
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	if got.status != http.StatusOK || cookie == "" {
		t.Fatalf("sign in: got %d %s", got.status, got.body)
	}
	return cookie
}

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   string
}

func (f *fortress) ask(t *testing.T, r route, body string, header map[string]string) answer {
	t.Helper()
	path := r.path
	if strings.HasSuffix(path, "/user") || strings.HasSuffix(path, "/bucket") {
		path += "?id=ada"
	}
	q, err := http.NewRequestWithContext(t.Context(), r.method, f.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(path, "/studio/") && !strings.HasPrefix(path, "/studio/v1/") {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range header {
		q.Header.Set(name, value)
	}
	got, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	a := answer{status: got.StatusCode, header: got.Header}
	if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/event-stream") { // which does not end
		text, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		a.body = string(text)
	}
	return a
}

// askAs asks with the session of a kind of key.
func (f *fortress) askAs(t *testing.T, kind string, r route) answer {
	t.Helper()
	got := f.ask(t, r, "", map[string]string{"Cookie": f.cookies[kind]})
	if r.operation == "signOut" {
		f.cookies[kind] = f.signIn(t, f.keys[kind])
	}
	return got
}

// everything is what can be asked for: pages, and the API both beside Studio and below it.
func (f *fortress) everything() []route {
	all := slices.Concat(f.pages, f.calls)
	for _, c := range f.calls {
		c.path = "/studio" + c.path
		all = append(all, c)
	}
	return all
}

// open are the operations that need no key: signing in and, without a session, out.
func open(r route) bool { return r.operation == "signIn" }

// forAdmins are the pages that only admins see.
var forAdmins = []string{"/studio/keys", "/studio/user/merge", "/studio/try"}

// reads reports whether a route is for readers: it changes nothing of the engine.
func reads(r route) bool {
	return r.method == http.MethodGet && !slices.Contains(forAdmins, r.path) ||
		slices.Contains([]string{"signIn", "signOut", "forecastWhatIf", "createJob", "cancelJob", "checkSuppression"}, r.operation)
}

// secrets are the texts of an answer that are not for everybody.
func secrets(a answer, all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return !strings.Contains(a.body, s) })
}

// TestStrangers asks for everything that Studio and the API have, as people who may see nothing,
// and who may see a part.
func TestStrangers(t *testing.T) { //nolint:tparallel // each part asks for everything, by one server
	t.Parallel()
	f := newFortress(t)
	t.Run("no key", func(t *testing.T) { f.closed(t, nil) })
	t.Run("a cookie of no session", func(t *testing.T) { f.closed(t, map[string]string{"Cookie": "bucketgen=nonsense"}) })
	for _, kind := range []string{apikey.Write, apikey.Server} {
		t.Run("a "+kind+" key", func(t *testing.T) {
			f.closed(t, map[string]string{"Authorization": "Bearer " + f.keys[kind]})
			got := f.ask(t, route{method: http.MethodPost, path: "/v1/sessions"}, `{"key":"`+f.keys[kind]+`"}`, nil)
			if got.status != http.StatusForbidden && got.status != http.StatusUnauthorized || got.header.Get("Set-Cookie") != "" {
				t.Errorf("sign in: got %d %s", got.status, got.body)
			}
		})
	}
	t.Run("a reader", f.reader)
	t.Run("a masked reader", f.masked)
	t.Run("a page of another site", f.foreign)
	t.Run("a frame", f.framed)
}

// closed checks that a request with the given headers is let in nowhere.
func (f *fortress) closed(t *testing.T, header map[string]string) {
	t.Helper()
	for _, r := range f.everything() {
		if open(r) {
			continue
		}
		got := f.ask(t, r, "", header)
		page := strings.HasPrefix(r.path, "/studio/") && !strings.HasPrefix(r.path, "/studio/v1/")
		switch {
		case page && (got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "/studio/sign-in?next=%2Fstudio%2F")):
			t.Errorf("%s %s: got %d to %q, want the sign-in", r.method, r.path, got.status, got.header.Get("Location"))
		case !page && got.status != http.StatusUnauthorized && got.status != http.StatusForbidden:
			t.Errorf("%s %s: got %d %s, want 401 or 403", r.method, r.path, got.status, got.body)
		}
		if found := secrets(got, secretMail, secretPhone, secretName, "ada@"); len(found) > 0 {
			t.Errorf("%s %s answers %q", r.method, r.path, found)
		}
	}
}

// reader checks that a reader sees everything and changes nothing.
func (f *fortress) reader(t *testing.T) {
	for _, r := range f.everything() {
		if open(r) {
			continue
		}
		got := f.askAs(t, apikey.Read, r)
		switch refused := got.status == http.StatusForbidden || got.status == http.StatusUnauthorized; {
		case reads(r) && (refused || got.status >= http.StatusInternalServerError):
			t.Errorf("%s %s: got %d %s, want an answer", r.method, r.path, got.status, got.body)
		case !reads(r) && got.status != http.StatusForbidden:
			t.Errorf("%s %s: got %d %s, want 403", r.method, r.path, got.status, got.body)
		}
		if _, main, is := strings.Cut(got.body, "<main"); is && strings.Contains(main, `method="post"`) {
			t.Errorf("%s %s has a form that changes something", r.method, r.path)
		}
	}
}

// lookUps are the operations about one user or bucket, which answer a masked reader.
var lookUps = []string{
	"explainMember", "explainUser", "getBucket", "getCriteria", "getForecast", "getMe", "getMember", "getSizes", "getTimeline", "getUser", "getUses",
	"listUserActivity", "listUserBuckets", "listUserEvents", "signIn", "signOut",
}

// masked checks that a masked reader gets the operations about one user or bucket, without any
// personal data, and no other; and that each look is in the audit log.
func (f *fortress) masked(t *testing.T) {
	for _, r := range f.everything() {
		if open(r) {
			continue
		}
		got := f.askAs(t, apikey.Support, r)
		if found := secrets(got, append(hiddenData, "4711.25")...); len(found) > 0 {
			t.Errorf("%s %s: got %d with %q", r.method, r.path, got.status, found)
		}
		if got.status >= http.StatusInternalServerError || !reads(r) && got.status != http.StatusForbidden {
			t.Errorf("%s %s: got %d %s", r.method, r.path, got.status, got.body)
		}
		if page := strings.HasPrefix(r.path, "/studio/") && !strings.HasPrefix(r.path, "/studio/v1/"); page {
			continue
		}
		want := http.StatusForbidden
		if slices.Contains(lookUps, r.operation) {
			want = http.StatusOK
		}
		if got.status != want {
			t.Errorf("%s %s (%s): got %d %s, want %d", r.method, r.path, r.operation, got.status, got.body, want)
		}
	}
	for path, want := range map[string]string{
		"/v1/users/ada": `"value":"` + shownPlan + `"`, "/v1/users/ada/events": `"plan":"` + shownPlan + `"`, "/v1/users/ada/activity": `"plan":"` + shownPlan + `"`,
		"/v1/buckets/buyers/members/ada/explain": shownPlan, "/v1/users/ada/explain": shownPlan, "/v1/users/ada/timeline": `"userEmail":"a...@e..."`,
	} {
		if got := f.askAs(t, apikey.Support, route{method: http.MethodGet, path: path}); !strings.Contains(got.body, want) {
			t.Errorf("%s does not show %s: %s", path, want, got.body)
		}
		if got := f.askAs(t, apikey.Read, route{method: http.MethodGet, path: path}); path == "/v1/users/ada" && len(secrets(got, secretMail, secretPhone, secretBefore, secretNote, secretMerged)) != 5 {
			t.Errorf("a reader sees of %s only %s", path, got.body) // so the secrets are there to be found
		} else if path == "/v1/users/ada/events" && !strings.Contains(got.body, secretCoupon) {
			t.Errorf("a reader sees no payload in %s", got.body)
		}
	}
	audit := f.askAs(t, apikey.Admin, route{method: http.MethodGet, path: "/v1/audit?by=support&limit=1000"})
	for _, action := range lookUps {
		if logged := strings.Contains(audit.body, `"action":"`+action+`"`); logged != (action[:3] != "sig" && action != "getMe") {
			t.Errorf("%s is in the audit log: %v", action, logged)
		}
	}
}

// foreign checks that a browser's request on behalf of a page of another site changes nothing, also
// with the cookie of an admin.
func (f *fortress) foreign(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"by Sec-Fetch-Site": {"Sec-Fetch-Site": "cross-site"},
		"by a sibling":      {"Sec-Fetch-Site": "same-site"},
		"by Origin":         {"Origin": "https://evil.example"},
		"by no origin":      {"Origin": "null"},
	} {
		header["Cookie"] = f.cookies[apikey.Admin]
		for _, r := range append(f.everything(), route{method: http.MethodPost, path: "/studio/sign-in"}, route{method: http.MethodPost, path: "/studio/sign-out"}) {
			if r.method == http.MethodGet {
				continue
			}
			if got := f.ask(t, r, "", header); got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %s %s: got %d %s, want 403", name, r.method, r.path, got.status, got.body)
			}
		}
	}
	for _, r := range f.everything() { // no page of another origin may read an answer
		if got := f.ask(t, r, "", map[string]string{"Origin": "https://evil.example"}); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: an answer is for all origins", r.method, r.path)
		}
	}
	if got := f.askAs(t, apikey.Admin, route{method: http.MethodGet, path: "/v1/me"}); got.status != http.StatusOK {
		t.Errorf("the session of the admin: got %d %s, want 200", got.status, got.body)
	}
}

// framed checks that no page of Studio may be shown within another page, whatever it answers.
func (f *fortress) framed(t *testing.T) {
	pages := append([]route{
		{method: http.MethodGet, path: "/studio/sign-in"}, {method: http.MethodGet, path: "/studio/no/such/page"}, {method: http.MethodGet, path: "/studio/assets/nothing.js"},
	}, f.everything()...)
	for _, r := range pages {
		if !strings.HasPrefix(r.path, "/studio/") || r.method != http.MethodGet {
			continue
		}
		for _, cookie := range []string{"", f.cookies[apikey.Read]} {
			got := f.ask(t, r, "", map[string]string{"Cookie": cookie, "Sec-Fetch-Dest": "iframe"})
			if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || got.header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s: got the policy %q and X-Frame-Options %q", r.path, csp, got.header.Get("X-Frame-Options"))
			}
		}
	}
}

package server_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// store is a shop with real customers: its engine, its pages, and its command line.
type store struct {
	*enginetest.World
	registry *registry.Registry
	url      string
	page     http.Handler
}

// newStore lets one in a hundred customers of CDNOW do what they did.
func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{registry: cdnowBuckets(t), url: pgtest.NewURL(t)}
	pool := pgtest.Open(t, s.url)
	s.World = enginetest.New(t, pool, s.registry, enginetest.Options{Begin: time.Date(1997, time.January, 1, 0, 0, 0, 0, time.UTC)})
	for _, line := range readCDNOW(t) {
		if !strings.HasSuffix(line.customer, "07") {
			continue
		}
		s.AdvanceTo(line.at)
		ev := engine.Event{UserID: line.customer, Name: "purchase", Properties: map[string]any{"amount": line.amount, "cds": line.cds}}
		if _, err := s.Ingest(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	s.AdvanceTo(endOfCDNOW)
	s.page = s.studio(t, s.Engine)
	return s
}

// studio returns Studio of an engine.
func (s *store) studio(t *testing.T, e *engine.Engine) http.Handler {
	t.Helper()
	known := func(*http.Request) (identity.Person, error) {
		return identity.Person{Name: "ada", Role: identity.Read}, nil
	}
	page, err := studio.New(server.NewHandler(e, s.Pool, "bucketgen", server.HTTP{Authenticate: known}, nil), studio.Config{Authenticate: known, Now: s.Time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// AdvanceTo moves the clock to a time that is not earlier.
func (s *store) AdvanceTo(at time.Time) {
	if d := at.Sub(s.Time.Now()); d > 0 {
		s.Advance(d)
	}
}

func (s *store) ref(t *testing.T, id string) registry.Ref {
	t.Helper()
	return registrytest.Ref(t, s.registry, id)
}

// get returns an answer of a page.
func get(t *testing.T, page http.Handler, path, part string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/studio"+path, http.NoBody)
	if part != "" {
		r.Header.Set("Hx-Request", "true")
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

var tag = regexp.MustCompile(`<[^>]*>`)

// read returns what people read of HTML, on one line.
func read(text string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(text, " "))), " ")
}

// bucketd runs the command line of the shop, or of one with other definitions.
func (s *store) bucketd(t *testing.T, r *registry.Registry, args ...string) string {
	t.Helper()
	var out, trouble bytes.Buffer
	h := server.Host{Registry: r, Name: "bucketd", Config: engine.Config{Now: s.Time.Now, VirtualTime: true, NoClock: true, NoDelivery: true, NoDeploy: true}}
	if code := server.Run(t.Context(), h, append(args, "--database", s.url), strings.NewReader(""), &out, &trouble); code > 1 {
		t.Fatalf("%v: exit code %d\n%s", args, code, &trouble)
	}
	return out.String()
}

// has checks that a text has others.
func has(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not have %q:\n%s", what, w, text)
		}
	}
}

// TestStudioSaysTheSame compares what the pages of Studio say of real customers with what the Go
// API and the command line do: sizes, members, explanations, forecasts, and a plan. Then it lets
// the time pass that was forecast.
func TestStudioSaysTheSame(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.sizesAgree(t)
	s.membersAgree(t)
	user := s.leaving(t)
	s.explanationsAgree(t, user)
	s.plansAgree(t)
	s.forecastComesTrue(t, user)
}

func (s *store) sizesAgree(t *testing.T) {
	t.Helper()
	counts, err := s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	overview := get(t, s.page, "/", "")
	for id, n := range counts {
		stats, err := s.BucketStats(t.Context(), s.ref(t, id))
		if err != nil || stats.Members != n || n == 0 {
			t.Errorf("%s: BucketStats has %d, %v; Counts %d", id, stats.Members, err, n)
		}
		if printed := strings.Fields(s.bucketd(t, s.registry, "count", id)); !slices.Contains(printed, strconv.FormatInt(n, 10)) {
			t.Errorf("bucketd count %s prints %q, want %d", id, printed, n)
		}
		_, rest, _ := strings.Cut(overview, `/studio/buckets/`+id)
		row, _, _ := strings.Cut(rest, "</tr>")
		has(t, "the row of "+id, read(`<a href="`+row), " "+strconv.FormatInt(n, 10)+" ")
		has(t, "the page of "+id, read(get(t, s.page, "/buckets/"+id, "")), strconv.FormatInt(n, 10))
	}
}

func (s *store) membersAgree(t *testing.T) {
	t.Helper()
	const id = "repeat-buyers"
	var want, printed []string
	for m, err := range s.Members(t.Context(), s.ref(t, id)) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, m.UserID)
	}
	for line := range strings.Lines(s.bucketd(t, s.registry, "members", id, "--json")) {
		var m engine.Member
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		printed = append(printed, m.UserID)
	}
	rows, err := csv.NewReader(strings.NewReader(get(t, s.page, "/v1/buckets/"+id+"/members.csv", ""))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var exported []string
	for _, row := range rows[1:] {
		exported = append(exported, row[0])
	}
	if len(want) == 0 || !slices.Equal(want, printed) || !slices.Equal(want, exported) {
		t.Errorf("the Go API has %d members, bucketd %d, the CSV %d", len(want), len(printed), len(exported))
	}
	newest, err := s.Inspect().Members(t.Context(), s.ref(t, id), engine.MemberQuery{Newest: true, Size: 50})
	if err != nil {
		t.Fatal(err)
	}
	page := get(t, s.page, "/buckets/"+id+"/members", "")
	var listed []string
	for _, m := range regexp.MustCompile(`/studio/user\?id=([^"&]+)"`).FindAllStringSubmatch(page, -1) {
		listed = append(listed, m[1])
	}
	for i, m := range newest.Members {
		if i >= len(listed) || listed[i] != m.UserID {
			t.Fatalf("the page lists %q, want %s in place %d", listed, m.UserID, i)
		}
	}
}

// leaving returns a user who will leave a bucket within a month.
func (s *store) leaving(t *testing.T) string {
	t.Helper()
	for m, err := range s.Members(t.Context(), s.ref(t, "power-buyers")) {
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Users().Forecast(t.Context(), m.UserID, engine.ForecastOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Transitions) > 0 {
			return m.UserID
		}
	}
	t.Fatal("time changes nothing for any power buyer")
	return ""
}

func (s *store) explanationsAgree(t *testing.T, user string) {
	t.Helper()
	for _, id := range []string{"power-buyers", "lapsed"} {
		x, err := s.Explain(t.Context(), s.ref(t, id), user)
		if err != nil {
			t.Fatal(err)
		}
		page := read(get(t, s.page, "/user?part=explain&why="+id+"&id="+user, "explain"))
		printed := strings.Join(strings.Fields(s.bucketd(t, s.registry, "explain", id, user)), " ")
		var check func(c *bucketgen.Condition)
		check = func(c *bucketgen.Condition) {
			verdict := map[bool]string{true: "holds: ", false: "does not hold: "}[c.Holds]
			has(t, "the page", page, verdict+strings.Join(strings.Fields(c.Words), " "))
			if c.Evidence != nil {
				fact := strings.Join(strings.Fields(c.Evidence.Text), " ")
				has(t, "the page", page, fact)
				has(t, "bucketd explain", printed, fact)
			}
			for i := range c.Parts {
				check(&c.Parts[i])
			}
		}
		check(x.Criteria)
	}
}

func (s *store) plansAgree(t *testing.T) {
	t.Helper()
	purchase := bucket.Event("purchase")
	changed := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "repeat-buyers", Criteria: purchase.AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "power-buyers", Criteria: purchase.Within(60 * bucket.Day).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "lapsed", Criteria: bucket.All(purchase.Exists(), purchase.Within(180*bucket.Day).Never())}))
	e := startOn(t, s.Pool, changed, engine.Config{Now: s.Time.Now, VirtualTime: true, NoClock: true, NoDelivery: true, NoDeploy: true})
	want, err := e.Plan(t.Context(), engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	page := read(get(t, s.studio(t, e), "/plan", ""))
	var printed engine.Plan
	if err := json.Unmarshal([]byte(s.bucketd(t, changed, "plan", "--json")), &printed); err != nil {
		t.Fatal(err)
	}
	for i := range want.Buckets {
		b, p := &want.Buckets[i], &printed.Buckets[i]
		if b.ID != p.ID || b.Status != p.Status || b.Joins.Count != p.Joins.Count || b.Leaves.Count != p.Leaves.Count {
			t.Errorf("bucketd plan has %+v, want %+v", p, b)
		}
		if b.Status == engine.StatusChanged {
			has(t, "the page", page, fmt.Sprintf("+%d −%d", b.Joins.Count, b.Leaves.Count))
		}
	}
	if sum := want.Buckets[0].Joins.Count + want.Buckets[0].Leaves.Count + want.Buckets[1].Joins.Count + want.Buckets[1].Leaves.Count; sum == 0 {
		t.Errorf("the plan moves no user: %+v", want)
	}
}

// forecastComesTrue lets the time pass that was forecast: what the page says happens, and nothing
// else.
func (s *store) forecastComesTrue(t *testing.T, user string) {
	t.Helper()
	f, err := s.Users().Forecast(t.Context(), user, engine.ForecastOptions{NoTicks: true})
	if err != nil {
		t.Fatal(err)
	}
	var answered engine.Forecast
	if err := json.Unmarshal([]byte(get(t, s.page, "/v1/users/"+user+"/forecast", "")), &answered); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Transitions, answered.Transitions); diff != "" {
		t.Errorf("the API forecasts something else (-Go API +HTTP API):\n%s", diff)
	}
	page := read(get(t, s.page, "/user?id="+user, ""))
	for _, tr := range f.Transitions {
		has(t, "the page", page, tr.At.Format("2006-01-02 15:04"))
	}
	before, _, err := s.Users().Timeline(t.Context(), user, engine.TimelineQuery{})
	if err != nil {
		t.Fatal(err)
	}
	s.AdvanceTo(f.Until)
	after, _, err := s.Users().Timeline(t.Context(), user, engine.TimelineQuery{})
	if err != nil {
		t.Fatal(err)
	}
	brief := func(all []engine.Transition) (out []string) {
		for _, tr := range all {
			out = append(out, fmt.Sprintf("%s %s at %s", tr.Kind, tr.BucketID, tr.At))
		}
		return out
	}
	if diff := cmp.Diff(brief(f.Transitions), brief(after[len(before):])); diff != "" || len(f.Transitions) == 0 {
		t.Errorf("what happened differs from the forecast (-forecast +happened):\n%s", diff)
	}
}

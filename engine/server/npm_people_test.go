//go:build sdks

package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// The buckets of TestBrowserJourneys: one page and two pages, of visitors too, and two pages of
// people who are known.
var (
	visited  = bucket.Define(bucket.Spec{ID: "visited", Criteria: bucket.Event("page").Exists(), Anonymous: bucket.Include})
	returned = bucket.Define(bucket.Spec{ID: "returned", Criteria: bucket.Event("page").AtLeast(2), Anonymous: bucket.Include})
	regulars = bucket.Define(bucket.Spec{ID: "regulars", Criteria: bucket.Event("page").AtLeast(2)})
)

// journey is what people do in browsers. Each line of its steps has a device, what happens there, a
// user, the name of the anonymousId that the SDK has then, and after the bar who is in which
// bucket. A dash is for no user. Two names are two ids, and a name is one id. An anonymous contact
// is written a: and the name of its id.
type journey struct{ name, steps string }

// everySDK are the journeys that both SDKs take.
var everySDK = []journey{
	{"sign-up", `
		phone | page           | -   | p1 | visited a:p1
		phone | page           | -   | p1 | visited a:p1; returned a:p1
		phone | identify       | ada | p1 | visited ada; returned ada; regulars ada`},
	{"login on a second device", `
		phone  | page           | -   | p1 | visited a:p1
		phone  | identify       | ada | p1 | visited ada
		laptop | page           | -   | l1 | visited a:l1 ada
		laptop | identify       | ada | l1 | visited ada; returned ada; regulars ada
		laptop | reset, same id | -   | l1 | visited ada; returned ada; regulars ada
		laptop | page           | -   | l1 | visited ada; returned ada; regulars ada`},
	{"shared device, the anonymousId kept", `
		tv | identify       | ada | tv |
		tv | reset, same id | -   | tv |
		tv | page           | -   | tv | visited ada
		tv | identify       | bob | tv | visited ada
		tv | page           | -   | tv | visited ada bob
		tv | page           | -   | tv | visited ada bob; returned bob; regulars bob
		tv | reset, same id | -   | tv | visited ada bob; returned bob; regulars bob
		tv | page           | -   | tv | visited a:tv ada bob; returned bob; regulars bob
		tv | page           | -   | tv | visited a:tv ada bob; returned a:tv bob; regulars bob
		tv | identify       | cyd | tv | visited a:tv ada bob; returned a:tv bob; regulars bob`},
	signOut("reset, new id"),
}

// signOut is the journey of a user who signs out by a reset that makes a new anonymousId.
func signOut(reset string) journey {
	return journey{"logout by " + reset, `
		phone | page     | -   | p1 | visited a:p1
		phone | identify | ada | p1 | visited ada
		phone | page     | -   | p1 | visited ada; returned ada; regulars ada
		phone | ` + reset + ` | - | p2 | visited ada; returned ada; regulars ada
		phone | page     | -   | p2 | visited a:p2 ada; returned ada; regulars ada
		phone | identify | bob | p2 | visited ada bob; returned ada; regulars ada
		phone | page     | -   | p2 | visited ada bob; returned ada bob; regulars ada bob`}
}

// journeys are those of each SDK. They differ in what they do if another user signs in and none has
// signed out: Segment's makes a new anonymousId, RudderStack's keeps it.
var journeys = map[string][]journey{
	"segment": append(slices.Clone(everySDK), journey{"another user, no logout", `
		phone | identify | ada | p1 |
		phone | page     | -   | p1 | visited ada
		phone | identify | bob | p2 | visited ada
		phone | page     | -   | p2 | visited ada bob`}),
	"rudder": append(slices.Clone(everySDK), signOut("reset(true), new id"), journey{"another user, no logout", `
		phone | identify       | ada | p1 |
		phone | page           | -   | p1 | visited ada
		phone | identify       | bob | p1 | visited ada
		phone | page           | -   | p1 | visited ada bob
		phone | reset, same id | -   | p1 | visited ada bob
		phone | page           | -   | p1 | visited a:p1 ada bob`}),
}

// TestBrowserJourneys lets the SDKs for browsers play the journeys of docs/explanation/people.md in
// Chromium. After each step it compares who is in which bucket.
func TestBrowserJourneys(t *testing.T) {
	t.Parallel()
	for sdk, all := range journeys {
		for _, j := range all {
			t.Run(sdk+"/"+j.name, func(t *testing.T) {
				t.Parallel()
				newTravel(t, j).take(t, sdk)
			})
		}
	}
}

// travel is a journey under way.
type travel struct {
	*api
	front *front
	steps []traveled
	done  int
	sent  int               // calls
	ids   map[string]string // anonymous ids by their names
}

type traveled struct {
	Device string `json:"device"`
	Act    string `json:"act"`
	User   string `json:"user"`

	as, want string
}

func newTravel(t *testing.T, j journey) *travel {
	t.Helper()
	tr := &travel{ids: map[string]string{}}
	tr.api, tr.front = behindFront(t, newAPIOf(t, registrytest.Build(t, visited, returned, regulars), engine.Config{NoClock: true}), 0)
	for line := range strings.Lines(strings.TrimSpace(j.steps)) {
		part := strings.Split(strings.TrimSpace(line), "|")
		if len(part) != 5 {
			t.Fatalf("%q has %d parts, want 5", line, len(part))
		}
		for i := range part {
			part[i] = strings.TrimSpace(part[i])
		}
		tr.steps = append(tr.steps, traveled{part[0], part[1], part[2], part[3], part[4]})
	}
	return tr
}

func (tr *travel) take(t *testing.T, sdk string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(sdksFolder)))
	mux.HandleFunc("GET /plan", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"api": tr.URL, "key": tr.key, "steps": tr.steps})
	})
	mux.HandleFunc("POST /after", func(w http.ResponseWriter, r *http.Request) {
		if err := tr.after(r); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	})
	page := httptest.NewServer(mux)
	defer page.Close()
	run(t, nil, "journey.mjs", sdk, page.URL)
	if tr.done != len(tr.steps) {
		t.Errorf("%d of %d steps were made", tr.done, len(tr.steps))
	}
}

// after compares what is so after the next step.
func (tr *travel) after(r *http.Request) error {
	var said struct {
		AnonymousID string `json:"anonymousId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
		return err
	}
	s := tr.steps[tr.done]
	if !strings.HasPrefix(s.Act, "reset") {
		tr.sent++
	}
	ctx, cancel := context.WithTimeout(r.Context(), npmPatience/2)
	defer cancel()
	if err := tr.front.wait(ctx, tr.sent); err != nil {
		return err
	}
	if err := tr.named(s.as, said.AnonymousID); err != nil {
		return fmt.Errorf("step %d, %s: %w", tr.done+1, s.Act, err)
	}
	got, err := tr.members(ctx)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(s.want, got); diff != "" {
		return fmt.Errorf("step %d, %s: -want +got\n%s", tr.done+1, s.Act, diff)
	}
	tr.done++
	return nil
}

// named checks that a name is one id, and that two names are two.
func (tr *travel) named(as, id string) error {
	for other, its := range tr.ids {
		if (other == as) != (its == id) {
			return fmt.Errorf("the anonymousId %s is %s, and that of %s is %s", as, id, other, its)
		}
	}
	tr.ids[as] = id
	return nil
}

// members returns who is in which bucket, as a step says it.
func (tr *travel) members(ctx context.Context) (string, error) {
	var all []string
	for _, d := range []bucket.Definition{visited, returned, regulars} {
		in, err := tr.in(ctx, d.ID())
		if err != nil {
			return "", err
		}
		if len(in) > 0 {
			slices.Sort(in)
			all = append(all, d.ID()+" "+strings.Join(in, " "))
		}
	}
	return strings.Join(all, "; "), nil
}

func (tr *travel) in(ctx context.Context, id string) ([]string, error) {
	var in []string
	ref, _ := tr.engine.Registry().Ref(id)
	for m, err := range tr.engine.Members(ctx, ref) {
		if err != nil {
			return nil, err
		}
		in = append(in, tr.shown(m))
	}
	return in, nil
}

func (tr *travel) shown(m engine.Member) string {
	for as, id := range tr.ids {
		if m.Who() == (engine.ID{Kind: engine.KindAnonymous, Value: id}) {
			return "a:" + as
		}
	}
	return m.UserID
}

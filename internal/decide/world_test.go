package decide_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// world is one user, the buckets of a row, and what happened so far.
type world struct {
	t        *testing.T
	registry *table.Registry
	state    *decide.State
	options  decide.Options
	said     []string
}

// given puts something into the state of the user before the first step.
type given func(*world)

// action is one thing that happens to the user, in a session of its own.
type action func(*world)

func newWorld(t *testing.T, buckets []bucket.Definition, facts []given) *world {
	t.Helper()
	r := registrytest.Build(t, buckets...)
	w := &world{t: t, registry: r.Tables(), options: decide.Options{Frozen: make([]bool, len(r.Tables().Buckets))}, state: &decide.State{
		Contact:  decide.Contact{New: len(facts) == 0, UpdatedAt: table.Unset, DecidedAt: table.Unset, WrittenAt: table.Unset},
		Facts:    r.Tables().NewFacts("ada").Complete(),
		Changes:  map[string]decide.PropertyChange{},
		Complete: true,
	}}
	for _, f := range facts {
		f(w)
	}
	return w
}

// start is day 0 of every row.
var start = table.At(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))

const day = 24 * time.Hour

func at(d time.Duration) table.Instant { return start.Add(d) }

// What is given.

func stay(id string, number int, from time.Duration) given { //nolint:unparam // rows say every argument
	return past(decide.Stay{EntryCount: number, EnteredAt: at(from), LeftAt: table.Unset}, id)
}

func left(id string, number int, from, until time.Duration) given { //nolint:unparam // rows say every argument
	return past(decide.Stay{EntryCount: number, EnteredAt: at(from), LeftAt: at(until)}, id)
}

// blocked is a stay that ended by MaxDwell while its criteria held.
func blocked(id string, number int, from, until time.Duration) given { //nolint:unparam // rows say every argument
	return past(decide.Stay{EntryCount: number, EnteredAt: at(from), LeftAt: at(until), Blocked: true}, id)
}

func past(s decide.Stay, id string) given {
	return func(w *world) {
		s.Bucket, s.AnchorAt, s.TickedAt = w.bucket(id), table.Unset, table.Unset
		w.state.Stays = append(w.state.Stays, s)
	}
}

// ticked says that the ticks of the user's stay up to an instant were sent.
func ticked(id string, until time.Duration) given { //nolint:unparam // rows say every argument
	return func(w *world) { w.stay(id).TickedAt = at(until) }
}

func due(id string, d time.Duration) given {
	return func(w *world) { w.state.Due = append(w.state.Due, decide.Due{Bucket: w.bucket(id), At: at(d)}) }
}

func happened(name string, d time.Duration) given { //nolint:unparam // rows say every argument
	return func(w *world) {
		occurrences := w.registry.Occurrences(nil, w.registry.Event(name), at(d), payload.Object{}.Value)
		for _, o := range occurrences {
			w.state.Facts.Add(o)
		}
		for _, a := range w.registry.Advances(nil, occurrences) {
			w.state.Facts.Advance(a)
		}
	}
}

// has gives the user properties as of an instant.
func has(properties string, d time.Duration) given {
	return func(w *world) {
		for _, f := range w.object(properties).Fields {
			w.state.Contact.Properties.Put(f)
			w.state.Contact.WrittenAt = max(w.state.Contact.WrittenAt, at(d))
			w.state.Changes[f.Key] = decide.PropertyChange{Was: []byte("null"), WasAt: table.Unset, At: at(d)}
			if p, declared := w.registry.Property(f.Key); declared {
				w.state.Facts.SetProperty(p, f.Whole())
				w.state.Facts.SetLastChange(table.LastChange{Property: p, At: at(d)})
			}
		}
	}
}

var (
	known   given = func(w *world) { w.state.Contact.New = false } // but nothing of them
	deleted given = func(w *world) { w.state.Contact.Deleted = true }
	live    given = func(w *world) { w.options.Live = true } // a real clock, which may be late
)

func paused(id string) given {
	return func(w *world) { w.options.Frozen[w.bucket(id)] = true }
}

// atMost limits how many properties a user may have.
func atMost(properties int) given {
	return func(w *world) { w.options.Limits.Properties = properties }
}

// What comes of it.

// run runs one session and notes its result.
func (w *world) run(do func(*decide.Session) decide.Result) {
	w.t.Helper()
	s := &decide.Session{}
	s.Begin(w.registry, w.state, w.options)
	r := do(s)
	if lacks, lacking := s.Lacks(); lacking {
		w.t.Fatalf("the session lacks %v", lacks)
	}
	s.Changes()
	for _, t := range r.Transitions {
		w.say("%s", w.transition(&t))
	}
	switch {
	case r.Duplicate:
		w.say("duplicate")
	case r.Deleted:
		w.say("refused: the user is deleted")
	case r.Paused:
		w.say("refused: the bucket is paused")
	case r.Refused != nil:
		w.say("refused: %s", r.Refused.Field)
	case r.Repaired > 0:
		w.say("repaired %d", r.Repaired)
	}
}

func (w *world) say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

// transition writes a transition as rows do: "day 7: left active 1, clock, criteria".
func (w *world) transition(t *decide.Transition) string {
	text := fmt.Sprintf("%s: %s %s %d", when(t.At), t.Kind, w.id(t.Bucket), t.EntryCount)
	if t.Kind == bucketgen.Dwell {
		kind, span, _ := strings.Cut(t.Tick, "-")
		text = fmt.Sprintf("%s: tick %s %d, %s %s no. %d", when(t.At), w.id(t.Bucket), t.EntryCount, kind, span, t.DwellCount)
	}
	text += ", " + string(t.Source)
	if t.Reason != "" {
		text += ", " + string(t.Reason)
	}
	if t.Suppressed {
		text += ", not announced"
	}
	if t.DecidedAt != t.At {
		text += ", decided " + when(t.DecidedAt)
	}
	return text
}

// due returns when the clock evaluates each bucket next.
func (w *world) due() []string {
	var all []string
	for _, d := range w.state.Due {
		if d.At != table.Never {
			all = append(all, w.id(d.Bucket)+" "+when(d.At))
		}
	}
	slices.Sort(all)
	return all
}

// blocks returns the buckets that the user is kept from.
func (w *world) blocks() []string {
	var all []string
	for i := range w.state.Stays {
		if s := &w.state.Stays[i]; s.Blocked {
			all = append(all, w.id(s.Bucket))
		}
	}
	slices.Sort(all)
	return all
}

// when writes an instant as rows do: "day 3", or "day 3 2h".
func when(i table.Instant) string {
	d := i.Sub(start)
	text := fmt.Sprintf("day %d", d/day)
	if d%day != 0 {
		text += " " + length(d%day)
	}
	return text
}

func length(d time.Duration) string {
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

func (w *world) id(b table.BucketIndex) string { return w.registry.Buckets[b].ID }

func (w *world) bucket(id string) table.BucketIndex {
	w.t.Helper()
	b, known := w.registry.Bucket(id)
	if !known {
		w.t.Fatalf("there is no bucket %q", id)
	}
	return b
}

func (w *world) stay(id string) *decide.Stay {
	w.t.Helper()
	i := slices.IndexFunc(w.state.Stays, func(s decide.Stay) bool { return s.Bucket == w.bucket(id) })
	if i < 0 {
		w.t.Fatalf("the user has no stay in %q", id)
	}
	return &w.state.Stays[i]
}

func (w *world) object(text string) payload.Object {
	w.t.Helper()
	o, err := payload.Parse("properties", []byte(text), 1<<10, payload.All)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

package explain

import (
	"context"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	maxForetold    = 10_000 // maxForetold is how many due instants a forecast applies
	maxTransitions = 1000   // maxTransitions is how many transitions a forecast returns
)

// Imagined is an event that a forecast imagines, at an instant that is not before now.
type Imagined struct {
	Event decide.Event
	At    table.Instant // At is Unset for now
}

// Forecast returns what happens to a user, by the name that they go by now, up to an instant, if
// nothing but some events happens, which are in the order of time. Other names give the error that
// transact.Canonical handles.
func (e *Explainer) Forecast(ctx context.Context, user string, until table.Instant, ticks bool, events []Imagined) (bucketgen.Forecast, error) {
	f := foretelling{until: until, ticks: ticks, events: events}
	want := store.Request{User: user}
	for i := range events {
		want.Events = append(want.Events, &events[i].Event)
	}
	t := &transact.Task{Want: want, Options: e.Options, Step: f.run, Named: true}
	deleted := false
	err := e.Runner.Consult(ctx, []*transact.Task{t}, func(_ *transact.Task, st *decide.State, _ *decide.Session) { deleted = st.Contact.Deleted })
	switch {
	case err != nil:
		return bucketgen.Forecast{}, err
	case t.Missed:
		return bucketgen.Forecast{}, bucketgen.ErrUnknownUser
	case deleted:
		return bucketgen.Forecast{}, bucketgen.ErrDeleted
	case f.refused != nil:
		return bucketgen.Forecast{}, event.Refused(f.refused)
	}
	out := bucketgen.Forecast{At: f.now.Time(), Until: until.Time(), Buckets: []string{}}
	out.UserID, out.AnonymousID, out.IDs = resolve.Split(user)
	for _, b := range f.members {
		out.Buckets = append(out.Buckets, e.Runner.Registry.Buckets[b].ID)
	}
	slices.Sort(out.Buckets)
	made := f.made
	if len(made) > maxTransitions { // those at the instant of the first that is left out may be incomplete
		f.complete = made[maxTransitions].At
		end := slices.IndexFunc(made, func(t decide.Transition) bool { return t.At >= f.complete })
		made = made[:end]
	}
	if out.Transitions = transact.Transitions(e.Runner.Registry, user, made); out.Transitions == nil {
		out.Transitions = []bucketgen.Transition{}
	}
	if f.complete < until {
		out.CompleteUntil = f.complete.Time()
	}
	return out, nil
}

// foretelling is the step of a forecast, with what it found.
type foretelling struct {
	until  table.Instant
	ticks  bool
	events []Imagined
	runs   int

	now      table.Instant
	members  []table.BucketIndex
	made     []decide.Transition
	complete table.Instant
	refused  *decide.Refusal
}

// run applies what is due, the events and what follows. Each run starts afresh, on more facts.
func (f *foretelling) run(s *decide.Session, clock table.Instant) decide.Result {
	f.runs++
	result := s.Clock(clock)
	f.now, f.members, f.made, f.refused = s.Now(), s.Members(), nil, nil
	if !f.ticks {
		s.Silence()
	}
	most := maxForetold
	if f.runs > maxRuns {
		most = 0
	}
	foretell := func(until table.Instant) (all bool) {
		var made []decide.Transition
		made, f.complete = s.Foretell(until, most)
		f.made = append(f.made, made...)
		return f.complete == until
	}
	for i := range f.events {
		at := max(f.events[i].At, f.now)
		if at > f.now && !foretell(at-1) {
			return result
		}
		r := s.Ingest(f.events[i].Event, at)
		if r.Refused != nil {
			f.refused = r.Refused
			return result
		}
		f.made = append(f.made, r.Transitions...)
	}
	foretell(f.until)
	return result
}

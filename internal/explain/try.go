package explain

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// The bounds of what is tried: how many candidates are compared, and how many transitions are
// foretold.
const (
	maxTried = 100
	maxNext  = 100
)

// Try returns what an event of a user would come to, by the name that they go by now. It decides in
// a transaction that it rolls back, under the lock of the user, so that an unknown user can be
// tried as one who is created. Other names give the error that transact.Canonical handles.
func (e *Explainer) Try(ctx context.Context, user string, ev decide.Event, until table.Instant) (r bucketgen.TryResult, err error) {
	conn, err := e.Runner.Pool.Acquire(ctx)
	if err != nil {
		return r, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	t := trying{registry: e.Runner.Registry, event: ev, until: until}
	task := &transact.Task{
		Want:    store.Request{User: user, Create: true, CreatedAt: e.Runner.Now(), Events: []*decide.Event{&ev}},
		Options: e.Options, Step: t.run, Named: true,
	}
	tasks := []*transact.Task{task}
	loaded, err := e.Runner.Begin(ctx, conn, e.Runner.NewToken(conn), true, tasks)
	if err != nil {
		return r, e.Runner.Links.Rollback(ctx, conn, err)
	}
	deleted := false
	visit := func(_ *transact.Task, st *decide.State, _ *decide.Session) {
		deleted, t.traits = st.Contact.Deleted, slices.Clone(st.Contact.Properties.Raw())
	}
	// The first run finds the candidates, which the second one evaluates before and after the
	// event.
	for range 2 {
		t.runs = 0
		if err == nil {
			err = e.Runner.Run(ctx, conn, loaded, tasks, visit)
		}
	}
	switch err := e.Runner.Links.Rollback(ctx, conn, err); {
	case err != nil:
		return r, err
	case task.Missed:
		return r, bucketgen.ErrUnknownUser
	case deleted:
		return r, bucketgen.ErrDeleted
	case t.refused != nil:
		return r, event.Refused(t.refused)
	}
	r = t.result(user)
	r.Created = loaded.Created(user)
	return r, nil
}

// trying is the step of a try, with what it found.
type trying struct {
	registry *table.Registry
	event    decide.Event
	until    table.Instant
	runs     int

	candidates    []table.BucketIndex // candidates are those of the event, once they are known.
	before, after []probe             // before and after have the first of them, in their order.
	now           table.Instant
	members       []table.BucketIndex
	made, next    []decide.Transition
	traits        []byte
	refused       *decide.Refusal
}

// run applies what is due, the event and what follows. Each run starts afresh, on more facts.
func (t *trying) run(s *decide.Session, clock table.Instant) decide.Result {
	t.runs++
	result := s.Clock(clock)
	t.now = s.Now()
	compared := t.candidates[:min(len(t.candidates), maxTried)]
	t.before = t.probes(s, compared)
	r := s.Ingest(t.event, t.now)
	if t.refused = r.Refused; t.refused != nil {
		return result
	}
	t.made, t.members, t.candidates = r.Transitions, s.Members(), t.concerned(s.Found(), r.Transitions)
	t.after = t.probes(s, compared)
	s.Silence()
	most := maxForetold
	if t.runs > maxRuns {
		most = 0
	}
	t.next, _ = s.Foretell(t.until, most)
	return result
}

// concerned returns the candidates of an event, and the buckets that follow others.
func (t *trying) concerned(found []table.BucketIndex, made []decide.Transition) []table.BucketIndex {
	for _, transition := range made {
		found = append(found, transition.Bucket)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// probes evaluates the conditions of buckets at the time of the session.
func (t *trying) probes(s *decide.Session, buckets []table.BucketIndex) []probe {
	all := make([]probe, len(buckets))
	for i, b := range buckets {
		all[i] = probe{registry: t.registry, bucket: b, now: s.Now()}
		if t.registry.Buckets[b].Kind == table.Dynamic {
			all[i].trace = s.Trace(b)
		}
	}
	return all
}

// result returns what was found.
func (t *trying) result(user string) bucketgen.TryResult {
	r := bucketgen.TryResult{
		At: t.now.Time(), Candidates: len(t.candidates), Traits: t.traits,
		Transitions: transact.Transitions(t.registry, user, t.made), Next: transact.Transitions(t.registry, user, t.next[:min(len(t.next), maxNext)]),
	}
	r.UserID, r.AnonymousID, r.IDs = resolve.Split(user)
	for _, b := range t.members {
		r.Buckets = append(r.Buckets, t.registry.Buckets[b].ID)
	}
	slices.Sort(r.Buckets)
	for i := range t.after {
		row := &t.registry.Buckets[t.after[i].bucket]
		tried := bucketgen.TriedBucket{BucketID: row.ID, BucketName: row.Name}
		if before, after := t.before[i].criteria(), t.after[i].criteria(); before != nil && after != nil {
			tried.Before, tried.After, tried.Flips = before.Holds, after.Holds, flips(nil, before, after)
		}
		r.Evaluated = append(r.Evaluated, tried)
	}
	return r
}

// flips adds the single conditions of a criteria that an event changes.
func flips(all []bucketgen.ConditionFlip, before, after *bucketgen.Condition) []bucketgen.ConditionFlip {
	if len(after.Parts) == 0 {
		if before.Holds != after.Holds {
			all = append(all, bucketgen.ConditionFlip{Words: after.Words, Holds: after.Holds, Evidence: after.Evidence})
		}
		return all
	}
	for i := range after.Parts {
		all = flips(all, &before.Parts[i], &after.Parts[i])
	}
	return all
}

package subject

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Manner is how steps are played against the engine. None of it may make a difference.
type Manner struct {
	MaxBatch     int
	Flushers     int
	ClockWorkers int

	// Limits are what the properties of a user may come to. Those that are zero are the defaults.
	Limits decide.Limits

	// Secret is the secret under which ids of erased users are hashed. Empty: none.
	Secret string

	// IDs are how many ids a user may have. Those that are zero are the defaults.
	IDs resolve.Limits

	// Engines is how many engines of one process take turns. 0 is one.
	Engines int

	// Turn says which of them does a step, and what the clock does before it. It may be nil for the
	// first.
	Turn func(step int) int

	// Within says that a step that is an ingest by itself is made in a transaction of the caller's,
	// the first of which is rolled back. It may be nil for never.
	Within func(step int) bool

	// Together says that a step is ingested in one call with the one before it, if both are at one
	// instant. It may be nil for never.
	Together func(step int) bool

	// Settle says how long after a step, before time goes on to the next, the clock's work is done,
	// if at all. It may be nil for never.
	Settle func(step int) (after time.Duration, settle bool)

	// Follow says that all users follow a change of definitions as soon as it has been made, and
	// not only when they are next read or the next change is made. It may be nil for never.
	Follow func(step int) bool

	// Number, unless it is 0, is that of a case which shares a database with others: its buckets
	// bear it there. Its users must have names of their own, by which samples are drawn.
	Number int

	// Then is called when all steps are played and it is until, before the clock's work is done:
	// with the engine, the definitions by the names that they have there, and how to set the clock.
	// It may be nil.
	Then func(e *engine.Engine, f *ir.File, set func(time.Time)) error

	// Replay says that all steps are handed to ReplayEvents. They must be ingests with a time each,
	// and those that are not late happen when they are played.
	Replay bool
}

// Engine plays steps against the engine, on a database that may hold other users and buckets.
func Engine(ctx context.Context, pool *pgxpool.Pool, f *ir.File, steps []refeval.Action, until time.Time, m Manner) (*refeval.History, error) {
	names := names{m.Number}
	f, steps = names.give(f, steps)
	s := &session{pool: pool, manner: m, clock: enginetest.NewClock(time.Time{}), steps: steps, results: make([]refeval.StepResult, len(steps)), aliases: map[string]string{}}
	if len(steps) > 0 {
		s.clock.Set(steps[0].At)
	}
	if err := s.start(ctx, f, engine.EmitLeaves); err != nil { // the database may have seen other definitions
		return nil, err
	}
	var err error
	if m.Replay {
		err = s.replay(ctx, until)
	} else {
		err = s.play(ctx, until)
	}
	if err := errors.Join(err, s.stop(ctx)); err != nil {
		return nil, err
	}
	h, err := s.history(ctx, pool)
	names.takeBack(h)
	return h, err
}

type session struct {
	pool        *pgxpool.Pool
	manner      Manner
	registry    *table.Registry
	definitions *ir.File
	engines     []*engine.Engine
	engine      *engine.Engine // whose turn it is
	clock       *enginetest.Clock
	steps       []refeval.Action
	results     []refeval.StepResult
	timers      timers
	aliases     map[string]string // names that users had before they were merged, and whose they are
}

func (s *session) play(ctx context.Context, until time.Time) error {
	m := s.manner
	for i := 0; i < len(s.steps); {
		if m.Turn != nil {
			s.engine = s.engines[m.Turn(i)]
		}
		if err := s.arrive(ctx, i); err != nil {
			return err
		}
		n := 1
		for m.Together != nil && i+n < len(s.steps) && s.joins(i, i+n) && m.Together(i+n) {
			n++
		}
		if err := s.run(ctx, i, n); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		i += n
		next := until
		if i < len(s.steps) {
			next = s.steps[i].At
		}
		if m.Settle == nil || !next.After(s.clock.Now()) {
			continue
		}
		if after, settle := m.Settle(i - 1); settle && s.clock.Now().Add(after).Before(next) {
			s.clock.Set(s.clock.Now().Add(after))
			if _, err := s.engine.Clock().RunDue(ctx); err != nil {
				return err
			}
		}
	}
	s.clock.Set(until)
	if m.Then != nil {
		if err := m.Then(s.engine, s.definitions, s.clock.Set); err != nil {
			return err
		}
	}
	return s.settle(ctx)
}

// joins reports whether two steps can be one call.
func (s *session) joins(a, b int) bool {
	return s.steps[a].Op == refeval.Ingest && s.steps[b].Op == refeval.Ingest && s.steps[a].At.Equal(s.steps[b].At)
}

func (s *session) run(ctx context.Context, i, n int) error {
	step := &s.steps[i]
	var err error
	switch step.Op {
	case refeval.Ingest:
		return s.ingest(ctx, i, n)
	case refeval.Add:
		err = s.change(ctx, step, s.engine.Add)
	case refeval.Remove:
		err = s.change(ctx, step, s.engine.Remove)
	case refeval.Delete:
		err = s.engine.Delete(ctx, step.User)
	case refeval.Restore:
		_, err = s.engine.Restore(ctx, step.User)
	case refeval.Merge:
		err = s.merge(ctx, i)
	case refeval.Erase:
		err = s.erase(ctx, step.User)
	case refeval.Settle:
		_, err = s.engine.Clock().RunDue(ctx)
	case refeval.Fire:
		err = s.fire(ctx)
	case refeval.Deploy:
		err = s.deploy(ctx, i)
	case refeval.Pause:
		err = s.halt(ctx, i, s.engine.Deployments().Pause)
	case refeval.Resume:
		err = s.halt(ctx, i, s.engine.Deployments().Resume)
	}
	_, invalid := errors.AsType[*engine.InvalidError](err)
	if invalid || errors.Is(err, engine.ErrDeleted) || errors.Is(err, engine.ErrPaused) || errors.Is(err, errNone) {
		s.results[i].Refused = err.Error()
		return nil
	}
	return err
}

// errNone is returned where the engine is not asked, because there is no way to name such a bucket.
var errNone = errors.New("there is no such bucket")

func (s *session) change(ctx context.Context, step *refeval.Action, do func(context.Context, registry.ManualRef, string) ([]engine.Transition, error)) error {
	b, known := s.registry.Bucket(step.Bucket)
	if !known || s.registry.Buckets[b].Kind != table.Manual {
		return errNone
	}
	_, err := do(ctx, registry.NewManualRef(step.Bucket, b), step.User)
	return err
}

// merge merges users, and remembers the user of each name.
func (s *session) merge(ctx context.Context, i int) error {
	name := func(user string) string {
		if name, merged := s.aliases[user]; merged {
			return name
		}
		return user
	}
	from, into := name(s.steps[i].User), name(s.steps[i].Into)
	if _, err := s.engine.Merge(ctx, s.steps[i].User, s.steps[i].Into); err != nil || from == into {
		return err
	}
	s.results[i].Merged = true
	for other := range s.aliases {
		if s.aliases[other] == from {
			s.aliases[other] = into
		}
	}
	s.aliases[from] = into
	return nil
}

// erase erases a user, if there is one, and forgets under which names.
func (s *session) erase(ctx context.Context, user string) error {
	into := user
	if name, merged := s.aliases[user]; merged {
		into = name
	}
	maps.DeleteFunc(s.aliases, func(_, user string) bool { return user == into })
	if _, err := s.engine.People().Erase(ctx, user, engine.EraseOptions{}); !errors.Is(err, engine.ErrUnknownUser) {
		return err
	}
	return nil
}

func (s *session) ingest(ctx context.Context, first, n int) error {
	events := make([]engine.Event, n)
	for i := range events {
		events[i] = ingest(&s.steps[first+i])
	}
	take := s.engine.IngestBatch
	if n == 1 && s.manner.Within != nil && s.manner.Within(first) {
		take = s.ingestWithin
	}
	results, err := take(ctx, events)
	if len(results) != n {
		return err
	}
	for i, r := range results {
		s.results[first+i].Duplicate = r.Duplicate
		var invalid *engine.InvalidError
		switch {
		case errors.As(r.Err, &invalid):
			s.results[first+i].Refused = invalid.Error()
		case r.Err != nil:
			return r.Err
		}
	}
	return nil
}

// ingestWithin takes one event in twice, in a transaction of its own each time, of which only the
// second is committed.
func (s *session) ingestWithin(ctx context.Context, events []engine.Event) ([]engine.Result, error) {
	var results []engine.Result
	for _, end := range []func(pgx.Tx) error{
		func(tx pgx.Tx) error { return tx.Rollback(ctx) },
		func(tx pgx.Tx) error { return tx.Commit(ctx) },
	} {
		tx, err := s.pool.Begin(ctx)
		if err != nil {
			return nil, err
		}
		results, err = s.engine.IngestTx(ctx, tx, events...)
		if errors.Is(err, engine.ErrNeedsMerge) {
			if err := tx.Rollback(ctx); err != nil {
				return nil, err
			}
			return s.engine.IngestBatch(ctx, events)
		}
		if err != nil {
			return []engine.Result{{Err: err}}, tx.Rollback(ctx)
		}
		if err := end(tx); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (s *session) replay(ctx context.Context, until time.Time) error {
	events := func(yield func(engine.Event, error) bool) {
		for i := range s.steps {
			if !yield(ingest(&s.steps[i]), nil) {
				return
			}
		}
	}
	summary, err := s.engine.Replay().Events(ctx, events, engine.ReplayOptions{
		Until:   until,
		Refused: func(place int64, err error) { s.results[place-1].Refused = err.Error() },
	})
	if err == nil && summary.Events+summary.Duplicates+summary.Refused != int64(len(s.steps)) {
		return fmt.Errorf("%d steps came to %+v", len(s.steps), summary)
	}
	return err
}

func ingest(s *refeval.Action) engine.Event {
	return engine.Event{
		UserID: s.User, Name: s.Name, PropertiesJSON: s.Properties, TraitsJSON: s.Traits, TraitsOnceJSON: s.TraitsOnce, OccurredAt: s.OccurredAt, Key: s.Key,
		TraitsOnly: s.TraitsOnly, AnonymousID: s.Anonymous, Email: s.Email, Untrusted: s.Untrusted,
	}
}

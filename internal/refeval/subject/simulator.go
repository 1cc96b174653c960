package subject

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Simulate plays steps against the simulator. It returns an error if the simulator contradicts
// itself: if its transitions do not add up to its memberships, or deriving all of those anew
// changes any.
func Simulate(f *ir.File, steps []refeval.Action, until time.Time) (*refeval.History, error) {
	return SimulateWithin(event.Limits{}, f, steps, until)
}

// SimulateWithin is as Simulate, with limits of what the properties and the ids of a user may come
// to. Those that are zero are the defaults.
func SimulateWithin(l event.Limits, f *ir.File, steps []refeval.Action, until time.Time) (*refeval.History, error) {
	s := simulation{
		registry: plan.Build(f).Registry, limits: l.WithDefaults(), history: &refeval.History{}, users: map[string]bool{},
	}
	start := until
	if len(steps) > 0 {
		start = steps[0].At
	}
	s.world = simulate.New(s.registry, table.At(start), s.limits.User)
	s.world.LimitIDs(s.limits.IDs.Limits)
	for i := range steps {
		s.world.AdvanceTo(table.At(steps[i].At))
		s.history.Steps = append(s.history.Steps, s.run(&steps[i]))
	}
	s.world.AdvanceTo(table.At(until))
	s.history.Transitions = transitions(s.world.Transitions())
	s.history.Stays = Stays(s.history.Transitions)
	if err := s.latest(); err != nil {
		return nil, err
	}
	if n := s.world.Reconcile(); n != 0 {
		return nil, fmt.Errorf("reconciling found %d differences, the last %v", n, s.world.Transitions())
	}
	return s.history, nil
}

type simulation struct {
	registry *table.Registry
	limits   event.Limits
	world    *simulate.Simulator
	history  *refeval.History
	users    map[string]bool
}

func (s *simulation) run(step *refeval.Action) refeval.StepResult {
	s.users[step.User], s.users[step.Into] = true, true
	var err error
	switch step.Op {
	case refeval.Ingest:
		return s.ingest(step)
	case refeval.Add:
		err = s.change(step, s.world.Add)
	case refeval.Remove:
		err = s.change(step, s.world.Remove)
	case refeval.Delete:
		s.world.Delete(step.User)
	case refeval.Restore:
		s.world.Restore(step.User)
	case refeval.Erase:
		s.world.Erase(step.User)
	case refeval.Merge:
		var merged bool
		if merged, err = s.world.Merge(step.User, step.Into); err == nil {
			return refeval.StepResult{Merged: merged}
		}
	case refeval.Deploy:
		s.registry = plan.Build(step.Definitions).Registry
		s.world.Deploy(s.registry, simulate.Announced{Leaves: step.Emit != refeval.Silent, Joins: step.Emit == refeval.All})
	case refeval.Pause:
		err = s.freeze(step, s.world.Pause)
	case refeval.Resume:
		err = s.freeze(step, s.world.Resume)
	case refeval.Settle:
		s.world.Transitions() // works out what is due
	}
	if err != nil {
		return refeval.StepResult{Refused: err.Error()}
	}
	return refeval.StepResult{}
}

func (s *simulation) ingest(step *refeval.Action) refeval.StepResult {
	input := bucketgen.Event{
		UserID: step.User, Name: step.Name, PropertiesJSON: step.Properties, TraitsJSON: step.Traits,
		TraitsOnceJSON: step.TraitsOnce, OccurredAt: step.OccurredAt, Key: step.Key, TraitsOnly: step.TraitsOnly,
		AnonymousID: step.Anonymous, Email: step.Email, Untrusted: step.Untrusted,
	}
	ids, err := s.limits.IDs.Read(&input)
	if err != nil {
		return refeval.StepResult{Refused: err.Error()}
	}
	valid, err := event.Validate(s.registry, &input, step.At, s.limits)
	if err != nil {
		return refeval.StepResult{Refused: err.Error()}
	}
	for _, name := range ids.Names() {
		s.users[name], s.users[resolve.Name(resolve.Shared, name)] = true, true
	}
	result := s.world.IngestAs(ids.Names(), !input.Untrusted, valid)
	if err := event.Refused(result.Refused); err != nil {
		return refeval.StepResult{Refused: err.Error()}
	}
	return refeval.StepResult{Duplicate: result.Duplicate}
}

func (s *simulation) change(step *refeval.Action, do func(table.BucketIndex, string) error) error {
	b, known := s.registry.Bucket(step.Bucket)
	if !known {
		return errors.New("there is no such bucket")
	}
	if s.registry.Buckets[b].Kind != table.Manual {
		return errors.New("only its criteria changes a dynamic bucket")
	}
	return do(b, step.User)
}

func (s *simulation) freeze(step *refeval.Action, do func(table.BucketIndex)) error {
	b, known := s.registry.Bucket(step.Bucket)
	if !known {
		return errors.New("there is no such bucket")
	}
	do(b)
	return nil
}

// transitions returns transitions in the words of the reference.
func transitions(all []simulate.Transition) []refeval.Transition {
	var out []refeval.Transition
	for _, t := range all {
		out = append(out, refeval.Transition{
			User: t.User, Bucket: t.BucketID, Kind: string(t.Kind), EntryCount: t.EntryCount, At: t.At.Time(),
			Source: string(t.Source), Reason: string(t.Reason), Suppressed: t.Suppressed, Tick: t.Tick, DwellCount: t.DwellCount,
		})
	}
	return out
}

// latest compares the latest stay in each bucket, which the simulator keeps, with what its
// transitions add up to.
func (s *simulation) latest() error {
	want := map[[2]string]refeval.Stay{}
	for _, stay := range Stays(transitions(s.world.Present())) {
		key := [2]string{stay.User, stay.Bucket}
		if stay.EntryCount > want[key].EntryCount { // after a merge the last stay may have begun first
			want[key] = stay
		}
	}
	for user := range s.users {
		if s.world.Name(user) != user {
			maps.DeleteFunc(want, func(key [2]string, _ refeval.Stay) bool { return key[0] == user })
			continue
		}
		for bucket, stay := range s.world.Stays(user) {
			got := refeval.Stay{
				User: user, Bucket: bucket, EntryCount: stay.EntryCount, Source: string(stay.Source),
				Reason: string(stay.Reason), EnteredAt: stay.EnteredAt.Time(),
			}
			if stay.LeftAt != table.Unset {
				got.LeftAt = stay.LeftAt.Time()
			}
			key := [2]string{user, bucket}
			if want[key] != got {
				return fmt.Errorf("the simulator's stay is %s, its transitions say %s", got, want[key])
			}
			delete(want, key)
		}
	}
	for _, stay := range want {
		return fmt.Errorf("the simulator has no stay %s, its transitions say so", stay)
	}
	return nil
}

// Stays adds transitions of users up to stays.
func Stays(transitions []refeval.Transition) []refeval.Stay {
	var stays []refeval.Stay
	for _, t := range transitions {
		switch t.Kind {
		case "entered":
			stays = append(stays, refeval.Stay{User: t.User, Bucket: t.Bucket, EntryCount: t.EntryCount, Source: t.Source, EnteredAt: t.At})
		case "left":
			for i := range stays {
				if s := &stays[i]; s.User == t.User && s.Bucket == t.Bucket && s.EntryCount == t.EntryCount && s.LeftAt.IsZero() {
					s.LeftAt, s.Reason = t.At, t.Reason
				}
			}
		}
	}
	return stays
}

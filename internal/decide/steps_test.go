package decide_test

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// The steps of rows: what happens to the user.

func event(d time.Duration, name string, more ...func(*world, *decide.Event)) action {
	return ingest(d, decide.Event{Kind: decide.Track, Name: name, OccurredAt: table.Unset}, more...)
}

func traits(d time.Duration, properties string, more ...func(*world, *decide.Event)) action {
	more = append(more, func(w *world, e *decide.Event) { e.Traits = w.object(properties) })
	return ingest(d, decide.Event{Kind: decide.Identify, OccurredAt: table.Unset}, more...)
}

func occurred(d time.Duration) func(*world, *decide.Event) {
	return func(_ *world, e *decide.Event) { e.OccurredAt = at(d) }
}

func carrying(properties string) func(*world, *decide.Event) {
	return func(w *world, e *decide.Event) { e.Properties = w.object(properties) }
}

func key(k string) func(*world, *decide.Event) {
	return func(_ *world, e *decide.Event) { e.Key = k }
}

func ingest(d time.Duration, e decide.Event, more ...func(*world, *decide.Event)) action {
	return func(w *world) {
		e.Event = w.registry.Event(e.Name)
		for _, m := range more {
			m(w, &e)
		}
		w.run(func(s *decide.Session) decide.Result { return s.Ingest(e, at(d)) })
	}
}

func clock(d time.Duration) action {
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Clock(at(d)) }) }
}

func reconcile(d time.Duration) action {
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Reconcile(at(d)) }) }
}

func add(d time.Duration, id string) action {
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Add(w.bucket(id), at(d)) }) }
}

func remove(d time.Duration, id string) action { //nolint:unparam // rows say every argument
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Remove(w.bucket(id), at(d)) }) }
}

func retire(d time.Duration, id string) action {
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Retire(w.bucket(id), at(d)) }) }
}

func deleteUser(d time.Duration) action {
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Delete(at(d)) }) }
}

func restore(d time.Duration) action {
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Restore(at(d)) }) }
}

// deployed takes the user through a deployment at an instant that creates or changes a bucket.
func deployed(d time.Duration, id string, more ...func(*decide.Rollout)) action {
	return func(w *world) {
		change := decide.Rollout{Buckets: []table.BucketIndex{w.bucket(id)}, Defined: true, At: at(d)}
		for _, m := range more {
			m(&change)
		}
		w.options.Steps = []decide.Rollout{change}
		w.run(func(s *decide.Session) decide.Result { return s.CatchUp(at(d)) })
		w.options.Steps = nil
	}
}

func announcingJoins(c *decide.Rollout) { c.Joins = true }
func silent(c *decide.Rollout)          { c.Silent = true }
func resumed(c *decide.Rollout)         { c.Resumed = true }

// changedElsewhere takes the user through what another process did, which has another definition of
// the bucket.
func changedElsewhere(d time.Duration, id string) action {
	return func(w *world) {
		w.options.Steps = []decide.Rollout{{Buckets: []table.BucketIndex{w.bucket(id)}}}
		w.run(func(s *decide.Session) decide.Result { return s.CatchUp(at(d)) })
		w.options.Steps = nil
	}
}

// yield is the merge of the user into another, who has a stay in the bucket since an instant.
func yield(d time.Duration, id string, since time.Duration) action {
	return func(w *world) {
		to := []decide.Stay{{Bucket: w.bucket(id), EntryCount: 1, EnteredAt: at(since), LeftAt: table.Unset}}
		w.run(func(s *decide.Session) decide.Result { return s.Yield(to, at(d)) })
	}
}

// inherit is the merge of another into the user, who brings a stay in the bucket.
func inherit(id string, number int, since time.Duration) action {
	return func(w *world) {
		from := []decide.Stay{{
			Bucket: w.bucket(id), EntryCount: number, EnteredAt: at(since), LeftAt: table.Unset,
			AnchorAt: table.Unset, TickedAt: table.Unset,
		}}
		w.run(func(s *decide.Session) decide.Result {
			for _, h := range s.Inherit(from) {
				w.say("stay %d of the other in %s becomes stay %d", h.EntryCount, w.id(h.Bucket), h.Next)
			}
			return decide.Result{}
		})
	}
}

func merge(d time.Duration) action {
	return func(w *world) { w.run(func(s *decide.Session) decide.Result { return s.Merge(at(d)) }) }
}

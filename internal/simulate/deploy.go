package simulate

import (
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Announced is what is announced of the joins and leaves that a change of definitions brings about.
type Announced struct{ Leaves, Joins bool }

// Deploy replaces the registry, and looks at everybody with the buckets that are new or that changed. Places in the old
// registry mean nothing any more. A registry that says the same is no other: what is announced stays what it was, too.
func (s *Simulator) Deploy(r *table.Registry, a Announced) {
	s.catchUp()
	if r.Fingerprint == s.registry.Fingerprint {
		a = s.announced
	}
	changed := changed(s.registry, r)
	for name, u := range s.users {
		u.move(s.registry, r, name)
	}
	s.registry, s.announced = r, a
	s.freeze()
	s.follow(decide.Step{Buckets: changed})
}

// changed returns the buckets of a registry that another does not have, or not so.
func changed(from, to *table.Registry) []table.BucketIndex {
	all := []table.BucketIndex{}
	for i := range to.Buckets {
		b := &to.Buckets[i]
		if before, known := from.Bucket(b.ID); !known || from.Buckets[before].Fingerprint != b.Fingerprint {
			all = append(all, table.BucketIndex(i))
		}
	}
	return all
}

// Pause lets nothing move in a bucket any more, whatever is deployed.
func (s *Simulator) Pause(b table.BucketIndex) {
	s.catchUp()
	s.paused[s.registry.Buckets[b].ID] = true
	s.freeze()
}

// Resume undoes Pause. What would have happened in the meantime happens now, and is announced as by the last deploy.
func (s *Simulator) Resume(b table.BucketIndex) {
	s.catchUp()
	if id := s.registry.Buckets[b].ID; s.paused[id] {
		delete(s.paused, id)
		s.freeze()
		s.follow(decide.Step{Buckets: []table.BucketIndex{b}, Resumed: true})
	}
}

// catchUp does whatever is due before now.
func (s *Simulator) catchUp() {
	for name := range s.users {
		s.run(name, s.catchUpOne)
	}
}

func (s *Simulator) catchUpOne(u *decide.Session) decide.Result { return u.CatchUp(s.now) }

// follow takes everybody through a change that happens now.
func (s *Simulator) follow(step decide.Step) {
	step.Defined, step.At, step.Silent, step.Joins = true, s.now, !s.announced.Leaves, s.announced.Joins
	for name := range s.users {
		s.run(name, s.catchUpOne, step)
	}
}

func (s *Simulator) freeze() {
	s.frozen = make([]bool, len(s.registry.Buckets))
	for i := range s.registry.Buckets {
		s.frozen[i] = s.paused[s.registry.Buckets[i].ID]
	}
}

func (s *Simulator) isFrozen(b table.BucketIndex) bool {
	return s.registry.Buckets[b].Disabled || s.paused[s.registry.Buckets[b].ID]
}

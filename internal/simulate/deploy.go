package simulate

import (
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Announced selects the joins and leaves by a change of definitions that are announced.
type Announced struct{ Leaves, Joins bool }

// Deploy replaces the registry, and evaluates all users for the buckets that are new or changed.
// Indexes into the old registry become invalid. Deploying an equal registry changes nothing: later
// announcements stay the same.
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
	s.follow(decide.Rollout{Buckets: changed})
}

// changed returns the buckets of a registry that another lacks, or has in another form.
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

// Pause freezes a bucket, across deployments.
func (s *Simulator) Pause(b table.BucketIndex) {
	s.catchUp()
	s.paused[s.registry.Buckets[b].ID] = true
	s.freeze()
}

// Resume undoes Pause. Transitions that the pause delayed happen now, and are announced as by the
// last deployment.
func (s *Simulator) Resume(b table.BucketIndex) {
	s.catchUp()
	if id := s.registry.Buckets[b].ID; s.paused[id] {
		delete(s.paused, id)
		s.freeze()
		s.follow(decide.Rollout{Buckets: []table.BucketIndex{b}, Resumed: true})
	}
}

// catchUp settles everything that is due before now.
func (s *Simulator) catchUp() {
	for name := range s.users {
		s.run(name, s.catchUpOne)
	}
}

func (s *Simulator) catchUpOne(u *decide.Session) decide.Result { return u.CatchUp(s.now) }

// follow brings all users through a change that happens now.
func (s *Simulator) follow(step decide.Rollout) {
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

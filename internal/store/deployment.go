package store

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Deployment is what is deployed, as this process sees it: which of its buckets are those, and which users have to be
// looked at because something changed. It is never changed.
type Deployment struct {
	No     int32 // of the last change; 0: nothing was ever deployed
	Agreed bool  // all that this process has is what is deployed

	// Own is the number of the last deployment of what this process has, or 0. Of users whom it changes it knows nothing
	// that came later.
	Own int32

	// Active are the database's numbers of the buckets in which this process lets things move.
	Active []int32

	// activeSince are the deployments that users must have followed so that this process lets things move in each of those.
	// Nil: it takes users through whatever they have not followed.
	activeSince []int32

	// Paused are those of its buckets in which nothing may move, whoever looks, so that deliveries wait.
	Paused []int32

	frozen  []bool  // by table.BucketIndex
	since   []int32 // by table.BucketIndex: users who have not followed that deployment are to be looked at
	kept    []part
	last    int32            // of since and kept: who has followed that is up to date
	changes map[int32]change // by number
}

// part is what is kept, since a deployment.
type part struct {
	table.Derived
	since int32
}

// change is what a deployment says of how users follow it.
type change struct {
	at   table.Instant
	kind string
	emit string
}

// The kinds of deployments.
const (
	KindDeploy = "deploy"
	KindPause  = "pause"
	KindResume = "resume"
)

// What is announced of what follows from a deployment.
const (
	EmitSilent = "silent"
	EmitLeaves = "leaves"
	EmitAll    = "all"
)

// queued stands where the number of a bucket would, in due instants of users whom a process that has other definitions
// than those that are deployed has changed. Processes that have those look at them.
const recheck = 0

// Frozen reports whether nothing moves in a bucket.
func (d *Deployment) Frozen(b table.BucketIndex) bool { return d.frozen[b] }

// Since returns the number of the deployment since which a bucket is as it is.
func (d *Deployment) Since(b table.BucketIndex) int32 { return d.since[b] }

// Deployment returns what is deployed, as far as this process has noticed.
func (s *Store) Deployment() *Deployment { return s.deployment.Load() }

// Refresh finds out what is deployed.
func (s *Store) Refresh(ctx context.Context, conn db.DBTX) (*Deployment, error) {
	no, err := s.generation(ctx, conn)
	if err != nil {
		return nil, err
	}
	return s.deploymentOf(ctx, conn, no)
}

// generation returns the number of the last deployment.
func (s *Store) generation(ctx context.Context, conn db.DBTX) (int32, error) {
	no, err := s.Queries(conn).GenerationNo(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the generation: %w", err)
	}
	return no, nil
}

// deployed returns what is deployed, which is read if it is not what is remembered.
func (s *Store) deploymentOf(ctx context.Context, conn db.DBTX, no int32) (*Deployment, error) {
	for {
		known := s.deployment.Load()
		if known != nil && known.No == no {
			return known, nil
		}
		current, err := s.ReadDeployed(ctx, conn)
		if err != nil {
			return nil, err
		}
		if no, err = s.generation(ctx, conn); err != nil {
			return nil, err
		}
		if no != current.No {
			continue // something was deployed while it was read
		}
		d := s.ViewOf(current)
		if known == nil || known.No < d.No {
			s.deployment.CompareAndSwap(known, d) // whoever is slow keeps nobody from what is newer
		}
		return d, nil
	}
}

// standing is how far a user has come.
type generations struct {
	followed int32 // the last deployment
	foreign  int32 // the last that a process knew of which has changed the user since; many: none has
}

const many = math.MaxInt32

// known returns the last deployment as of which everything about the user is as it should be.
func (u generations) known() int32 { return min(u.followed, u.foreign) }

// Alone is a deployment of what the store's registry has, whatever is deployed, in which users have nothing to follow.
func (s *Store) Standalone() *Deployment {
	n := len(s.registry.Buckets)
	return &Deployment{Own: many, Paused: []int32{}, frozen: make([]bool, n), since: make([]int32, n)}
}

// behind reports whether a user has to be looked at.
func (d *Deployment) behind(u generations) bool { return d.Agreed && u.known() < d.last }

// steps returns what a user has to be taken through: each change of definitions that they have not followed, and then what
// somebody has changed who did not know of those that they have followed.
func (d *Deployment) steps(u generations) []decide.Step {
	if !d.behind(u) {
		return nil
	}
	byNo := map[int32]*decide.Step{}
	var nos []int32
	var again decide.Step
	for b, since := range d.since {
		switch {
		case since <= u.known() || d.frozen[b]:
			continue
		case since <= u.followed:
			again.Buckets = append(again.Buckets, table.BucketIndex(b))
			continue
		}
		step := byNo[since]
		if step == nil {
			c := d.changes[since]
			step = &decide.Step{
				Defined: true, At: c.at, Resumed: c.kind == KindResume, Silent: c.emit == EmitSilent, Joins: c.emit == EmitAll,
			}
			byNo[since] = step
			nos = append(nos, since)
		}
		step.Buckets = append(step.Buckets, table.BucketIndex(b))
	}
	slices.Sort(nos)
	var steps []decide.Step
	if again.Buckets != nil {
		steps = append(steps, again)
	}
	for _, no := range nos {
		steps = append(steps, *byNo[no])
	}
	return steps
}

// lost returns what has to be made anew from the log.
func (d *Deployment) lost(u generations) []table.Derived {
	var lost []table.Derived
	for _, p := range d.kept {
		if p.since > u.known() {
			lost = append(lost, p.Derived)
		}
	}
	return lost
}

// options adds to those of a session what is deployed.
func (d *Deployment) options(o decide.Options, u generations) decide.Options {
	o.Frozen, o.Steps = d.frozen, d.steps(u)
	if d.Agreed || u.known() >= d.last {
		return o
	}
	// A bucket that has changed since must not be looked at by whoever cannot take the user through that.
	o.Frozen = slices.Clone(d.frozen)
	for b, since := range d.since {
		o.Frozen[b] = o.Frozen[b] || since > u.known()
	}
	return o
}

// Last returns the number of the last deployment that users have to follow.
func (d *Deployment) Last() int32 { return d.last }

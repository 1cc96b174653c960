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

// Deployment is the state of the deployments, as this process sees it: which of its buckets are
// deployed, and which users it has to check because something changed. It is never changed.
type Deployment struct {
	No     int32 // No is the number of the last deployment; 0 before the first
	Agreed bool  // Agreed says that the deployed definitions are those of this process

	// Own is the number of the last deployment of this process's definitions, or 0. The process
	// knows nothing of later ones.
	Own int32

	// Active are the numbers of the buckets that this process evaluates.
	Active []int32

	// activeSince are, for each of Active, the deployments that a user must have followed. Nil:
	// this process applies the missing deployments itself.
	activeSince []int32

	// Paused are the numbers of the process's buckets that are paused. Their deliveries wait.
	Paused []int32

	frozen  []bool  // frozen are the buckets that are not evaluated, by table.BucketIndex
	since   []int32 // since is the deployment that users must have followed, by table.BucketIndex
	derived []part
	last    int32            // last is the greatest of since and derived
	changes map[int32]change // changes are keyed by number
}

// part is something derived from the log, with the deployment since which it is.
type part struct {
	table.Derived
	since int32
}

// change is how users follow a deployment.
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

// The values of Emit: which transitions that follow from a deployment are announced.
const (
	EmitSilent = "silent"
	EmitLeaves = "leaves"
	EmitAll    = "all"
)

// recheck is the bucket number of due instants that ask for a check of the whole user. A process
// whose definitions are not the deployed ones writes it for users whom it changes.
const recheck = 0

// whole is the bucket number of due instants at which an anonymous contact may expire.
const whole = -1

// Frozen reports whether a bucket is not evaluated.
func (d *Deployment) Frozen(b table.BucketIndex) bool { return d.frozen[b] }

// Since returns the deployment that users must have followed for a bucket.
func (d *Deployment) Since(b table.BucketIndex) int32 { return d.since[b] }

// Deployment returns the deployment that this process has seen last.
func (s *Store) Deployment() *Deployment { return s.deployment.Load() }

// Refresh reads the deployment.
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

// deploymentOf returns the deployment with a number, or a later one. It reads the database if the
// process has not seen it.
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
			s.deployment.CompareAndSwap(known, d) // another goroutine may have stored a newer one
		}
		return d, nil
	}
}

// generations is how far a user has come in the deployments.
type generations struct {
	followed int32 // followed is the last deployment that was applied to the user
	foreign  int32 // foreign is the Own of an older process that changed the user since; many: none
}

const many = math.MaxInt32

// known returns the last deployment by which everything about the user is up to date.
func (u generations) known() int32 { return min(u.followed, u.foreign) }

// Standalone returns a deployment of the store's registry, whatever is deployed. Users have nothing
// to follow in it.
func (s *Store) Standalone() *Deployment {
	n := len(s.registry.Buckets)
	return &Deployment{Own: many, Paused: []int32{}, frozen: make([]bool, n), since: make([]int32, n)}
}

// behind reports whether a user has to be checked.
func (d *Deployment) behind(u generations) bool { return d.Agreed && u.known() < d.last }

// steps returns what has to be applied to a user: a recheck of buckets that a process with older
// definitions may have changed, and each deployment that the user has not followed.
func (d *Deployment) steps(u generations) []decide.Rollout {
	if !d.behind(u) {
		return nil
	}
	byNo := map[int32]*decide.Rollout{}
	var nos []int32
	var again decide.Rollout
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
			step = &decide.Rollout{
				Defined: true, At: c.at, Resumed: c.kind == KindResume, Silent: c.emit == EmitSilent, Joins: c.emit == EmitAll,
			}
			byNo[since] = step
			nos = append(nos, since)
		}
		step.Buckets = append(step.Buckets, table.BucketIndex(b))
	}
	slices.Sort(nos)
	var steps []decide.Rollout
	if again.Buckets != nil {
		steps = append(steps, again)
	}
	for _, no := range nos {
		steps = append(steps, *byNo[no])
	}
	return steps
}

// lost returns what has to be derived anew from the log of a user.
func (d *Deployment) lost(u generations) []table.Derived {
	var lost []table.Derived
	for _, p := range d.derived {
		if p.since > u.known() {
			lost = append(lost, p.Derived)
		}
	}
	return lost
}

// options adds the deployment to the options of a session.
func (d *Deployment) options(o decide.Options, u generations) decide.Options {
	o.Frozen, o.Steps = d.frozen, d.steps(u)
	if d.Agreed || u.known() >= d.last {
		return o
	}
	// This process cannot apply the change of a bucket, and must not evaluate it before another
	// has.
	o.Frozen = slices.Clone(d.frozen)
	for b, since := range d.since {
		o.Frozen[b] = o.Frozen[b] || since > u.known()
	}
	return o
}

// Last returns the number of the last deployment that users have to follow.
func (d *Deployment) Last() int32 { return d.last }

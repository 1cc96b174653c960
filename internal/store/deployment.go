package store

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry"
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

	frozen  []bool  // by registry.Index
	since   []int32 // by registry.Index: users who have not followed that deployment are to be looked at
	kept    []part
	last    int32            // of since and kept: who has followed that is up to date
	changes map[int32]change // by number
}

// part is what is kept, since a deployment.
type part struct {
	registry.Kept
	since int32
}

// change is what a deployment says of how users follow it.
type change struct {
	at   registry.Instant
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
const queued = 0

// Frozen reports whether nothing moves in a bucket.
func (d *Deployment) Frozen(b registry.Index) bool { return d.frozen[b] }

// Since returns the number of the deployment since which a bucket is as it is.
func (d *Deployment) Since(b registry.Index) int32 { return d.since[b] }

// Deployment returns what is deployed, as far as this process has noticed.
func (s *Store) Deployment() *Deployment { return s.deployment.Load() }

// Refresh finds out what is deployed.
func (s *Store) Refresh(ctx context.Context, conn db.DBTX) (*Deployment, error) {
	no, err := s.generation(ctx, conn)
	if err != nil {
		return nil, err
	}
	return s.deployed(ctx, conn, no)
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
func (s *Store) deployed(ctx context.Context, conn db.DBTX, no int32) (*Deployment, error) {
	for {
		known := s.deployment.Load()
		if known != nil && known.No == no {
			return known, nil
		}
		current, err := s.Current(ctx, conn)
		if err != nil {
			return nil, err
		}
		if no, err = s.generation(ctx, conn); err != nil {
			return nil, err
		}
		if no != current.No {
			continue // something was deployed while it was read
		}
		d := s.see(current)
		if known == nil || known.No < d.No {
			s.deployment.CompareAndSwap(known, d) // whoever is slow keeps nobody from what is newer
		}
		return d, nil
	}
}

// Current is what the database says of what is deployed.
type Current struct {
	No          int32
	Deployments []db.DeploymentsAllRow
	Buckets     []db.BucketsDeployedRow
	Kept        map[string]int32
}

// Current reads what is deployed, by several statements: between them it must not change.
func (s *Store) Current(ctx context.Context, conn db.DBTX) (*Current, error) {
	q := s.Queries(conn)
	c := &Current{Kept: map[string]int32{}}
	var err error
	if c.Deployments, err = q.DeploymentsAll(ctx); err != nil {
		return nil, fmt.Errorf("read the deployments: %w", err)
	}
	if n := len(c.Deployments); n > 0 {
		c.No = c.Deployments[n-1].No
	}
	if c.Buckets, err = q.BucketsDeployed(ctx, s.buckets); err != nil {
		return nil, fmt.Errorf("read what is deployed: %w", err)
	}
	kept, err := q.KeptSince(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what is kept: %w", err)
	}
	for _, k := range kept {
		c.Kept[k.Name] = k.SinceNo
	}
	return c, nil
}

// Fingerprint returns that of the definitions that are deployed, or nothing if none ever were.
func (c *Current) Fingerprint() string {
	if n := len(c.Deployments); n > 0 {
		return c.Deployments[n-1].Fingerprint
	}
	return ""
}

// Emit returns what is announced of what follows from the last deployment of definitions.
func (c *Current) Emit() string {
	for _, d := range slices.Backward(c.Deployments) {
		if d.Kind == KindDeploy {
			return d.Emit
		}
	}
	return EmitLeaves
}

// see looks at what is deployed with the eyes of this process.
func (s *Store) see(c *Current) *Deployment {
	r := s.registry
	d := &Deployment{
		No: c.No, Agreed: c.No > 0 && c.Fingerprint() == r.Fingerprint,
		frozen: make([]bool, len(r.Buckets)), since: make([]int32, len(r.Buckets)), changes: map[int32]change{},
		Paused: []int32{},
	}
	for _, row := range c.Deployments {
		d.changes[row.No] = change{instant(row.At), row.Kind, row.Emit}
		if row.Fingerprint == r.Fingerprint {
			d.Own = row.No
		}
	}
	for i := range d.frozen {
		d.frozen[i] = true
	}
	for _, row := range c.Buckets {
		b, known := s.Index(row.No)
		if !known {
			continue
		}
		agrees := row.Fingerprint != nil && *row.Fingerprint == r.Buckets[b].Fingerprint
		stands := row.PausedAt.Valid || agrees && r.Buckets[b].Disabled
		d.since[b], d.frozen[b] = row.SinceNo, !agrees || stands
		if stands {
			d.Paused = append(d.Paused, row.No)
		}
		if agrees {
			d.last = max(d.last, row.SinceNo)
		}
		if !d.frozen[b] {
			d.Active, d.activeSince = append(d.Active, row.No), append(d.activeSince, row.SinceNo)
		}
	}
	if !d.Agreed {
		return d
	}
	d.Active, d.activeSince = append(d.Active, queued), nil
	for _, k := range r.Kept() {
		since := c.Kept[r.KeptName(k)]
		d.kept, d.last = append(d.kept, part{k, since}), max(d.last, since)
	}
	return d
}

// standing is how far a user has come.
type standing struct {
	followed int32 // the last deployment
	stranger int32 // the last that a process knew of which has changed the user since; many: none has
}

const many = math.MaxInt32

// known returns the last deployment as of which everything about the user is as it should be.
func (u standing) known() int32 { return min(u.followed, u.stranger) }

// Alone is a deployment of what the store's registry has, whatever is deployed, in which users have nothing to follow.
func (s *Store) Alone() *Deployment {
	n := len(s.registry.Buckets)
	return &Deployment{Own: many, Paused: []int32{}, frozen: make([]bool, n), since: make([]int32, n)}
}

// behind reports whether a user has to be looked at.
func (d *Deployment) behind(u standing) bool { return d.Agreed && u.known() < d.last }

// steps returns what a user has to be taken through: each change of definitions that they have not followed, and then what
// somebody has changed who did not know of those that they have followed.
func (d *Deployment) steps(u standing) []decide.Step {
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
			again.Buckets = append(again.Buckets, registry.Index(b))
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
		step.Buckets = append(step.Buckets, registry.Index(b))
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
func (d *Deployment) lost(u standing) []registry.Kept {
	var lost []registry.Kept
	for _, p := range d.kept {
		if p.since > u.known() {
			lost = append(lost, p.Kept)
		}
	}
	return lost
}

// options adds to those of a session what is deployed.
func (d *Deployment) options(o decide.Options, u standing) decide.Options {
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

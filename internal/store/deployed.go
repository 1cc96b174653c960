package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Deployed is what the database says of the deployments.
type Deployed struct {
	No          int32
	Deployments []db.DeploymentsAllRow
	Buckets     []db.BucketsDeployedRow
	Derived     map[string]int32
}

// ReadDeployed reads the deployments, by several statements. The caller makes sure that nothing is
// deployed in between.
func (s *Store) ReadDeployed(ctx context.Context, conn db.DBTX) (*Deployed, error) {
	q := s.Queries(conn)
	c := &Deployed{Derived: map[string]int32{}}
	var err error
	if c.Deployments, err = q.DeploymentsAll(ctx); err != nil {
		return nil, fmt.Errorf("read the deployments: %w", err)
	}
	if n := len(c.Deployments); n > 0 {
		c.No = c.Deployments[n-1].No
	}
	if c.Buckets, err = q.BucketsDeployed(ctx, s.buckets); err != nil {
		return nil, fmt.Errorf("read the deployed buckets: %w", err)
	}
	derived, err := q.DerivedSince(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what is derived: %w", err)
	}
	for _, k := range derived {
		c.Derived[k.Name] = k.SinceNo
	}
	return c, nil
}

// Fingerprint returns the fingerprint of the deployed definitions, or "" before the first
// deployment.
func (c *Deployed) Fingerprint() string {
	if n := len(c.Deployments); n > 0 {
		return c.Deployments[n-1].Fingerprint
	}
	return ""
}

// Emit returns the emit of the last deployment of definitions.
func (c *Deployed) Emit() string {
	for _, d := range slices.Backward(c.Deployments) {
		if d.Kind == KindDeploy {
			return d.Emit
		}
	}
	return EmitLeaves
}

// ViewOf returns the deployment as this process sees it.
func (s *Store) ViewOf(c *Deployed) *Deployment {
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
	d.Active, d.activeSince = append(d.Active, recheck, whole), nil
	for _, k := range r.Derived() {
		since := c.Derived[r.DerivedName(k)]
		d.derived, d.last = append(d.derived, part{k, since}), max(d.last, since)
	}
	return d
}

// Propose returns what c would be if this process deployed its definitions.
func (s *Store) Propose(c *Deployed, at table.Instant, emit string) *Deployed {
	p := &Deployed{
		No: c.No + 1, Deployments: slices.Clone(c.Deployments), Buckets: slices.Clone(c.Buckets), Derived: map[string]int32{},
	}
	p.Deployments = append(p.Deployments, db.DeploymentsAllRow{
		No: p.No, Kind: KindDeploy, Fingerprint: s.registry.Fingerprint, Emit: emit, At: timestamp(at),
	})
	for i := range p.Buckets {
		row := &p.Buckets[i]
		b, known := s.Index(row.No)
		if !known {
			row.Fingerprint = nil
			continue
		}
		bucket := &s.registry.Buckets[b]
		row.Name = bucket.Name
		if row.Fingerprint == nil || *row.Fingerprint != bucket.Fingerprint {
			row.Fingerprint, row.SinceNo = &bucket.Fingerprint, p.No
		}
	}
	for _, k := range s.registry.Derived() {
		name := s.registry.DerivedName(k)
		since, known := c.Derived[name]
		if !known {
			since = p.No
		}
		p.Derived[name] = since
	}
	return p
}

// Same reports whether deploying p instead of c would change nothing.
func (c *Deployed) Same(p *Deployed) bool {
	return c.No > 0 && c.Fingerprint() == p.Fingerprint() && maps.Equal(c.Derived, p.Derived) &&
		slices.EqualFunc(c.Buckets, p.Buckets, func(a, b db.BucketsDeployedRow) bool {
			return a.SinceNo == b.SinceNo && (a.Fingerprint == nil) == (b.Fingerprint == nil)
		})
}

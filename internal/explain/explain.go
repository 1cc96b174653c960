// Package explain answers why a user is in a bucket or not: it runs a session on the user's facts,
// as a writer would, writes nothing, and puts what the session found into words.
package explain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Explainer explains memberships. It is safe for concurrent use.
type Explainer struct {
	// Runner consults the facts of users.
	Runner *transact.Runner

	// Options are those of a decision at the present time.
	Options decide.Options

	// DriftFunc returns what a bucket asks about and arrives with another type than declared.
	DriftFunc func(ctx context.Context, b table.BucketIndex) ([]bucketgen.Drift, error)
}

// Explain explains why a user, by the name that they go by now, is in a bucket or not. Other names
// give the error that transact.Canonical handles.
func (e *Explainer) Explain(ctx context.Context, b table.BucketIndex, user string) (bucketgen.Explanation, error) {
	p := probe{registry: e.Runner.Registry, bucket: b}
	t := &transact.Task{Want: store.Request{User: user}, Options: e.Options, Step: p.run, Named: true}
	var email string
	var deleted bool
	err := e.Runner.Consult(ctx, []*transact.Task{t}, func(_ *transact.Task, st *decide.State, _ *decide.Session) {
		email, deleted = st.Contact.Email, st.Contact.Deleted
	})
	switch {
	case err != nil:
		return bucketgen.Explanation{}, err
	case t.Missed:
		return bucketgen.Explanation{}, bucketgen.ErrUnknownUser
	case deleted:
		return bucketgen.Explanation{}, bucketgen.ErrDeleted
	}
	if err := e.completeStay(ctx, &p, user); err != nil {
		return bucketgen.Explanation{}, err
	}
	x := e.explanation(&p, user, email)
	x.Drift, err = e.DriftFunc(ctx, b)
	return x, err
}

// completeStay reads the source and reason of a stay that came from the database, and the id by
// which it began. No decision depends on them, so facts do not have them.
func (e *Explainer) completeStay(ctx context.Context, p *probe, user string) error {
	if p.stay == nil || p.stay.Source != "" {
		return nil
	}
	s := e.Runner.Store
	row, err := s.Queries(e.Runner.Pool).MembershipsStay(ctx, db.MembershipsStayParams{
		UserID: user, BucketNo: s.Bucket(p.bucket), EntryCount: int32(p.stay.EntryCount),
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read the stay: %w", err)
	}
	p.stay.Source, p.enteredAs = bucketgen.Source(row.Source), store.EnteredAs(row.EnteredAs)
	if p.stay.Reason == "" && !p.stay.Active() && row.Reason != nil {
		p.stay.Reason = bucketgen.Reason(*row.Reason)
	}
	return nil
}

// explanation returns what a probe found.
func (e *Explainer) explanation(p *probe, user, email string) bucketgen.Explanation {
	r, deployment := e.Runner.Registry, e.Runner.Store.Deployment()
	row := &r.Buckets[p.bucket]
	next, later := expressible(slices.Concat(p.next.Transitions, p.then.Transitions))
	x := bucketgen.Explanation{
		BucketID: row.ID, BucketName: row.Name, UserEmail: email, At: p.now.Time(),
		Manual: row.Kind == table.Manual, Policy: words.Policy(r, p.bucket), Criteria: p.criteria(),
		Paused: slices.Contains(deployment.Paused, e.Runner.Store.Bucket(p.bucket)),
		Next:   transact.Transitions(r, user, next),
	}
	x.UserID, x.AnonymousID, x.IDs = resolve.Split(user)
	x.PolicyEffect = p.policyEffect(row)
	if x.Next == nil {
		x.Next = []bucketgen.Transition{}
	}
	x.Other = !x.Paused && deployment.Frozen(p.bucket)
	switch {
	case later:
		x.NothingUntil = table.Latest.Time()
	case len(p.next.Transitions) == 0:
		x.NothingUntil = nothingUntil(p.next.At)
	case len(p.then.Transitions) == 0:
		x.NothingUntil = nothingUntil(p.then.At)
	}
	if s := p.stay; s != nil {
		x.Member = s.Active()
		x.Stay = &bucketgen.Stay{
			EntryCount: s.EntryCount, EnteredAt: s.EnteredAt.Time(), LeftAt: timeOf(s.LeftAt), Source: s.Source, Reason: s.Reason, EnteredAs: p.enteredAs,
		}
	}
	return x
}

// timeOf returns an instant as a time, which is zero where there is none, or none that RFC 3339 can
// express.
func timeOf(i table.Instant) time.Time {
	const earliest table.Instant = -62167219200_000000 // the beginning of the year 0
	if i < earliest || i > table.Latest {
		return time.Time{}
	}
	return i.Time()
}

// nothingUntil returns the time of an instant before which nothing happens.
func nothingUntil(i table.Instant) time.Time {
	if i != table.Never {
		i = min(i, table.Latest)
	}
	return timeOf(i)
}

// expressible drops what happens when RFC 3339 cannot say when, and reports whether it did.
func expressible(all []decide.Transition) ([]decide.Transition, bool) {
	i := slices.IndexFunc(all, func(t decide.Transition) bool { return t.At > table.Latest })
	if i < 0 {
		return all, false
	}
	return all[:i:i], true
}

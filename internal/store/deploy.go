package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Words returns the definition of a bucket in English, line by line.
type Words func(table.BucketIndex) []string

// Deploy deploys this process's definitions in a transaction of the caller's. It returns the number
// of the deployment, or that of the last one if it is the same.
func (s *Store) Deploy(ctx context.Context, conn Conn, at table.Instant, emit string, rate int, words Words) (int32, error) {
	q := s.Queries(conn)
	if _, err := q.GenerationLock(ctx); err != nil {
		return 0, fmt.Errorf("lock the generation: %w", err)
	}
	at, err := s.shared(ctx, q, at)
	if err != nil {
		return 0, err
	}
	current, err := s.ReadDeployed(ctx, conn)
	if err != nil {
		return 0, err
	}
	proposed := s.Propose(current, at, emit)
	if current.Same(proposed) {
		return current.No, nil
	}
	contacts, err := q.ContactsCount(ctx)
	if err != nil {
		return 0, fmt.Errorf("count the users: %w", err)
	}
	derived := slices.AppendSeq([]string{}, maps.Keys(proposed.Derived))
	err = inOrder(
		func() error {
			return q.DeploymentsInsert(ctx, db.DeploymentsInsertParams{
				No: proposed.No, Kind: KindDeploy, Fingerprint: proposed.Fingerprint(), Emit: emit, At: timestamp(at),
				Rate: int32(rate), Contacts: contacts,
			})
		},
		func() error { return s.deployBuckets(ctx, q, current, proposed, words) },
		func() error { return q.DerivedForget(ctx, derived) },
		func() error { return q.DerivedAdd(ctx, db.DerivedAddParams{SinceNo: proposed.No, Names: derived}) },
		func() error { return q.GenerationSet(ctx, proposed.No) },
	)
	if err != nil {
		return 0, fmt.Errorf("write the deployment: %w", err)
	}
	return proposed.No, nil
}

// inOrder calls functions one after the other until one fails.
func inOrder(all ...func() error) error {
	for _, do := range all {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) deployBuckets(ctx context.Context, q *db.Queries, current, proposed *Deployed, words Words) error {
	var set db.BucketsDeployParams
	var ended []int32
	var begun []db.DefinitionsBeginParams
	for i, row := range proposed.Buckets {
		fingerprint := ""
		if row.Fingerprint != nil {
			fingerprint = *row.Fingerprint
		}
		was := current.Buckets[i]
		if was.SinceNo == row.SinceNo && was.Name == row.Name && (was.Fingerprint == nil) == (row.Fingerprint == nil) {
			continue
		}
		set.Nos, set.Fingerprints = append(set.Nos, row.No), append(set.Fingerprints, fingerprint)
		set.SinceNos, set.Names = append(set.SinceNos, row.SinceNo), append(set.Names, row.Name)
		if was.Fingerprint != nil && (row.Fingerprint == nil || *was.Fingerprint != fingerprint) {
			ended = append(ended, row.No)
		}
		if row.Fingerprint != nil && (was.Fingerprint == nil || *was.Fingerprint != fingerprint) {
			b, _ := s.Index(row.No)
			begun = append(begun, db.DefinitionsBeginParams{
				BucketNo: row.No, SinceNo: proposed.No, Fingerprint: fingerprint, Name: row.Name, Words: words(b),
			})
		}
	}
	if err := q.DefinitionsEnd(ctx, db.DefinitionsEndParams{UntilNo: &proposed.No, BucketNos: ended}); err != nil {
		return err
	}
	for _, d := range begun {
		if err := q.DefinitionsBegin(ctx, d); err != nil {
			return err
		}
	}
	return q.BucketsDeploy(ctx, set)
}

// Pause pauses a bucket, and Resume resumes it, in a transaction of the caller's. They return the
// number of the new deployment, or that of the last one if nothing changes.
func (s *Store) Pause(ctx context.Context, conn Conn, b table.BucketIndex, at table.Instant) (int32, error) {
	return s.amend(ctx, conn, KindPause, at, func(q *db.Queries, _ int32, at table.Instant) (int64, error) {
		return q.BucketsPause(ctx, db.BucketsPauseParams{At: timestamp(at), No: s.buckets[b]})
	})
}

// Resume is described with [Store.Pause].
func (s *Store) Resume(ctx context.Context, conn Conn, b table.BucketIndex, at table.Instant) (int32, error) {
	return s.amend(ctx, conn, KindResume, at, func(q *db.Queries, no int32, _ table.Instant) (int64, error) {
		return q.BucketsResume(ctx, db.BucketsResumeParams{SinceNo: no, No: s.buckets[b]})
	})
}

// amend adds a deployment of the same definitions, if change changes a row.
func (s *Store) amend(ctx context.Context, conn Conn, kind string, at table.Instant, change func(q *db.Queries, no int32, at table.Instant) (int64, error)) (int32, error) {
	q := s.Queries(conn)
	if _, err := q.GenerationLock(ctx); err != nil {
		return 0, fmt.Errorf("lock the generation: %w", err)
	}
	at, err := s.shared(ctx, q, at)
	if err != nil {
		return 0, err
	}
	current, err := s.ReadDeployed(ctx, conn)
	if err != nil {
		return 0, err
	}
	next := db.DeploymentsInsertParams{
		No: current.No + 1, Kind: kind, Fingerprint: current.Fingerprint(), Emit: current.Emit(), At: timestamp(at),
	}
	if n, err := change(q, next.No, at); err != nil || n == 0 {
		return current.No, err
	}
	if kind == KindPause { // users do not follow a pause
		next.FinishedAt = next.At
	}
	if next.Contacts, err = q.ContactsCount(ctx); err != nil {
		return 0, fmt.Errorf("count the users: %w", err)
	}
	return next.No, inOrder(
		func() error { return q.DeploymentsInsert(ctx, next) },
		func() error { return q.GenerationSet(ctx, next.No) },
	)
}

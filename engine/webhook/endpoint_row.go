package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// insert writes an endpoint, and subscribes it by the same transaction.
func insert(ctx context.Context, q *db.Queries, e *Endpoint) error {
	p := db.EndpointsCreateParams{Name: e.Name, Url: e.URL, Buckets: orEmpty(e.Buckets), Kinds: names(e.Kinds), Batch: int32(max(e.Batch, 1)), Now: store.Timestamp(e.CreatedAt)}
	no, err := q.EndpointsCreate(ctx, p)
	if err != nil {
		return err
	}
	e.No = int(no)
	err = q.EndpointSecretsRotate(ctx, db.EndpointSecretsRotateParams{EndpointNo: no, Secret: e.Secret, Now: p.Now, Until: p.Now})
	if err != nil {
		return err
	}
	return subscribe(ctx, q, e)
}

// update writes what of an endpoint may change, by the same transaction in its subscriptions, too.
func update(ctx context.Context, q *db.Queries, e *Endpoint) error {
	err := q.EndpointsChange(ctx, db.EndpointsChangeParams{No: int32(e.No), Url: e.URL, Kinds: names(e.Kinds), Batch: int32(max(e.Batch, 1))})
	if err != nil {
		return err
	}
	return subscribe(ctx, q, e)
}

// subscribe makes the subscriptions of an endpoint, or lets them be of other kinds.
func subscribe(ctx context.Context, q *db.Queries, e *Endpoint) error {
	buckets, err := numbers(ctx, q, e.Buckets)
	if err != nil {
		return err
	}
	kinds := e.kindsOf()
	for i, name := range e.Subscriptions() {
		p := db.SubscriptionsRegisterParams{Name: name, BucketNo: buckets[i], Kinds: names(kinds[i])}
		if _, err := q.SubscriptionsRegister(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func names(kinds []engine.Kind) []string {
	all := make([]string, len(kinds))
	for i, k := range kinds {
		all[i] = string(k)
	}
	return all
}

// numbers returns the database's numbers of buckets, and a nil for what is of no bucket or of all.
func numbers(ctx context.Context, q *db.Queries, ids []string) ([]*int32, error) {
	if len(ids) == 0 {
		return []*int32{nil}, nil
	}
	rows, err := q.BucketsNumbers(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make([]*int32, len(ids)+1)
	for i, id := range ids {
		at := slices.IndexFunc(rows, func(row db.BucketsNumbersRow) bool { return row.ID == id })
		if at < 0 {
			return nil, fmt.Errorf("buckets has %q, which no engine has ever had here", id)
		}
		all[i] = &rows[at].No
	}
	return all, nil
}

// lock returns an endpoint by its number or its name. In a transaction, no other changes it until
// that ends.
func lock(ctx context.Context, q *db.Queries, which string) (Endpoint, error) {
	var p db.EndpointsLockParams
	if no, err := strconv.ParseInt(which, 10, 32); err == nil {
		number := int32(no)
		p.No = &number
	} else {
		p.Name = &which
	}
	row, err := q.EndpointsLock(ctx, p)
	if errors.Is(err, pgx.ErrNoRows) {
		return Endpoint{}, ErrUnknownEndpoint
	}
	return endpointOf(row), err
}

func endpointOf(row db.BucketgenEndpoint) Endpoint {
	e := Endpoint{No: int(row.No), Name: row.Name, URL: row.Url, Buckets: row.Buckets, CreatedAt: row.CreatedAt.Time.UTC()}
	for _, k := range row.Kinds {
		e.Kinds = append(e.Kinds, engine.Kind(k))
	}
	if row.Batch > 1 {
		e.Batch = int(row.Batch)
	}
	if row.DisabledAt.Valid {
		e.DisabledAt = row.DisabledAt.Time.UTC()
	}
	if row.DisabledReason != nil {
		e.DisabledReason = *row.DisabledReason
	}
	return e
}

// orEmpty returns no bucket as an empty list, which is not null.
func orEmpty(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

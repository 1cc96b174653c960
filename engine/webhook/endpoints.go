package webhook

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// ErrUnknownEndpoint is returned for an endpoint that is not there.
var ErrUnknownEndpoint = errors.New("there is no such endpoint")

// Grace is for how long the secret before the newest is usually good.
const Grace = 24 * time.Hour

// Endpoints are those of a database. [Open] makes them. They may be used from several goroutines,
// and need no engine: running services follow within [Config.Poll].
type Endpoints struct {
	pool   *pgxpool.Pool
	config Config
	poster poster
}

// Open returns the endpoints of a database, whose tables must be there.
func Open(pool *pgxpool.Pool, config Config) (*Endpoints, error) {
	if pool == nil {
		return nil, errors.New("webhook.Open: the pool is nil")
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	return &Endpoints{pool, config, poster{newClient(config.AllowPrivate), config.Timeout}}, nil
}

// Create makes an endpoint of a name, a URL, buckets and kinds, and returns it with its secret,
// which is not shown again. All transitions that are committed from then on are kept for it,
// whether or not anything runs.
func (es *Endpoints) Create(ctx context.Context, e Endpoint) (Endpoint, error) {
	e, err := e.checked(es.config.AllowPrivate)
	if err != nil {
		return Endpoint{}, fmt.Errorf("create an endpoint: %w", err)
	}
	e.CreatedAt, e.Secret = es.now(), newSecret()
	err = es.change(ctx, func(q *db.Queries) error { return insert(ctx, q, &e) })
	switch {
	case store.HasCode(err, "23505"):
		return Endpoint{}, &EndpointError{"name", fmt.Errorf("create an endpoint: there is another of the name %q", e.Name)}
	case err != nil:
		return Endpoint{}, fmt.Errorf("create an endpoint: %w", err)
	}
	return e, nil
}

// List returns all endpoints, in the order in which they were made, without secrets.
func (es *Endpoints) List(ctx context.Context) ([]Endpoint, error) {
	rows, err := es.queries().EndpointsAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	all := make([]Endpoint, len(rows))
	for i, row := range rows {
		all[i] = endpointOf(row)
	}
	return all, nil
}

// Find returns the endpoint of a number or a name, without its secrets.
func (es *Endpoints) Find(ctx context.Context, which string) (Endpoint, error) {
	e, err := lock(ctx, es.queries(), which)
	if err != nil {
		return Endpoint{}, fmt.Errorf("endpoint %q: %w", which, err)
	}
	return e, nil
}

// Rotate gives an endpoint a new secret and returns it with that. For the time of the grace,
// usually [Grace], webhooks are signed by the secret before, too, so that receivers may change to
// the new one at any time until then; without a grace that is over at once.
func (es *Endpoints) Rotate(ctx context.Context, which string, grace time.Duration) (Endpoint, error) {
	if grace < 0 {
		return Endpoint{}, fmt.Errorf("rotate: the grace is %v; it must not be negative", grace)
	}
	return es.update(ctx, "rotate", which, func(q *db.Queries, e *Endpoint) error {
		e.Secret = newSecret()
		now := es.now()
		return q.EndpointSecretsRotate(ctx, db.EndpointSecretsRotateParams{
			EndpointNo: int32(e.No), Secret: e.Secret, Now: store.Timestamp(now), Until: store.Timestamp(now.Add(grace)),
		})
	})
}

// Change gives an endpoint another URL, or other kinds of transitions, and returns it. What is
// empty stays as it is. Whatever waits for it is posted to the new URL, and at once, also if it is
// of a kind that is not wanted any more. The buckets of an endpoint do not change: make another.
func (es *Endpoints) Change(ctx context.Context, which, url string, kinds []engine.Kind) (Endpoint, error) {
	return es.update(ctx, "change", which, func(q *db.Queries, e *Endpoint) error {
		if len(kinds) > 0 {
			e.Kinds = kinds
		}
		if url != "" {
			e.URL = url
		}
		checked, err := e.checked(es.config.AllowPrivate || url == "")
		if err != nil {
			return err
		}
		*e = checked
		if err := update(ctx, q, e); err != nil || url == "" {
			return err
		}
		return es.hurry(ctx, q, e)
	})
}

// SetBatch changes how many transitions one webhook of an endpoint carries at most, 1 to 100, and
// returns the endpoint. With 1 each comes by itself. Running services follow within [Config.Poll].
func (es *Endpoints) SetBatch(ctx context.Context, which string, batch int) (Endpoint, error) {
	return es.update(ctx, "change", which, func(q *db.Queries, e *Endpoint) error {
		e.Batch = batch
		checked, err := e.checked(true) // its URL stays
		if err != nil {
			return err
		}
		*e = checked
		return update(ctx, q, e)
	})
}

// Disable disables an endpoint, for a reason that lists show. Its transitions wait meanwhile.
// Disabling it again does nothing.
func (es *Endpoints) Disable(ctx context.Context, which, reason string) (Endpoint, error) {
	return es.update(ctx, "disable", which, func(q *db.Queries, e *Endpoint) error {
		if !e.DisabledAt.IsZero() {
			return nil
		}
		e.DisabledAt, e.DisabledReason = es.now(), reason
		_, err := q.EndpointsDisable(ctx, db.EndpointsDisableParams{No: int32(e.No), Now: store.Timestamp(e.DisabledAt), Reason: &reason})
		return err
	})
}

// Enable lets an endpoint go on. All that waits for it is posted at once, in order, also what had
// failed and was to be tried later.
func (es *Endpoints) Enable(ctx context.Context, which string) (Endpoint, error) {
	return es.update(ctx, "enable", which, func(q *db.Queries, e *Endpoint) error {
		e.DisabledAt, e.DisabledReason = time.Time{}, ""
		if _, err := q.EndpointsEnable(ctx, int32(e.No)); err != nil {
			return err
		}
		return es.hurry(ctx, q, e)
	})
}

// hurry lets what waits for an endpoint be posted at once, also what was to be tried later.
func (es *Endpoints) hurry(ctx context.Context, q *db.Queries, e *Endpoint) error {
	return q.DeliveriesHurry(ctx, db.DeliveriesHurryParams{Subscriptions: e.Subscriptions(), Now: store.Timestamp(es.now())})
}

// Delete does away with an endpoint, its secrets, and everything that waits for it.
func (es *Endpoints) Delete(ctx context.Context, which string) (Endpoint, error) {
	return es.update(ctx, "delete", which, func(q *db.Queries, e *Endpoint) error {
		for _, name := range e.Subscriptions() {
			if _, err := q.SubscriptionsRemove(ctx, name); err != nil {
				return err
			}
		}
		return q.EndpointsDelete(ctx, int32(e.No))
	})
}

// Test posts a message of the type bucket.test to an endpoint, enabled or not, signed like any
// other, and returns what it answers. It is tried once.
func (es *Endpoints) Test(ctx context.Context, which string) (Answer, error) {
	e, err := es.Find(ctx, which)
	if err != nil {
		return Answer{}, fmt.Errorf("test: %w", err)
	}
	now := es.now()
	to, err := es.target(ctx, int32(e.No), now)
	if err != nil {
		return Answer{}, fmt.Errorf("test: endpoint %q: %w", which, err)
	}
	m, err := newMessage("msg_test_"+strconv.FormatInt(now.UnixMicro(), 36), "bucket.test", now, map[string]string{"endpoint": e.Name})
	if err != nil {
		return Answer{}, fmt.Errorf("test: %w", err)
	}
	answer, err := es.poster.post(ctx, to, m, now)
	switch {
	case ctx.Err() != nil:
		return Answer{}, fmt.Errorf("test: %w", ctx.Err())
	case err != nil:
		return Answer{Text: err.Error()}, nil //nolint:nilerr // that there is no answer is what was to be found out
	}
	return answer, nil
}

// target returns where webhooks of an endpoint go now.
func (es *Endpoints) target(ctx context.Context, no int32, now time.Time) (target, error) {
	row, err := es.queries().EndpointsTarget(ctx, db.EndpointsTargetParams{No: no, Now: store.Timestamp(now)})
	if errors.Is(err, pgx.ErrNoRows) {
		return target{}, ErrUnknownEndpoint
	}
	return target{int(no), row.Url, row.Secrets, int(row.Batch), row.DisabledAt.Valid}, err
}

// update changes an endpoint under its lock.
func (es *Endpoints) update(ctx context.Context, what, which string, do func(*db.Queries, *Endpoint) error) (Endpoint, error) {
	var e Endpoint
	err := es.change(ctx, func(q *db.Queries) (err error) {
		if e, err = lock(ctx, q, which); err == nil {
			err = do(q, &e)
		}
		return err
	})
	if err != nil {
		return Endpoint{}, fmt.Errorf("%s endpoint %q: %w", what, which, err)
	}
	return e, nil
}

// change runs queries in a transaction.
func (es *Endpoints) change(ctx context.Context, do func(*db.Queries) error) error {
	return pgx.BeginTxFunc(ctx, es.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error { return do(store.QueriesIn(tx, es.config.Schema)) })
}

func (es *Endpoints) queries() *db.Queries { return store.QueriesIn(es.pool, es.config.Schema) }

// now returns the time as the database can store it.
func (es *Endpoints) now() time.Time { return es.config.Now().UTC().Truncate(time.Microsecond) }

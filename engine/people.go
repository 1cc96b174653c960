package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/erase"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/jobs"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// EraseOptions say how a person is erased.
type EraseOptions = bucketgen.EraseOptions

// BulkOptions say how a job erases persons.
type BulkOptions = bucketgen.BulkOptions

// Erasure is the record of an erasure.
type Erasure = bucketgen.Erasure

// Suppression is what is known of an id that was erased, or is refused.
type Suppression = bucketgen.Suppression

// PersonRow is a row of a person.
type PersonRow = bucketgen.PersonRow

// Erase deletes everything that the database has about a person, by any of their ids: the user, the
// users who were merged into them, all names, properties, events, stays, transitions and
// deliveries. No transition is announced, and no read finds anything of them from then on. A
// [Subscription] with the kind Erased gets a notice with the ids, which is deleted once it is
// taken, or after 30 days. Sizes of buckets in the past stay as they were.
//
// What has left the database cannot be recalled: deliveries that were made or are under way,
// mirrors, logs, backups. A lookup forgets the person within its MaxStale. The ids stay in the
// table hidings for an hour, by which other processes learn of it.
//
// Of a person with more than 100,000 events the log is deleted in the background, under a name that
// no read finds. An unknown person gives [ErrUnknownUser], and an id that cannot be one an
// [*InvalidError].
func (g *People) Erase(ctx context.Context, id string, o EraseOptions) (Erasure, error) {
	e := (*Engine)(g)
	id, err := e.erasable(&o, id)
	if err != nil {
		return Erasure{}, fmt.Errorf("erase: %w", err)
	}
	out, err := e.eraser().Erase(ctx, e.attempts("erase"), id, o)
	if err != nil {
		return Erasure{}, fmt.Errorf("erase: %w", err)
	}
	if out.FinishedAt.IsZero() && e.erasing != nil {
		e.erasing.Wake()
	}
	return out, nil
}

// EraseTx is [People.Erase] as part of a transaction of the caller, such as the one that deletes an
// account: the person is erased if and only if the caller commits. The rules of [Engine.IngestTx]
// about isolation and locks hold. The transaction should end soon, and must within a minute: other
// erasures wait for it, and processes forget what they have in memory of the person when they read
// of the erasure, every 10 seconds. An error leaves the transaction as it was; one that says that
// the ids of the person changed passes if the call is repeated.
func (g *People) EraseTx(ctx context.Context, tx pgx.Tx, id string, o EraseOptions) (Erasure, error) {
	e := (*Engine)(g)
	id, err := e.erasable(&o, id)
	if err != nil {
		return Erasure{}, fmt.Errorf("erase: %w", err)
	}
	out, err := e.eraser().EraseTx(ctx, tx, id, o)
	if err != nil {
		return Erasure{}, fmt.Errorf("erase: %w", err)
	}
	return out, nil
}

// erasable completes options of an erasure, and returns the id as [Engine.person] does.
func (e *Engine) erasable(o *EraseOptions, id string) (string, error) {
	id, err := e.person(o, id)
	if err == nil && o.Suppress && e.store.Suppressor == nil {
		err = ErrNoSecret
	}
	return id, err
}

// Erasures returns a page of the records of erasures, the newest first. They are kept for
// [Config].AuditAge.
func (g *People) Erasures(ctx context.Context, p Page) ([]Erasure, int64, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, 0, fmt.Errorf("erasures: %w", err)
	}
	all, err := e.eraser().Page(ctx, p.After, p.limit())
	if err != nil {
		return nil, 0, fmt.Errorf("erasures: %w", err)
	}
	return all, p.next(len(all), func() int64 { return all[len(all)-1].ID }), nil
}

// EraseAll begins a job that erases persons, for a person with a name: up to 5,000 ids of one kind,
// each in a transaction as [People.Erase] does. An id leaves the job with its person, so a job
// whose process dies goes on with the rest. Unknown ids are passed over, unless they are
// suppressed.
func (g *People) EraseAll(ctx context.Context, ids []string, o BulkOptions) (Job, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return Job{}, fmt.Errorf("erase: %w", err)
	}
	names, err := event.BulkErasure(ids, &o)
	if err != nil {
		return Job{}, fmt.Errorf("erase: %w", err)
	}
	if o.Suppress && e.store.Suppressor == nil {
		return Job{}, fmt.Errorf("erase: %w", ErrNoSecret)
	}
	no, err := e.jobQueue().BeginErase(ctx, JobParams{Suppress: o.Suppress, Ticket: o.Ticket, Rate: o.Rate}, names, o.By)
	if err != nil {
		return Job{}, fmt.Errorf("begin a job that erases: %w", err)
	}
	for _, loop := range e.workers {
		loop.Wake()
	}
	return e.Jobs().Get(ctx, no)
}

// eraseJob erases the persons of a job.
func (e *Engine) eraseJob(ctx context.Context, p JobParams, progress func(done, total int64)) (jobs.Done, error) {
	if p.Suppress && e.store.Suppressor == nil {
		return jobs.Done{}, ErrNoSecret
	}
	out, err := e.eraser().Run(ctx, func() *retry.Attempts { return e.attempts("erase") }, p, progress)
	return jobs.Done{Result: out}, err
}

// Export returns everything that the database has about a person, by an id of a kind, row by row,
// as of one moment. An empty kind is that of users. A person who is unknown gives [ErrUnknownUser].
func (g *People) Export(ctx context.Context, kind, id string) iter.Seq2[PersonRow, error] {
	e := (*Engine)(g)
	o := EraseOptions{Kind: kind}
	id, err := e.person(&o, id)
	if err != nil {
		return func(yield func(PersonRow, error) bool) { yield(PersonRow{}, fmt.Errorf("export: %w", err)) }
	}
	return e.eraser().Export(ctx, o.Kind, id)
}

// Suppression returns what is known of an id of a kind: whether it is refused, and how often its
// user was erased.
func (g *People) Suppression(ctx context.Context, kind, id string) (Suppression, error) {
	e := (*Engine)(g)
	kind, id, err := e.checkSuppression(kind, id)
	if err != nil {
		return Suppression{}, fmt.Errorf("suppression: %w", err)
	}
	return e.eraser().Suppression(ctx, kind, id)
}

// SetSuppression refuses an id of a kind, of which there is no user, or lets it in again. An id
// that is let in again is that of a new user.
func (g *People) SetSuppression(ctx context.Context, kind, id string, refuse bool) error {
	e := (*Engine)(g)
	kind, id, err := e.checkSuppression(kind, id)
	if err == nil {
		err = e.eraser().Set(ctx, kind, id, refuse)
	}
	if err != nil {
		return fmt.Errorf("set a suppression: %w", err)
	}
	return nil
}

func (e *Engine) checkSuppression(kind, id string) (cleanKind, cleanID string, err error) {
	o := EraseOptions{Kind: kind}
	if id, err = e.person(&o, id); err != nil {
		return "", "", err
	}
	if e.store.Suppressor == nil {
		return "", "", ErrNoSecret
	}
	return o.Kind, id, nil
}

// person completes options about the person whom an id names, and returns the id as events have it:
// without blanks around it, and an e-mail address in lower case. Without a kind, it may also be
// what [By] returned.
func (e *Engine) person(o *EraseOptions, id string) (string, error) {
	if err := event.EraseOptions(o); err != nil {
		return "", err
	}
	name := By(o.Kind, id)
	if err := e.checkUserID(name); err != nil {
		return "", err
	}
	o.Kind, id = resolve.Parse(name)
	return id, nil
}

// Suppressions goes through all hashes, for [People.ImportSuppressions].
func (g *People) Suppressions(ctx context.Context) iter.Seq2[Suppression, error] {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return func(yield func(Suppression, error) bool) { yield(Suppression{}, fmt.Errorf("suppressions: %w", err)) }
	}
	return e.eraser().Suppressions(ctx)
}

// ImportSuppressions adds hashes that [People.Suppressions] has returned, here or on the database
// of which this one is a copy. Then it erases the users who were erased there after the copy was
// made, and returns how many. It is for a database that was restored from a backup.
func (g *People) ImportSuppressions(ctx context.Context, all iter.Seq2[Suppression, error]) (erased int, err error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return 0, fmt.Errorf("import suppressions: %w", err)
	}
	if e.store.Suppressor == nil {
		return 0, fmt.Errorf("import suppressions: %w", ErrNoSecret)
	}
	if erased, err = e.eraser().Import(ctx, e.attempts("erase"), all); err != nil {
		return erased, fmt.Errorf("import suppressions: %w", err)
	}
	return erased, nil
}

// maxErased is how many rows of a log one transaction deletes.
const maxErased = 100_000

func (e *Engine) eraser() *erase.Eraser {
	return &erase.Eraser{Pool: e.pool, Store: e.store, Runner: e.runner, Now: e.Now, Most: maxErased, Erased: func(names []string) {
		e.forgetNames(names)
		e.feed.Wake()
	}}
}

// forgetNames removes persons from the memory of this process.
func (e *Engine) forgetNames(names []string) {
	for _, name := range names {
		e.store.Forget(name)
	}
	e.store.ForgetLinks()
	e.recent.Forget(names)
	e.feed.Forget(names)
}

// forgettingNames returns the loop by which this process learns of erasures by others.
func (e *Engine) forgettingNames() *service.Loop {
	const every, overlap = 10 * time.Second, time.Minute
	since := e.config.Now()
	return &service.Loop{
		Component: "erasure", Log: e.log, First: every, Backoff: retry.Backoff{Min: time.Second, Max: time.Minute},
		Turn: func(ctx context.Context) (time.Duration, error) {
			now := e.config.Now()
			names, err := e.store.Queries(e.pool).HidingsErased(ctx, store.Timestamp(since.Add(-overlap))) // clocks of processes differ
			if err == nil && len(names) > 0 {
				e.forgetNames(names)
			}
			if err == nil {
				since = now
			}
			return every, err
		},
	}
}

// erasingLoop returns the loop that deletes long logs of persons who were erased, the rows of
// anonymous contacts that have expired, and notices of erasures.
func (e *Engine) erasingLoop() *service.Loop {
	const poll = 10 * time.Second
	var sweep erase.Sweep
	return &service.Loop{
		Component: "erasure", Log: e.log, Backoff: retry.Backoff{Min: time.Second, Max: time.Minute},
		Turn: func(ctx context.Context) (time.Duration, error) {
			worked, err := e.eraser().Continue(ctx)
			wait, failed := e.eraser().Sweep(ctx, &sweep)
			if err = errors.Join(err, failed); err == nil && (worked || wait == 0) {
				return 0, nil
			}
			return min(wait, poll), errors.Join(err, e.eraser().ForgetNotices(ctx))
		},
	}
}

// ID is an id of a user.
type ID = bucketgen.ID

// Declares reports whether a kind of ids is one of [Config].IDKinds.
func (g *People) Declares(kind string) bool {
	_, declared := (*Engine)(g).config.IDKinds[kind]
	return declared
}

// maxIDs is how many ids IDs returns at most.
const maxIDs = 1000

// IDs returns the ids of a user, named by any of them: the one by which the user goes, and then the
// others, the oldest first, up to 1,000. An unknown user gives [ErrUnknownUser], a deleted one
// [ErrDeleted].
func (g *People) IDs(ctx context.Context, userID string) ([]ID, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(userID); err != nil {
		return nil, fmt.Errorf("ids: %w", err)
	}
	rows, err := e.store.Queries(e.pool).IdentitiesList(ctx, db.IdentitiesListParams{Name: userID, Size: maxIDs})
	switch {
	case err != nil:
		return nil, fmt.Errorf("ids: %w", err)
	case len(rows) == 0:
		return nil, fmt.Errorf("ids: %w", ErrUnknownUser)
	case rows[0].DeletedAt.Valid:
		return nil, fmt.Errorf("ids: %w", ErrDeleted)
	}
	kind, value := resolve.Parse(rows[0].UserID)
	all := []ID{{Kind: kind, Value: value, Primary: true}}
	for _, row := range rows {
		if row.Kind != nil {
			all = append(all, ID{Kind: *row.Kind, Value: *row.Value, Shared: *row.Shared, AddedAt: row.AddedAt.Time.UTC()})
		}
	}
	return all, nil
}

// Unlink takes an id away from a user, unless it is the user's name. What comes by it from now on
// is that of a contact by itself, which never merges with a user by the ids of events. What was
// done by it stays the user's. An id that leads to no user gives [ErrUnknownUser], the user's name
// an [*InvalidError].
func (g *People) Unlink(ctx context.Context, kind, value string) error {
	e := (*Engine)(g)
	name := By(kind, value)
	if err := e.checkUserID(name); err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	q := e.store.Queries(e.pool)
	rows, err := q.IdentitiesUsers(ctx, []string{name})
	switch {
	case err != nil:
		return fmt.Errorf("unlink: %w", err)
	case len(rows) == 0:
		return fmt.Errorf("unlink: %w", ErrUnknownUser)
	case rows[0].UserID == name:
		return fmt.Errorf("unlink: %w", &InvalidError{Field: "value", Problem: "is the id by which the contact goes, and cannot be taken away; erase the contact, or give it a user id"})
	case kind == resolve.User:
		return fmt.Errorf("unlink: %w", &InvalidError{Field: "kind", Problem: "is user; user ids stay those of the user into whom they were merged"})
	}
	for attempts := e.attempts("unlink"); ; {
		err := e.merger().Share(ctx, name)
		if err == nil {
			return nil
		}
		if err := attempts.Again(ctx, err); err != nil {
			return fmt.Errorf("unlink: %w", err)
		}
	}
}

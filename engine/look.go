package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

const (
	lookGap  = 10 * time.Millisecond // between two looks at least, so that what happens meanwhile is seen together
	lookTime = 5 * time.Second       // that a look may take: a connection that is dead must not be waited for
	tellGap  = 20 * time.Millisecond // between two times that others are told
)

// run looks, on a connection of its own, until ctx ends. When the connection is lost it opens another.
func (f *feed) run(ctx context.Context) {
	var backoff retry.Backoff
	for {
		began := time.Now()
		err := f.connected(ctx)
		if ctx.Err() != nil {
			return
		}
		f.mu.Lock()
		known := f.failing
		f.failing = true
		f.mu.Unlock()
		if !known {
			f.engine.log.ErrorContext(ctx, "what happens to buckets cannot be looked at, trying again", "error", err)
		}
		if time.Since(began) > retry.Max {
			backoff.Reset()
		}
		if backoff.Sleep(ctx) != nil {
			return
		}
	}
}

// connected looks on one connection, until that is lost.
func (f *feed) connected(ctx context.Context) error {
	pooled, err := f.engine.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	conn := pooled.Hijack() // it listens, and that is to end with it
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
		defer cancel()
		_ = conn.Close(closing)
	}()
	// LISTEN takes no parameters, so it is no query of sqlc's. What is set makes plans look into indexes, however small tables
	// are when they are made.
	listen := "listen " + pgx.Identifier{f.engine.config.Schema}.Sanitize()
	settings := "; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off"
	if !f.engine.pooled { // behind a pooler sessions belong to all clients, and the log is polled
		if _, err := conn.PgConn().Exec(ctx, listen+settings).ReadAll(); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	if _, err := f.engine.store.Queries(conn).TransitionsDisown(ctx); err != nil {
		return fmt.Errorf("look for transitions of another server: %w", err)
	}
	for {
		if err := f.look(ctx, conn); err != nil {
			return err
		}
		if err := f.wait(ctx, conn); err != nil {
			return err
		}
	}
}

// wait waits until somebody says that there is something to see, or until it is time to look anyway.
func (f *feed) wait(ctx context.Context, conn *pgx.Conn) error {
	if err := retry.Sleep(ctx, lookGap); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, f.engine.config.FeedPoll)
	defer cancel()
	f.mu.Lock()
	f.interrupt = cancel
	if f.poked {
		cancel()
	}
	f.mu.Unlock()
	_, err := conn.WaitForNotification(waiting)
	for err == nil { // one look is enough for all of them
		cancel()
		_, err = conn.WaitForNotification(waiting)
	}
	f.mu.Lock()
	f.interrupt, f.poked = nil, false
	f.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case conn.IsClosed():
		return fmt.Errorf("wait: %w", err)
	default:
		return nil
	}
}

// look looks what can be seen that could not be seen before.
func (f *feed) look(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	e, began := f.engine, time.Now()
	row, err := e.store.Queries(conn).TransitionsMark(ctx)
	if err != nil {
		return fmt.Errorf("look at the log: %w", err)
	}
	_, now, _ := f.since(0)
	before, beyond := now.mark, row.Beyond.Uint64
	at := markOf(row, before)
	switch {
	case before.from > beyond: // the server has less than it had
		f.see(ctx, began, markOf(row, mark{}), beyond, nil, false)
		return nil
	case before.from == 0:
		f.see(ctx, began, at, beyond, nil, false)
		return nil
	case !at.news(before):
		f.see(ctx, began, at, beyond, nil, true)
		return nil
	}
	t := &told{to: at}
	for more := true; more; {
		after := int64(0)
		if len(t.entries) > 0 {
			after = t.entries[len(t.entries)-1].id
		}
		page, err := e.between(ctx, conn, before, at, after, nil, true)
		if err != nil {
			return err
		}
		if t.entries = append(t.entries, page...); len(t.entries) > maxRemembered {
			f.see(ctx, began, at, beyond, nil, false)
			return nil
		}
		more = len(page) == feedPage
	}
	if t.hidden, err = e.store.Queries(conn).HidingsBetween(ctx, hidings(before, at)); err != nil {
		return fmt.Errorf("look who was deleted: %w", err)
	}
	if t.size() == 0 {
		t = nil
	}
	f.see(ctx, began, at, beyond, t, true)
	return nil
}

// newNotifier returns the loop that notifies other processes of transitions, after those were committed. It does so in transactions
// of its own: PostgreSQL lets those that notify commit only one after the other. Other processes find out what it cannot
// send by their next poll.
func (e *Engine) newNotifier() *service.Loop {
	return &service.Loop{
		Component: "notifier", Log: e.log, First: service.Idle,
		Turn: func(ctx context.Context) (time.Duration, error) {
			err := e.store.Queries(e.pool).TransitionsTell(ctx, e.config.Schema)
			if blame.Known(err) {
				err = nil
			}
			_ = retry.Sleep(ctx, tellGap)
			return service.Idle, err
		},
	}
}

// forgetHidings removes what nobody is going to look at any more.
func (e *Engine) forgetHidings(ctx context.Context) error {
	return e.store.Queries(e.pool).HidingsForget(ctx, store.Timestamp(e.config.Now().Add(-hidingsKept)))
}

// hidingsKept is how long it can be seen who was deleted.
const hidingsKept = time.Hour

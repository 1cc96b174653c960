package feed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
)

const (
	pollGap      = 10 * time.Millisecond // pollGap is the least time between two polls, so that one sees several commits
	maxPace      = time.Minute           // maxPace is the longest time between two polls that a reader can accept
	pollTimeout  = 5 * time.Second       // pollTimeout bounds a poll, so that a dead connection is given up
	closeTimeout = 5 * time.Second       // closeTimeout bounds how long a connection takes to close
)

// turn polls the log on a connection of its own, until that is lost or the last reader has left.
func (f *Feed) turn(ctx context.Context) (time.Duration, error) {
	f.mu.Lock()
	if len(f.readers) == 0 {
		f.mu.Unlock()
		return service.Idle, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.cancel = cancel
	f.mu.Unlock()
	if err := f.pollUntilLost(ctx); ctx.Err() == nil {
		return 0, err
	}
	return service.Idle, nil // a reader that has joined since then has woken the loop
}

// pollUntilLost polls the log on one connection.
func (f *Feed) pollUntilLost(ctx context.Context) error {
	conn, err := f.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if err := f.prepare(ctx, conn); err != nil {
		return err
	}
	for {
		if err := f.poll(ctx, conn); err != nil {
			return err
		}
		f.poller.Progress()
		if err := f.wait(ctx, conn); err != nil {
			return err
		}
	}
}

// connect takes a connection out of the pool for good: it listens, which must end with it.
func (f *Feed) connect(ctx context.Context) (*pgx.Conn, error) {
	pooled, err := f.deps.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return pooled.Hijack(), nil
}

// prepare listens for notifications, and makes plans use indexes even if tables are small when the
// plans are made. LISTEN takes no parameters, so it cannot be a query of sqlc.
func (f *Feed) prepare(ctx context.Context, conn *pgx.Conn) error {
	listen := "listen " + pgx.Identifier{f.deps.Schema}.Sanitize()
	settings := "; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off"
	if !f.deps.Pooled {
		if _, err := conn.PgConn().Exec(ctx, listen+settings).ReadAll(); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	if _, err := f.queries(conn).TransitionsDisown(ctx); err != nil {
		return fmt.Errorf("disown transitions of another server: %w", err)
	}
	return nil
}

// wait waits until the readers accept another poll, and then for a notification, for a wake-up, or
// until the next poll is due. What is urgent ends both waits.
func (f *Feed) wait(ctx context.Context, conn *pgx.Conn) error {
	if err := retry.Sleep(ctx, pollGap); err != nil {
		return err
	}
	if rest := f.pace() - pollGap; rest > 0 {
		paced, cancel := f.interruptible(ctx, rest, true)
		<-paced.Done()
		cancel()
	}
	waiting, cancel := f.interruptible(ctx, f.deps.Poll, false)
	defer cancel()
	_, err := conn.WaitForNotification(waiting)
	for err == nil { // one poll serves all notifications that have arrived
		cancel()
		_, err = conn.WaitForNotification(waiting)
	}
	f.mu.Lock()
	f.interrupt, f.woken, f.urgent = nil, false, false
	f.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case conn.IsClosed():
		return fmt.Errorf("wait for a notification: %w", err)
	default:
		return nil
	}
}

// interruptible returns a context that ends after a time, or when the feed is to poll. A wait for
// the pace of the readers is ended only by what is urgent.
func (f *Feed) interruptible(ctx context.Context, d time.Duration, paced bool) (context.Context, context.CancelFunc) {
	waiting, cancel := context.WithTimeout(ctx, d)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.interrupt, f.paced = cancel, paced
	if f.urgent || f.woken && !paced {
		cancel()
	}
	return waiting, cancel
}

// poll publishes what has become visible since the last poll.
func (f *Feed) poll(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	began := time.Now()
	row, err := f.queries(conn).TransitionsSnapshot(ctx)
	if err != nil {
		return fmt.Errorf("read the snapshot: %w", err)
	}
	_, now, _ := f.since(0)
	before := now.snapshot
	if before.xmax > row.Beyond.Uint64 { // the server was restored to an earlier state
		before = snapshot{}
	}
	next := position{snapshot: snapshotOf(row, before), nextXID: row.Beyond.Uint64, began: began}
	if before.isZero() {
		f.publish(ctx, next, nil, false)
		return nil
	}
	var b *batch
	complete := true
	if next.snapshot.hasNew(before) {
		if b, complete, err = f.readBatch(ctx, conn, before, next.snapshot); err != nil {
			return err
		}
	}
	f.publish(ctx, next, b, complete)
	return nil
}

// readBatch reads what has become visible between two snapshots: nil if nothing has. It is not
// complete if there is more than the feed keeps.
func (f *Feed) readBatch(ctx context.Context, conn db.DBTX, before, to snapshot) (b *batch, complete bool, err error) {
	b = &batch{to: to}
	for more := true; more; {
		after := int64(0)
		if len(b.entries) > 0 {
			after = b.entries[len(b.entries)-1].id
		}
		page, err := f.readPage(ctx, conn, before, to, pageOptions{afterID: after, suppressed: true, notices: true})
		if err != nil {
			return nil, false, err
		}
		if b.entries = append(b.entries, page...); len(b.entries) > maxKept {
			return nil, false, nil
		}
		more = len(page) == pageSize
	}
	if b.hidden, err = f.queries(conn).HidingsBetween(ctx, to.hidingsSince(before)); err != nil {
		return nil, false, fmt.Errorf("read deletions: %w", err)
	}
	if b.size() == 0 {
		return nil, true, nil
	}
	return b, true, nil
}

// pageOptions say which transitions a page has.
type pageOptions struct {
	afterID    int64   // afterID is the last id of the page before
	bucketNos  []int32 // bucketNos are the buckets; nil: all
	suppressed bool    // suppressed says whether transitions count that are not announced
	notices    bool    // notices says whether notices count
}

// noBucket is the number of the bucket of notices.
const noBucket = 0

// pageSize is how many transitions are read at once.
const pageSize = 1000

// readPage reads a page of the transitions that are visible in a snapshot and were not in an
// earlier one.
func (f *Feed) readPage(ctx context.Context, conn db.DBTX, before, to snapshot, o pageOptions) ([]logEntry, error) {
	p := to.transitionsSince(before)
	p.AfterID, p.BucketNos, p.AllOfThem, p.Notices, p.Size = o.afterID, o.bucketNos, o.suppressed, o.notices, pageSize
	if o.notices && o.bucketNos != nil {
		p.BucketNos = append(slices.Clone(o.bucketNos), noBucket)
	}
	rows, err := f.queries(conn).TransitionsBetween(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read transitions: %w", err)
	}
	page := make([]logEntry, len(rows))
	for i := range rows {
		page[i] = entryOf(&rows[i])
	}
	return page, nil
}

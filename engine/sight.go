package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// entry is a transition with its place in the log.
type entry struct {
	Transition

	id     int64
	bucket int32
}

// feedPage is how many transitions are read at once.
const feedPage = 1000

// between reads a page of the transitions that can be seen at a mark and could not at an earlier one: of some buckets, or of
// all, if none are given.
func (e *Engine) between(ctx context.Context, conn db.DBTX, from, to mark, after int64, nos []int32, suppressed bool) ([]entry, error) {
	p := to.between(from)
	p.AfterID, p.BucketNos, p.AllOfThem, p.Size = after, nos, suppressed, feedPage
	rows, err := e.store.Queries(conn).TransitionsBetween(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read transitions: %w", err)
	}
	page := make([]entry, len(rows))
	for i := range rows {
		row := &rows[i]
		page[i] = entry{id: row.ID, bucket: row.BucketNo, Transition: store.Recorded(db.BucketgenTransition{
			Epoch: row.Epoch, Kind: row.Kind, Label: row.Label, Ordinal: row.Ordinal, MembershipID: row.MembershipID,
			At: row.At, DecidedAt: row.DecidedAt, Source: row.Source, Reason: row.Reason, Suppressed: row.Suppressed,
		}, row.BucketID, row.BucketName, row.UserID, row.Email)}
	}
	return page, nil
}

// feed looks at the log of transitions for all of this process who want to know what happens, and remembers what it saw last.
type feed struct {
	engine *Engine
	quit   chan struct{}
	once   sync.Once

	mu        sync.Mutex
	readers   int
	cancel    context.CancelFunc // of the goroutine that looks, while there are readers
	interrupt context.CancelFunc // of its waiting, while it waits
	poked     bool               // it is to look at once

	now     sight
	rounds  []*told // the last, the oldest first
	entries int     // of those
	failing bool    // what is wrong was logged
}

// sight is how far the feed is.
type sight struct {
	mark   mark
	beyond uint64        // no transaction had a greater number
	no     int64         // of the last round
	began  time.Time     // when the look began; zero: there was none yet
	next   chan struct{} // closed after the next look
}

// told is what happened between two marks.
type told struct {
	no      int64
	to      mark
	entries []entry
	hidden  []string // users who were deleted or restored
}

// maxRemembered is how many transitions the feed remembers. Who is further behind reads them from the database.
const maxRemembered = 10_000

func newFeed(e *Engine) *feed {
	return &feed{engine: e, quit: make(chan struct{}), now: sight{next: make(chan struct{})}}
}

// join lets the feed look, for as long as anybody is there who has not left.
func (f *feed) join() (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.quit:
		return nil, ErrStopped
	default:
	}
	if f.readers++; f.readers == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		f.cancel = cancel
		f.now = sight{no: f.now.no + 1, next: f.now.next}
		f.rounds, f.entries = nil, 0
		f.engine.others.Go(func() { f.run(ctx) })
	}
	return sync.OnceFunc(f.leave), nil
}

func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers--; f.readers == 0 {
		f.cancel()
	}
}

// fresh returns how far the feed is after a look that begins after the call.
func (f *feed) fresh(ctx context.Context) (sight, error) {
	asked := time.Now()
	f.poke()
	for {
		_, now, _ := f.since(0)
		if now.began.After(asked) {
			return now, nil
		}
		select {
		case <-now.next:
		case <-ctx.Done():
			return sight{}, ctx.Err()
		case <-f.quit:
			return sight{}, ErrStopped
		}
	}
}

// since returns the rounds after one, and how far the feed is. If it does not remember all of them, it returns none.
func (f *feed) since(no int64) (rounds []*told, now sight, remembered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	behind := int(f.now.no - no)
	if behind > len(f.rounds) {
		return nil, f.now, false
	}
	return f.rounds[len(f.rounds)-behind:], f.now, true
}

// poke lets the feed look at once.
func (f *feed) poke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.poked = true
	if f.interrupt != nil {
		f.interrupt()
	}
}

func (f *feed) stop() {
	f.once.Do(func() { close(f.quit) })
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cancel != nil {
		f.cancel()
	}
}

// see notes what was seen by a look. If there was too much of it, or it does not follow what was seen before, that is all that
// is remembered.
func (f *feed) see(ctx context.Context, began time.Time, at mark, beyond uint64, t *told, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return // somebody else may look by now
	}
	now := sight{mark: at, beyond: beyond, no: f.now.no, began: began, next: make(chan struct{})}
	switch {
	case !all:
		now.no++
		f.rounds, f.entries = nil, 0
	case t != nil:
		now.no++
		t.no = now.no
		f.rounds, f.entries = append(f.rounds, t), f.entries+t.size()
		for f.entries > maxRemembered {
			f.entries -= f.rounds[0].size()
			f.rounds = f.rounds[1:]
		}
	}
	close(f.now.next)
	f.now, f.failing = now, false
}

func (t *told) size() int { return len(t.entries) + len(t.hidden) }

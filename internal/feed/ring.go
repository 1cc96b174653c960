package feed

import (
	"context"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
)

// maxKept is how many transitions and hidden users a feed keeps in memory. A reader that is further
// behind reads them from the database.
const maxKept = 10_000

// logEntry is a transition or a notice, and its position in the log.
type logEntry struct {
	bucketgen.Transition

	name     string // name is that of the user
	id       int64
	bucketNo int32
	notice   *bucketgen.Notice // notice is what happened, if that is no transition
	encoded  *encoded
}

func entryOf(row *db.TransitionsBetweenRow) logEntry {
	logged := db.BucketgenTransition{
		EntryCount: row.EntryCount, Kind: row.Kind, Tick: row.Tick, DwellCount: row.DwellCount, MembershipID: row.MembershipID,
		At: row.At, DecidedAt: row.DecidedAt, Source: row.Source, Reason: row.Reason, Suppressed: row.Suppressed, Life: row.Life,
		NameKind: row.NameKind, EnteredAs: row.EnteredAs, Notice: row.Notice,
	}
	return logEntry{
		Transition: store.Recorded(logged, row.BucketID, row.BucketName, row.UserID, row.Email), name: resolve.Shown(row.UserID),
		id: row.ID, bucketNo: row.BucketNo, notice: store.Noticed(&logged), encoded: &encoded{},
	}
}

// batch is what became visible between two polls.
type batch struct {
	no      int64     // no is one more than that of the batch before
	to      snapshot  // to is the snapshot of the later poll
	at      time.Time // at is when the later poll began
	entries []logEntry
	hidden  []string // hidden are users who were deleted or restored
}

func (b *batch) size() int { return len(b.entries) + len(b.hidden) }

// Forget removes the transitions of users from memory. Readers that have a batch keep it for as
// long as they read it.
func (f *Feed) Forget(users []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = slices.Clone(f.batches) // a reader may have the former list, or a batch
	for i, b := range f.batches {
		of := func(e *logEntry) bool { return slices.Contains(users, e.name) }
		if !slices.ContainsFunc(b.entries, func(e logEntry) bool { return of(&e) }) {
			continue
		}
		kept := *b
		kept.entries = slices.DeleteFunc(slices.Clone(b.entries), func(e logEntry) bool { return of(&e) })
		f.size -= b.size() - kept.size()
		f.batches[i] = &kept
	}
}

// position is how far a feed has read the log.
type position struct {
	snapshot snapshot
	nextXID  uint64        // nextXID is greater than that of every transaction that had begun
	no       int64         // no is that of the latest batch
	began    time.Time     // began is when the poll began; zero: there was none yet
	next     chan struct{} // next is closed by the next poll
}

// covers reports whether all that a cursor has delivered is visible at the position.
func (p position) covers(c Cursor) bool {
	return p.snapshot.supersedes(c.delivered, p.nextXID) && (c.to.isZero() || p.snapshot.supersedes(c.to, p.nextXID))
}

// since returns the batches after one, and the position of the feed. It returns no batches and
// false if some of them are not kept any more.
func (f *Feed) since(no int64) (batches []*batch, now position, kept bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	behind := int(f.now.no - no)
	if behind > len(f.batches) {
		return nil, f.now, false
	}
	return f.batches[len(f.batches)-behind:], f.now, true
}

// publish makes the outcome of a poll the position of the feed and wakes its readers. A nil batch
// says that nothing happened. If the batch is not complete, readers have to catch up from the
// database.
func (f *Feed) publish(ctx context.Context, to position, b *batch, complete bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return // another connection may poll by now
	}
	to.no, to.next = f.now.no, make(chan struct{})
	switch {
	case !complete:
		to.no++
		f.batches, f.size, f.covers = nil, 0, to.began
	case b != nil:
		to.no++
		b.no, b.at = to.no, to.began
		f.batches, f.size = append(f.batches, b), f.size+b.size()
		for f.size > maxKept {
			f.size, f.covers = f.size-f.batches[0].size(), f.batches[0].at
			f.batches = f.batches[1:]
		}
	}
	if f.covers.IsZero() {
		f.covers = to.began
	}
	close(f.now.next)
	f.now = to
}

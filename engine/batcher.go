package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry"
)

// item is one event on its way into the database.
type item struct {
	user  string // by whose name it was given to the batcher
	as    string // by whose name it is done, if it turned out that the user has another by now
	place int    // among all items that the batcher was given
	event decide.Event
	at    registry.Instant // virtual time of a replay, or Unset
	ctx   context.Context  //nolint:containedctx // of the caller that waits for the item; it outlives no call

	result decide.Result
	err    error
	call   *call
	done   func(*item) // called when it is, if not nil
}

// name returns the name of the user, as far as is known.
func (it *item) name() string {
	if it.as != "" {
		return it.as
	}
	return it.user
}

// rename lets items be of those users of whom it turned out that they were merged into others. They come in the order in which
// they were given then: who was taken for two is one.
func rename(items []*item, r *renamedError) {
	for _, it := range items {
		it.as = r.of(it.name())
	}
	slices.SortStableFunc(items, func(a, b *item) int { return cmp.Compare(a.place, b.place) })
}

// call is one caller, who waits until all of its items are done.
type call struct {
	began time.Time // zero: nobody measures how long it takes

	mu   sync.Mutex
	left int
	done chan struct{}
}

func (c *call) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left++
}

func (c *call) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		close(c.done)
	}
}

// batcher collects items into batches. There is no timer: a batch is what arrived while the flushers were busy with the
// ones before. While one is being written, another is only begun for enough items to be worth it: small batches cost as
// much as large ones. The items of a user stay in order, because a user is in one batch at a time.
type batcher struct {
	mu       sync.Mutex
	users    map[string]*lane
	ready    []string // users with items who are in no batch, in the order in which they came
	wake     *sync.Cond
	closed   bool
	given    int         // items, ever
	waiting  int         // items that are not done
	eligible int         // items of users who are ready
	writing  int         // batches
	idle     []*lane     // of no user, for the next ones
	began    time.Time   // when the last of those was begun
	late     *time.Timer // wakes flushers once patience has run out
	size     int         // of a batch
}

// lane is the items of one user.
type lane struct {
	items []*item
	room  [1]*item // for the first, in a lane that is used again
	busy  bool     // in a batch, or put off
	wait  time.Duration
}

// worthIt is how many items are worth a batch beside each that is being written: the more there are, the less another one has of
// the processors, and the more a large one saves. When those take longer than patience, because somebody else has a lock that they
// need, any number is.
const (
	worthIt  = 32
	patience = 10 * time.Millisecond
)

func newBatcher(size int) *batcher {
	b := &batcher{users: map[string]*lane{}, size: size}
	b.wake = sync.NewCond(&b.mu)
	b.late = time.AfterFunc(time.Hour, b.wake.Broadcast)
	b.late.Stop()
	return b
}

// put adds items, unless the batcher is closed.
func (b *batcher) put(items []*item) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	for _, it := range items {
		b.given++
		it.place = b.given
		l := b.users[it.user]
		if l == nil {
			l = b.lane()
			b.users[it.user] = l
		}
		if len(l.items) == 0 && !l.busy {
			b.ready = append(b.ready, it.user)
		}
		if !l.busy {
			b.eligible++
		}
		l.items = append(l.items, it)
	}
	b.waiting += len(items)
	b.wakeIfDue()
	return true
}

// due reports whether a batch is to be begun.
func (b *batcher) due() bool {
	return len(b.ready) > 0 && (b.eligible >= worthIt*b.writing || time.Since(b.began) >= patience)
}

// wakeIfDue wakes a flusher if there is something to do for one. Most items do not make a batch worth it: to wake one for each of them
// would cost as much as to put it.
func (b *batcher) wakeIfDue() {
	if b.due() {
		b.wake.Signal()
	}
}

// take returns the next batch, or nil once the batcher is closed and empty. The users in it are busy until they are
// given back.
func (b *batcher) take() []*item {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.due() {
		if b.closed && b.waiting == 0 {
			return nil
		}
		b.wake.Wait()
	}
	batch, users := make([]*item, 0, min(b.eligible, b.size)), 0
	for _, user := range b.ready {
		l := b.users[user]
		if len(batch) > 0 && len(batch)+len(l.items) > b.size {
			break
		}
		n := min(len(l.items), b.size)
		batch = append(batch, l.items[:n]...)
		b.eligible -= len(l.items) // those that are left wait for the others
		l.items = l.items[n:]
		l.busy = true
		users++
	}
	b.writing++
	b.began = time.Now()
	b.late.Reset(patience)
	b.ready = append(b.ready[:0], b.ready[users:]...)
	b.wakeIfDue()
	return batch
}

// giveBack ends a batch. Items that are put off are tried again, before those that came after them, once a little time
// has passed: whoever holds the lock of their user may be done by then.
func (b *batcher) giveBack(batch, putOff []*item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting -= len(batch) - len(putOff)
	b.writing--
	late := map[string][]*item{}
	for _, it := range putOff {
		late[it.user] = append(late[it.user], it)
	}
	for user, items := range late {
		b.delay(user, items)
	}
	for _, it := range batch {
		if l := b.users[it.user]; l != nil && l.busy && late[it.user] == nil { // the user may have had items before this one
			b.release(it.user, l)
		}
	}
	b.wake.Broadcast()
}

// delay lets items of a user be tried again after a little time, and those that came after them.
func (b *batcher) delay(user string, late []*item) {
	l := b.users[user]
	l.items = append(late, l.items...)
	l.wait = min(max(2*l.wait, time.Millisecond), 50*time.Millisecond)
	time.AfterFunc(l.wait, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		l.busy = false
		b.makeReady(user, l)
		b.wake.Broadcast()
	})
}

func (b *batcher) release(user string, l *lane) {
	l.busy, l.wait = false, 0
	if len(l.items) > 0 {
		b.makeReady(user, l)
		return
	}
	delete(b.users, user)
	if len(b.idle) < b.size {
		*l = lane{}
		b.idle = append(b.idle, l)
	}
}

// lane returns one for a user who has none: most come and go with one item.
func (b *batcher) lane() *lane {
	n := len(b.idle)
	if n == 0 {
		return &lane{}
	}
	l := b.idle[n-1]
	b.idle = b.idle[:n-1]
	l.items = l.room[:0]
	return l
}

func (b *batcher) makeReady(user string, l *lane) {
	b.ready = append(b.ready, user)
	b.eligible += len(l.items)
}

// close lets take return nil once everything is done.
func (b *batcher) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.wake.Broadcast()
}

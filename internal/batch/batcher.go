// Package batch collects what arrives one by one into batches, and keeps what belongs to one user
// in order.
package batch

import (
	"sync"
	"time"
)

// Item is what is batched.
type Item interface {
	// User names the user whose items stay in order. It does not change while the batcher has the
	// item.
	User() string

	// SetPlace is called with the number of the item among all that the batcher was given, before
	// Put returns.
	SetPlace(n int)
}

// Batcher collects items into batches. There is no timer: a batch is what arrived while the
// flushers were busy with the ones before. While one is being written, another is only begun for
// enough items to be worth it: small batches cost as much as large ones. The items of a user stay
// in order, because a user is in one batch at a time. It is safe for concurrent use.
type Batcher[T Item] struct {
	mu       sync.Mutex
	users    map[string]*lane[T]
	ready    []string // users with items who are in no batch, in the order in which they came
	wake     *sync.Cond
	closed   bool
	given    int         // items, ever
	waiting  int         // items that are not done
	eligible int         // items of users who are ready
	writing  int         // batches
	idle     []*lane[T]  // of no user, for the next ones
	began    time.Time   // when the last of those was begun
	late     *time.Timer // wakes flushers once patience has run out
	size     int         // of a batch
}

// lane is the items of one user.
type lane[T Item] struct {
	items []T
	room  [1]T // for the first, in a lane that is used again
	busy  bool // in a batch, or put off
	wait  time.Duration
}

// worthIt is how many items are worth a batch beside each that is being written: the more there
// are, the less another one has of the processors, and the more a large one saves. When those take
// longer than patience, because another transaction has a lock that they need, any number is.
const (
	worthIt  = 32
	patience = 10 * time.Millisecond
)

// New makes a batcher of batches of at most size items.
func New[T Item](size int) *Batcher[T] {
	b := &Batcher[T]{users: map[string]*lane[T]{}, size: size}
	b.wake = sync.NewCond(&b.mu)
	b.late = time.AfterFunc(time.Hour, b.wake.Broadcast)
	b.late.Stop()
	return b
}

// Put adds items, unless the batcher is closed.
func (b *Batcher[T]) Put(items []T) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	for _, it := range items {
		b.given++
		it.SetPlace(b.given)
		l := b.users[it.User()]
		if l == nil {
			l = b.lane()
			b.users[it.User()] = l
		}
		if len(l.items) == 0 && !l.busy {
			b.ready = append(b.ready, it.User())
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

// due reports whether a batch should begin.
func (b *Batcher[T]) due() bool {
	return len(b.ready) > 0 && (b.eligible >= worthIt*b.writing || time.Since(b.began) >= patience)
}

// wakeIfDue wakes a flusher if there is something to do for one. Most items do not make a batch
// worth it: to wake one for each of them would cost as much as to put it.
func (b *Batcher[T]) wakeIfDue() {
	if b.due() {
		b.wake.Signal()
	}
}

// Take returns the next batch, or nil once the batcher is closed and empty. The users in it are
// busy until they are given back.
func (b *Batcher[T]) Take() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.due() {
		if b.closed && b.waiting == 0 {
			return nil
		}
		b.wake.Wait()
	}
	batch, users := make([]T, 0, min(b.eligible, b.size)), 0
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

// GiveBack ends a batch. Items that are put off are tried again, before those that came after them,
// once a little time has passed: the transaction that holds the lock of their user may be done by
// then.
func (b *Batcher[T]) GiveBack(batch, putOff []T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting -= len(batch) - len(putOff)
	b.writing--
	late := map[string][]T{}
	for _, it := range putOff {
		late[it.User()] = append(late[it.User()], it)
	}
	for user, items := range late {
		b.delay(user, items)
	}
	for _, it := range batch {
		if l := b.users[it.User()]; l != nil && l.busy && late[it.User()] == nil { // the user may have had items before this one
			b.release(it.User(), l)
		}
	}
	b.wake.Broadcast()
}

// delay lets items of a user be tried again after a little time, and those that came after them.
func (b *Batcher[T]) delay(user string, late []T) {
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

func (b *Batcher[T]) release(user string, l *lane[T]) {
	l.busy, l.wait = false, 0
	if len(l.items) > 0 {
		b.makeReady(user, l)
		return
	}
	delete(b.users, user)
	if len(b.idle) < b.size {
		*l = lane[T]{}
		b.idle = append(b.idle, l)
	}
}

// lane returns one for a user who has none: most come and go with one item.
func (b *Batcher[T]) lane() *lane[T] {
	n := len(b.idle)
	if n == 0 {
		return &lane[T]{}
	}
	l := b.idle[n-1]
	b.idle = b.idle[:n-1]
	l.items = l.room[:0]
	return l
}

func (b *Batcher[T]) makeReady(user string, l *lane[T]) {
	b.ready = append(b.ready, user)
	b.eligible += len(l.items)
}

// Close lets Take return nil once everything is done.
func (b *Batcher[T]) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.wake.Broadcast()
}

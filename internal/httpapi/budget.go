package httpapi

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// budget bounds what all requests together hold in memory. Each holder, a key or all requests
// without one, has a share at most, so that no key takes all of it. Safe for concurrent use.
type budget struct {
	size  int64
	share int64 // of one holder

	mu      sync.Mutex
	used    int64
	holders map[int]int64 // what each holder has
	line    list.List     // of *waiter, who asked first stands first
}

// waiter waits for a part of a budget.
type waiter struct {
	holder int
	bytes  int64
	ready  chan struct{} // closed when it has its part
}

// maxInLine is how many requests wait for a part of a budget at most.
const maxInLine = 1024

// errFull says that a budget is used up.
var errFull = errors.New("too many requests are in flight")

func newBudget(size, share int64) *budget {
	return &budget{size: size, share: min(share, size), holders: map[int]int64{}}
}

// try takes a part of the budget if it is free. It never waits, so that those who hold a part may
// ask for more.
func (b *budget) try(holder int, bytes int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.take(holder, bytes)
}

// wait takes a part of the budget, as soon as it is free: who has a part of this budget must not
// wait for more of it. A part that is larger than a share is cut down to one, which its holder gets
// when it has nothing else. wait returns what was taken, or errFull if there is too little for as
// long as patience says.
func (b *budget) wait(ctx context.Context, patience time.Duration, holder int, bytes int64) (int64, error) {
	bytes = min(bytes, b.share)
	b.mu.Lock()
	if b.line.Len() == 0 && b.take(holder, bytes) {
		b.mu.Unlock()
		return bytes, nil
	}
	if b.line.Len() >= maxInLine {
		b.mu.Unlock()
		return 0, errFull
	}
	w := &waiter{holder, bytes, make(chan struct{})}
	at := b.line.PushBack(w)
	b.advance()
	b.mu.Unlock()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	var err error
	select {
	case <-w.ready:
		return bytes, nil
	case <-timeout.C:
		err = errFull
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-w.ready: // at the last moment
		return bytes, nil
	default:
	}
	b.line.Remove(at)
	b.advance()
	return 0, err
}

// give returns a part.
func (b *budget) give(holder int, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= bytes
	if b.holders[holder] -= bytes; b.holders[holder] <= 0 {
		delete(b.holders, holder)
	}
	b.advance()
}

func (b *budget) take(holder int, bytes int64) bool {
	if b.used+bytes > b.size || b.holders[holder]+bytes > b.share {
		return false
	}
	b.used += bytes
	b.holders[holder] += bytes
	return true
}

// advance serves the waiters in order. A waiter whose holder has no share left does not block the
// others; one that waits for the budget does, so that small parts do not starve large ones.
func (b *budget) advance() {
	for at := b.line.Front(); at != nil; {
		w := at.Value.(*waiter) //nolint:forcetypeassert // nothing else is in line
		following := at.Next()
		switch {
		case b.holders[w.holder]+w.bytes > b.share:
		case b.take(w.holder, w.bytes):
			b.line.Remove(at)
			close(w.ready)
		default:
			return
		}
		at = following
	}
}

// lease is what one request holds of a budget. The zero value holds nothing. It is not safe for
// concurrent use.
type lease struct {
	budget *budget
	holder int
	bytes  int64
}

// grow takes more, if it is free.
func (l *lease) grow(bytes int64) bool {
	if !l.budget.try(l.holder, bytes) {
		return false
	}
	l.bytes += bytes
	return true
}

// shrink returns a part.
func (l *lease) shrink(bytes int64) {
	l.budget.give(l.holder, bytes)
	l.bytes -= bytes
}

// end returns all. It may be called again.
func (l *lease) end() {
	if l.bytes > 0 {
		l.budget.give(l.holder, l.bytes)
		l.bytes = 0
	}
}

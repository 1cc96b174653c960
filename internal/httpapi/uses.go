package httpapi

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/internal/apikey"
)

// uses notes in the database when keys were used last: each key once in apikey.UseGrain at most,
// and several together. It is safe for concurrent use.
type uses struct {
	write func(ctx context.Context, numbers []int32) error
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	noted   map[int]time.Time // noted is when the use of a key was noted last, by its number
	waiting []int32           // waiting are the keys to write
	running bool              // running says that a goroutine writes
}

func newUses(k keys, log *slog.Logger) *uses {
	return &uses{write: k.Use, now: time.Now, log: log, noted: map[int]time.Time{}}
}

// note notes that a key is used now. It does not wait for the database.
func (u *uses) note(no int) {
	now := u.now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if at, noted := u.noted[no]; noted && now.Sub(at) < apikey.UseGrain {
		return
	}
	if len(u.noted) >= maxAllowances {
		clear(u.noted)
	}
	u.noted[no] = now
	u.waiting = append(u.waiting, int32(no))
	if !u.running {
		u.running = true
		go u.run()
	}
}

// run writes until nothing waits. A use that cannot be written, as on a database that is read-only,
// is forgotten: the key is noted again by a request of a minute later.
func (u *uses) run() {
	for numbers := u.next(); numbers != nil; numbers = u.next() {
		const patience = 5 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := u.write(ctx, numbers); err != nil {
			u.log.DebugContext(ctx, "last use of keys not written", "component", "http", "error", err)
		}
		cancel()
	}
}

// next returns the keys to write, and notes that run ends if there are none.
func (u *uses) next() []int32 {
	u.mu.Lock()
	defer u.mu.Unlock()
	numbers := u.waiting
	u.waiting, u.running = nil, len(numbers) > 0
	return numbers
}

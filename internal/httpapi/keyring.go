package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// keyring finds keys by their secrets. What a key may do is read from the database for each
// request, so that a revoked key is of no use from then on. A secret that is not known costs no
// query of its own: such secrets are looked up together, by at most lookupRate queries a second,
// and one that is unknown is remembered for a while. Safe for concurrent use.
type keyring struct {
	keys finder
	pace *rate.Limiter // of the queries for secrets that are not known

	mu      sync.Mutex
	seen    map[digest]checked   // keys that were found
	wrong   map[digest]time.Time // secrets that are unknown, and when that was found
	waiting map[digest]*lookup   // what the next query asks for
	running bool                 // a goroutine asks
}

// finder finds keys by secrets: those of keys, or of sessions that people began with keys.
type finder interface {
	Find(ctx context.Context, secret string) (key, bool, error)
	FindAll(ctx context.Context, hashes [][]byte) (map[digest]key, error)
}

// checked is a key as it was at a time.
type checked struct {
	key key
	at  time.Time
}

// lookup is a secret that is being looked up. key, known and err are set when done is closed.
type lookup struct {
	done  chan struct{}
	key   key
	known bool
	err   error
}

const (
	lookupRate  = 10               // queries a second for secrets that are not known
	lookupBurst = 10               // queries that may come at once
	lookupSize  = 256              // secrets that a query asks for
	maxWaiting  = 1024             // secrets that wait for one
	maxSecrets  = 4096             // secrets that are remembered as seen, and as unknown
	wrongFor    = 10 * time.Second // for how long a secret is remembered as unknown
	longestKey  = 256              // bytes of a secret; any that is longer is unknown
)

// errCrowded says that too many unknown secrets wait to be looked up.
var errCrowded = errors.New("too many unknown keys wait to be looked up")

func newKeyring(k finder) *keyring {
	return &keyring{
		keys: k, pace: rate.NewLimiter(lookupRate, lookupBurst),
		seen: map[digest]checked{}, wrong: map[digest]time.Time{}, waiting: map[digest]*lookup{},
	}
}

// recall returns a key as it was when it was last found. It may be revoked by now.
func (k *keyring) recall(secret string) (checked, bool) {
	if len(secret) > longestKey {
		return checked{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	c, known := k.seen[sha256.Sum256([]byte(secret))]
	return c, known
}

// find returns the key with a secret, and whether there is one that is not revoked. It may return
// errCrowded.
func (k *keyring) find(ctx context.Context, secret string) (key, bool, error) {
	if len(secret) > longestKey {
		return key{}, false, nil
	}
	h := sha256.Sum256([]byte(secret))
	k.mu.Lock()
	if _, known := k.seen[h]; known {
		k.mu.Unlock()
		return k.again(ctx, h, secret)
	}
	if at, wrong := k.wrong[h]; wrong && time.Since(at) < wrongFor {
		k.mu.Unlock()
		return key{}, false, nil
	}
	l := k.waiting[h]
	if l == nil {
		if len(k.waiting) >= maxWaiting {
			k.mu.Unlock()
			return key{}, false, errCrowded
		}
		l = &lookup{done: make(chan struct{})}
		k.waiting[h] = l
	}
	if !k.running {
		k.running = true
		go k.run() //nolint:gosec // it works for many requests, and outlives this one
	}
	k.mu.Unlock()
	select {
	case <-l.done:
		return l.key, l.known, l.err
	case <-ctx.Done():
		return key{}, false, ctx.Err()
	}
}

// again reads a key that was seen before.
func (k *keyring) again(ctx context.Context, h digest, secret string) (key, bool, error) {
	found, known, err := k.keys.Find(ctx, secret)
	if err != nil {
		return key{}, false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.note(h, found, known)
	return found, known, nil
}

// note remembers what became of a secret.
func (k *keyring) note(h digest, found key, known bool) {
	now := time.Now()
	if !known {
		delete(k.seen, h)
		forget(k.wrong)
		k.wrong[h] = now
		return
	}
	if _, seen := k.seen[h]; !seen {
		forget(k.seen)
	}
	k.seen[h] = checked{found, now}
}

// forget makes room in a map that is full. What is forgotten is looked up again.
func forget[V any](m map[digest]V) {
	for h := range m {
		if len(m) < maxSecrets {
			return
		}
		delete(m, h)
	}
}

// run asks until nothing waits.
func (k *keyring) run() {
	for k.goesOn() {
		_ = k.pace.Wait(context.Background()) // it has no deadline to miss
		k.ask(k.next())
	}
}

// goesOn reports whether anything waits, and notes that run ends if nothing does.
func (k *keyring) goesOn() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running = len(k.waiting) > 0
	return k.running
}

// next returns what the next query asks for.
func (k *keyring) next() map[digest]*lookup {
	k.mu.Lock()
	defer k.mu.Unlock()
	batch := map[digest]*lookup{}
	for h, l := range k.waiting {
		if len(batch) == lookupSize {
			break
		}
		batch[h] = l
		delete(k.waiting, h)
	}
	return batch
}

// ask looks secrets up.
func (k *keyring) ask(batch map[digest]*lookup) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	hashes := make([][]byte, 0, len(batch))
	for h := range batch {
		hashes = append(hashes, slices.Clone(h[:]))
	}
	found, err := k.keys.FindAll(ctx, hashes)
	k.mu.Lock()
	defer k.mu.Unlock()
	for h, l := range batch {
		if l.err = err; err == nil {
			l.key, l.known = found[h]
			k.note(h, l.key, l.known)
		}
		close(l.done)
	}
}

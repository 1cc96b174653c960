// Package apikey creates, finds and revokes the keys of the HTTP API.
package apikey

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// The kinds of keys. A write key may only send events, so that it can be used in a browser. A
// server key may also merge known users. A read key may read everything and change nothing. A
// support key may read what is about one user or bucket, without e-mail addresses and most values
// of properties. An admin key may do everything.
const (
	Write   = "write"
	Server  = "server"
	Read    = "read"
	Support = "support"
	Admin   = "admin"
)

// Key is an API key without its secret, which only its owner knows.
type Key struct {
	No        int        `json:"no"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Rate      int        `json:"rate,omitempty"` // events, or requests, a second; 0: no limit
	CreatedAt time.Time  `json:"createdAt"`
	RevokedAt *time.Time `json:"revokedAt,omitempty"`
	UsedAt    *time.Time `json:"usedAt,omitempty"` // UsedAt is when it was used last, to within a minute or so; nil: never
	Secret    string     `json:"key,omitempty"`    // Secret is set only when the key was just created
}

// Trusted reports whether requests with the key may merge two known users.
func (k Key) Trusted() bool { return k.Kind == Server || k.Kind == Admin }

// Store holds the keys of a database.
type Store struct {
	Pool   *pgxpool.Pool
	Schema string
}

func (s Store) queries() *db.Queries { return store.QueriesIn(s.Pool, s.Schema) }

// Create creates a key and returns it with its secret.
func (s Store) Create(ctx context.Context, name, kind string, rate int) (Key, error) {
	made := Key{Name: name, Kind: kind, Rate: rate, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
	made.Secret = "bg_" + kind + "_" + rand.Text() // more than 128 random bits
	p := db.KeysCreateParams{Name: name, Kind: kind, Hash: hash(made.Secret), Now: store.Timestamp(made.CreatedAt)}
	if rate > 0 {
		limit := int32(rate)
		p.Rate = &limit
	}
	no, err := s.queries().KeysCreate(ctx, p)
	if err != nil {
		return Key{}, fmt.Errorf("create a key: %w", err)
	}
	made.No = int(no)
	return made, nil
}

// Find returns the key with a secret, and whether there is one that is not revoked.
func (s Store) Find(ctx context.Context, secret string) (Key, bool, error) {
	row, err := s.queries().KeysOf(ctx, hash(secret))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Key{}, false, nil
	case err != nil:
		return Key{}, false, fmt.Errorf("look up a key: %w", err)
	}
	found := Key{No: int(row.No), Name: row.Name, Kind: row.Kind}
	if row.Rate != nil {
		found.Rate = int(*row.Rate)
	}
	return found, true, nil
}

// FindAll returns the keys with the given hashes that are not revoked.
func (s Store) FindAll(ctx context.Context, hashes [][]byte) (map[Digest]Key, error) {
	rows, err := s.queries().KeysOfMany(ctx, hashes)
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	found := make(map[Digest]Key, len(rows))
	for _, row := range rows {
		one := Key{No: int(row.No), Name: row.Name, Kind: row.Kind}
		if row.Rate != nil {
			one.Rate = int(*row.Rate)
		}
		found[Digest(row.Hash)] = one
	}
	return found, nil
}

// Live returns the numbers whose keys are not revoked.
func (s Store) Live(ctx context.Context, numbers []int32) ([]int32, error) {
	live, err := s.queries().KeysLive(ctx, numbers)
	if err != nil {
		return nil, fmt.Errorf("look up revoked keys: %w", err)
	}
	return live, nil
}

// All returns all keys, including revoked ones.
func (s Store) All(ctx context.Context) ([]Key, error) {
	rows, err := s.queries().KeysAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the keys: %w", err)
	}
	all := make([]Key, len(rows))
	for i, row := range rows {
		all[i] = Key{No: int(row.No), Name: row.Name, Kind: row.Kind, CreatedAt: row.CreatedAt.Time.UTC()}
		if row.Rate != nil {
			all[i].Rate = int(*row.Rate)
		}
		if row.RevokedAt.Valid {
			at := row.RevokedAt.Time.UTC()
			all[i].RevokedAt = &at
		}
		if row.UsedAt.Valid {
			at := row.UsedAt.Time.UTC()
			all[i].UsedAt = &at
		}
	}
	return all, nil
}

// Revoke revokes a key by its number, or all keys of a name, and returns how many there were. Every
// process refuses them from then on.
func (s Store) Revoke(ctx context.Context, which string) (int64, error) {
	p := db.KeysRevokeParams{Now: store.Timestamp(time.Now())}
	if no, err := strconv.ParseInt(which, 10, 32); err == nil {
		number := int32(no)
		p.No = &number
	} else {
		p.Name = &which
	}
	n, err := s.queries().KeysRevoke(ctx, p)
	if err != nil {
		return 0, fmt.Errorf("revoke a key: %w", err)
	}
	return n, nil
}

// UseGrain is how often the last use of a key is written.
const UseGrain = time.Minute

// Use notes that the keys with some numbers were used, unless another process did so within
// [UseGrain].
func (s Store) Use(ctx context.Context, numbers []int32) error {
	now := time.Now()
	err := s.queries().KeysUse(ctx, db.KeysUseParams{Now: store.Timestamp(now), Numbers: numbers, Before: store.Timestamp(now.Add(-UseGrain))})
	if err != nil {
		return fmt.Errorf("note the use of keys: %w", err)
	}
	return nil
}

// Digest is the hash of a secret, which the database has in place of it.
type Digest = [sha256.Size]byte

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Package session keeps the sessions of people who signed in with an API key in a browser.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/store"
)

const (
	// Idle is how long a session lasts after its last request.
	Idle = 12 * time.Hour

	// Longest is how long a session lasts at most.
	Longest = 7 * 24 * time.Hour

	// Offered is how long the offer of a session lasts.
	Offered = time.Minute

	// grain is how often the time of the last request is written.
	grain = time.Minute
)

// Store holds the sessions of a database. Safe for concurrent use.
type Store struct {
	Pool   *pgxpool.Pool
	Schema string
	Now    func() time.Time // Now is the clock by which sessions end
}

// Begin begins a session of a key and returns its secret, which is the value of the cookie.
func (s Store) Begin(ctx context.Context, keyNo int) (string, error) {
	return s.insert(ctx, keyNo, false)
}

// Offer offers a session of a key to the first caller of [Store.Take] with the secret that it
// returns. The offer lasts a minute.
func (s Store) Offer(ctx context.Context, keyNo int) (string, error) {
	return s.insert(ctx, keyNo, true)
}

func (s Store) insert(ctx context.Context, keyNo int, offer bool) (string, error) {
	secret, now := rand.Text(), s.Now() // more than 128 random bits
	err := s.queries().SessionsBegin(ctx, db.SessionsBeginParams{
		Hash: hash(secret), KeyNo: int32(keyNo), Offer: offer, Now: store.Timestamp(now), IdleSince: store.Timestamp(now.Add(-Idle)),
		BegunBefore: store.Timestamp(now.Add(-Longest)), OfferedBefore: store.Timestamp(now.Add(-Offered)),
	})
	if err != nil {
		return "", fmt.Errorf("begin a session: %w", err)
	}
	return secret, nil
}

// Take takes an offer and returns its key, and whether there was such an offer. An offer is taken
// once.
func (s Store) Take(ctx context.Context, secret string) (apikey.Key, bool, error) {
	row, err := s.queries().SessionsTake(ctx, db.SessionsTakeParams{Hash: hash(secret), OfferedSince: store.Timestamp(s.Now().Add(-Offered))})
	return found(row, err)
}

// Find returns the key of a session, and whether there is a session with the secret that has not
// ended. It counts as a request of the session, which is written once a minute. Where that fails,
// as on a database that takes no writes, the session is found all the same, and at worst ends
// early.
func (s Store) Find(ctx context.Context, secret string) (apikey.Key, bool, error) {
	now := s.Now()
	row, err := s.queries().SessionsOf(ctx, db.SessionsOfParams{
		Hash: hash(secret), IdleSince: store.Timestamp(now.Add(-Idle)), BegunSince: store.Timestamp(now.Add(-Longest)),
	})
	if err == nil && row.SeenAt.Time.Before(now.Add(-grain)) {
		_ = s.queries().SessionsSee(ctx, db.SessionsSeeParams{Hash: hash(secret), Now: store.Timestamp(now)})
	}
	return found(db.SessionsTakeRow{No: row.No, Name: row.Name, Kind: row.Kind, Rate: row.Rate}, err)
}

// FindAll returns the keys of the sessions with the given hashes that have not ended.
func (s Store) FindAll(ctx context.Context, hashes [][]byte) (map[apikey.Digest]apikey.Key, error) {
	now := s.Now()
	rows, err := s.queries().SessionsOfMany(ctx, db.SessionsOfManyParams{
		Hashes: hashes, IdleSince: store.Timestamp(now.Add(-Idle)), BegunSince: store.Timestamp(now.Add(-Longest)),
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	all := make(map[apikey.Digest]apikey.Key, len(rows))
	for _, row := range rows {
		all[apikey.Digest(row.Hash)] = key(db.SessionsTakeRow{No: row.No, Name: row.Name, Kind: row.Kind, Rate: row.Rate})
	}
	return all, nil
}

// End ends a session. Ending one that has ended does nothing.
func (s Store) End(ctx context.Context, secret string) error {
	if err := s.queries().SessionsEnd(ctx, hash(secret)); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

func (s Store) queries() *db.Queries { return store.QueriesIn(s.Pool, s.Schema) }

// found returns what a query for one session found.
func found(row db.SessionsTakeRow, err error) (apikey.Key, bool, error) {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return apikey.Key{}, false, nil
	case err != nil:
		return apikey.Key{}, false, fmt.Errorf("read a session: %w", err)
	}
	return key(row), true, nil
}

func key(row db.SessionsTakeRow) apikey.Key {
	k := apikey.Key{No: int(row.No), Name: row.Name, Kind: row.Kind}
	if row.Rate != nil {
		k.Rate = int(*row.Rate)
	}
	return k
}

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

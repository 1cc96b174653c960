package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// Suppressor hashes ids under a secret that is not in the database. It is safe for concurrent use.
type Suppressor struct{ pool sync.Pool }

// NewSuppressor returns a suppressor with a secret.
func NewSuppressor(secret string) *Suppressor {
	return &Suppressor{sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(secret)) }}}
}

// Hash returns the hash of an id of a kind.
func (s *Suppressor) Hash(kind, value string) []byte {
	mac := s.pool.Get().(hash.Hash) //nolint:forcetypeassert // nothing else is in the pool
	defer s.pool.Put(mac)
	mac.Reset()
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return mac.Sum(make([]byte, 0, sha256.Size))
}

// UserKind is the kind of the ids that the host gives to users.
const UserKind = "user"

// NameKind returns the kind and the value of the id that a name of a contact stands for.
func NameKind(name string) (kind, value string) { return resolve.Parse(name) }

// hashes returns the hashes of users, or nil if ids are not suppressed.
func (s *Store) hashes(users []string) [][]byte {
	if s.Suppressor == nil {
		return nil
	}
	all := make([][]byte, len(users))
	for i, user := range users {
		all[i] = s.hash(user)
	}
	return all
}

// hash returns the hash of a user, or nil if ids are not suppressed.
func (s *Store) hash(user string) []byte {
	if s.Suppressor == nil {
		return nil
	}
	return s.Suppressor.Hash(NameKind(user))
}

// errErased says that a user was erased while the transaction created them. The next attempt sees
// that.
var errErased = errors.New("a user was erased meanwhile")

// addCreated notes that the transaction made the contact of a user.
func (ld *Loaded) addCreated(row db.ContactsCreateRow) {
	u := ld.users[row.UserID]
	u.created, u.life = true, row.Life
}

// addSuppression notes what is known of a user whom the cache does not have. It says nothing about
// one who has a contact from before.
func (ld *Loaded) addSuppression(row db.SuppressionsOfRow) {
	u := ld.users[row.UserID]
	u.suppressed = row.Suppressed
	if u.created && (row.Suppressed || u.life != row.Lives+1) {
		ld.erased = true
	}
}

// SuppressedOf returns those of some ids, by their names, that lead nowhere and that persons had
// who were erased and may not come back.
func (s *Store) SuppressedOf(ctx context.Context, conn db.DBTX, names []string) (map[string]bool, error) {
	if s.Suppressor == nil || len(names) == 0 {
		return nil, nil //nolint:nilnil // a nil map has nothing
	}
	rows, err := s.Queries(conn).SuppressionsOf(ctx, db.SuppressionsOfParams{UserIds: names, Hashes: s.hashes(names)})
	if err != nil {
		return nil, fmt.Errorf("read which ids are suppressed: %w", err)
	}
	found := make(map[string]bool, len(rows))
	for _, row := range rows {
		found[row.UserID] = row.Suppressed
	}
	return found, nil
}

// Suppressed reports whether a user has no contact and gets none, because a person of that id was
// erased.
func (ld *Loaded) Suppressed(name string) bool {
	u := ld.users[name]
	return u.suppressed && u.contact == nil
}

// lifeOf returns the life of a user as decisions have it: 0 for the first.
func lifeOf(life int32) int {
	if life <= 1 {
		return 0
	}
	return int(life)
}

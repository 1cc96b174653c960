package erase

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Suppression returns what is known of an id. One of which nothing is known is not suppressed.
func (e *Eraser) Suppression(ctx context.Context, kind, id string) (bucketgen.Suppression, error) {
	hash := e.Store.Suppressor.Hash(kind, id)
	row, err := e.queries().SuppressionsGet(ctx, hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return bucketgen.Suppression{Hash: hex.EncodeToString(hash), Kind: kind}, nil
	}
	return suppression(db.BucketgenSuppression{Hash: hash, Kind: row.Kind, Suppressed: row.Suppressed, Lives: row.Lives, At: row.At}), err
}

// Set refuses an id of which there is no user, or lets it in again.
func (e *Eraser) Set(ctx context.Context, kind, id string, refuse bool) error {
	if refuse {
		there, err := e.queries().EraseFind(ctx, resolve.Name(kind, id))
		if err != nil {
			return err
		}
		if len(there) > 0 {
			return &bucketgen.InvalidError{Field: "id", Problem: "is that of a user, whom a suppression does not concern; erase and suppress the user"}
		}
	}
	return e.queries().SuppressionsSet(ctx, db.SuppressionsSetParams{
		Hash: e.Store.Suppressor.Hash(kind, id), Kind: kind, Suppressed: refuse, At: e.timestamp(),
	})
}

// page is how many hashes or users are read at once.
const page = 500

// Suppressions goes through all hashes, that of the secret among them.
func (e *Eraser) Suppressions(ctx context.Context) iter.Seq2[bucketgen.Suppression, error] {
	return func(yield func(bucketgen.Suppression, error) bool) {
		after := []byte{}
		for {
			rows, err := e.queries().SuppressionsPage(ctx, db.SuppressionsPageParams{After: after, Size: page})
			if err != nil {
				yield(bucketgen.Suppression{}, err)
				return
			}
			for _, row := range rows {
				if !yield(suppression(row), nil) {
					return
				}
				after = row.Hash
			}
			if len(rows) < page {
				return
			}
		}
	}
}

// Import adds hashes that were exported from this database, or from one of which it is a copy. Then
// it erases users who were erased there, and are here because the copy is from before that. It
// returns how many.
func (e *Eraser) Import(ctx context.Context, attempts *retry.Attempts, all iter.Seq2[bucketgen.Suppression, error]) (erased int, err error) {
	var p db.SuppressionsImportParams
	flush := func() error {
		defer func() { p = db.SuppressionsImportParams{} }()
		if len(p.Hashes) == 0 {
			return nil
		}
		return e.queries().SuppressionsImport(ctx, p)
	}
	own := e.Store.Suppressor.Hash("", "")
	for s, err := range all {
		if err != nil {
			return 0, err
		}
		hash, err := hex.DecodeString(s.Hash)
		switch {
		case err != nil || len(hash) != len(own):
			return 0, &bucketgen.InvalidError{Field: "hash", Problem: fmt.Sprintf("is %q; it must have %d hexadecimal digits", s.Hash, 2*len(own))}
		case s.Kind == "" && string(hash) != string(own):
			return 0, errSecretDiffers
		case s.Kind == "":
			continue
		}
		p.Hashes, p.Kinds, p.Suppressed = append(p.Hashes, hash), append(p.Kinds, s.Kind), append(p.Suppressed, s.Suppressed)
		p.Lives, p.Ats = append(p.Lives, int32(s.Lives)), append(p.Ats, store.Timestamp(s.At))
		if len(p.Hashes) == page {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	if err := flush(); err != nil {
		return 0, err
	}
	return e.eraseOverdue(ctx, attempts)
}

// eraseOverdue erases the users who were erased in another copy of the database.
func (e *Eraser) eraseOverdue(ctx context.Context, attempts *retry.Attempts) (erased int, err error) {
	for after := int64(0); ; {
		users, err := e.queries().ContactsPage(ctx, db.ContactsPageParams{AfterID: after, Size: page})
		if err != nil || len(users) == 0 {
			return erased, err
		}
		var p db.SuppressionsOverdueParams
		for _, u := range users {
			p.Ids, p.Hashes = append(p.Ids, u.ID), append(p.Hashes, e.Store.Suppressor.Hash(store.NameKind(u.UserID)))
		}
		overdue, err := e.queries().SuppressionsOverdue(ctx, p)
		if err != nil {
			return erased, err
		}
		for _, u := range overdue {
			kind, id := store.NameKind(u.UserID)
			_, err := e.Erase(ctx, attempts, id, bucketgen.EraseOptions{Kind: kind, Suppress: u.Suppressed})
			switch {
			case errors.Is(err, bucketgen.ErrUnknownUser): // with another id of the person
			case err != nil:
				return erased, err
			default:
				erased++
			}
		}
		after = users[len(users)-1].ID
	}
}

func (e *Eraser) queries() *db.Queries { return e.Store.Queries(e.Pool) }

func suppression(row db.BucketgenSuppression) bucketgen.Suppression {
	return bucketgen.Suppression{
		Hash: hex.EncodeToString(row.Hash), Kind: row.Kind, Suppressed: row.Suppressed, Lives: int(row.Lives), At: row.At.Time.UTC(),
	}
}

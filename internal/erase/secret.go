package erase

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// The errors of a process whose secret cannot be right.
var (
	errSecretMissing = errors.New("the database has suppressed ids, which this process cannot recognize: " +
		"set engine.Config.SuppressionSecret to the secret of the other processes")
	errSecretDiffers = errors.New("engine.Config.SuppressionSecret is not the secret by which ids were suppressed in this database; " +
		"set that one")
)

// CheckSecret returns an error if a process with a suppressor, or none, would let suppressed ids
// in.
func CheckSecret(ctx context.Context, q *db.Queries, s *store.Suppressor, now time.Time) error {
	if s == nil {
		there, err := q.SuppressionsAny(ctx)
		if err == nil && there {
			return errSecretMissing
		}
		return err
	}
	own := s.Hash("", "")
	noted, err := q.SuppressionsCheck(ctx, db.SuppressionsCheckParams{Hash: own, At: store.Timestamp(now)})
	switch {
	case err != nil:
		return fmt.Errorf("check the suppression secret: %w", err)
	case !bytes.Equal(noted, own):
		return errSecretDiffers
	default:
		return nil
	}
}

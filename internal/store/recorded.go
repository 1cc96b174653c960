package store

import (
	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// Recorded returns a row of the log of transitions as callers see it. The bucket need not be one
// that the process knows.
func Recorded(row db.BucketgenTransition, bucketID, bucketName, userID string, email *string) bucketgen.Transition {
	return bucketgen.Transition{
		BucketID: bucketID, BucketName: bucketName, UserID: resolve.Shown(userID), UserEmail: orEmpty(email),
		Kind: bucketgen.Kind(row.Kind), Source: bucketgen.Source(row.Source), EntryCount: int(row.EntryCount),
		MembershipID: row.MembershipID, Reason: bucketgen.Reason(orEmpty(row.Reason)), Tick: row.Tick,
		DwellCount: int(row.DwellCount), At: row.At.Time.UTC(), DecidedAt: row.DecidedAt.Time.UTC(),
		Suppressed: row.Suppressed, Life: lifeOf(row.Life),
	}
}

// orEmpty returns a text that may be null, as the empty one.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

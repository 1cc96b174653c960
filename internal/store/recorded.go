package store

import (
	"encoding/json"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// Recorded returns a row of the log of transitions as callers see it. The bucket need not be one
// that the process knows; userID is the name of the user. Of a notice, see [Noticed], it only says
// what is common to both.
func Recorded(row db.BucketgenTransition, bucketID, bucketName, userID string, email *string) bucketgen.Transition {
	if row.Notice != nil {
		return bucketgen.Transition{
			Kind: bucketgen.Kind(row.Kind), Source: bucketgen.Source(row.Source), MembershipID: row.MembershipID,
			At: row.At.Time.UTC(), DecidedAt: row.DecidedAt.Time.UTC(),
		}
	}
	t := bucketgen.Transition{
		BucketID: bucketID, BucketName: bucketName, UserEmail: orEmpty(email),
		Kind: bucketgen.Kind(row.Kind), Source: bucketgen.Source(row.Source), EntryCount: int(row.EntryCount),
		MembershipID: row.MembershipID, Reason: bucketgen.Reason(orEmpty(row.Reason)), Tick: row.Tick,
		DwellCount: int(row.DwellCount), At: row.At.Time.UTC(), DecidedAt: row.DecidedAt.Time.UTC(),
		Suppressed: row.Suppressed, Life: lifeOf(row.Life), NameKind: orEmpty(row.NameKind), EnteredAs: EnteredAs(row.EnteredAs),
	}
	t.UserID, t.AnonymousID, t.IDs = resolve.Split(userID)
	return t
}

// EnteredAs returns the id by which the user went when a stay began, if that is another now.
func EnteredAs(name *string) *bucketgen.ID {
	if name == nil {
		return nil
	}
	return new(idOf(*name))
}

func idOf(name string) bucketgen.ID {
	kind, value := resolve.Public(name)
	return bucketgen.ID{Kind: kind, Value: value}
}

// Noticed returns the notice in a row of the log of transitions: nil if it is a transition.
func Noticed(row *db.BucketgenTransition) *bucketgen.Notice {
	if row.Notice == nil {
		return nil
	}
	var of struct {
		From  string   `json:"from"`
		Into  string   `json:"into"`
		Names []string `json:"names"`
	}
	_ = json.Unmarshal(row.Notice, &of) // an engine wrote it
	n := &bucketgen.Notice{At: row.At.Time.UTC()}
	if of.From != "" {
		n.From, n.Into = new(idOf(of.From)), new(idOf(of.Into))
	}
	for _, name := range of.Names {
		n.IDs = append(n.IDs, idOf(name))
	}
	return n
}

// orEmpty returns a text that may be null, as the empty one.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

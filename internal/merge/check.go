package merge

import (
	"context"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// present returns an error if the contacts are not there to become one.
func (m *merging) present(loaded *store.Loaded, both []*transact.Task) error {
	for _, t := range both {
		switch user := t.Want.User; {
		case loaded.Suppressed(user):
			return bucketgen.ErrSuppressed
		case !loaded.Locked(user) && m.kind == byCaller:
			return errGone
		case !loaded.Locked(user):
			return ErrMoved
		}
	}
	if m.kind != promotion && !loaded.Deployment().Agreed { // a process with other definitions does not know which data of users to derive anew
		return bucketgen.ErrNotDeployed
	}
	return nil
}

// allowed returns an error if two contacts that are there must not become one.
func (m *merging) allowed(ctx context.Context, loaded *store.Loaded, both []*transact.Task) error {
	for _, t := range both {
		if loaded.Deleted(t.Want.User) {
			return bucketgen.ErrDeleted
		}
	}
	switch {
	case m.kind == promotion: // no row moves
		return nil
	case resolve.IsShared(m.from) && m.reclaims == "":
		return &bucketgen.InvalidError{Field: "from", Problem: "is shared by several users, and merges into none"}
	case resolve.IsShared(m.into):
		return &bucketgen.InvalidError{Field: "into", Problem: "is shared by several users, and no user merges into it"}
	case resolve.RankOf(m.from) > resolve.RankOf(m.into):
		return &bucketgen.InvalidError{Field: "into", Problem: "is not as well known as the other; merge them the other way around"}
	}
	if problem, exceeds := m.Limits.Exceeds(loaded.Properties(m.into), loaded.Properties(m.from)); exceeds {
		return &bucketgen.InvalidError{Field: "from", Problem: problem}
	}
	if m.kind == automatic {
		from, into := loaded.Contact(m.from), loaded.Contact(m.into)
		if err := m.checkIDs(ctx, from, into); err != nil {
			return err
		}
		return m.checkNumber(ctx, into)
	}
	return nil
}

package server

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
)

// What the checks of ids read at most, and what they count up to.
const (
	oldestContacts = 100_000
	newestMerges   = 1_000_000
	mostIDs        = 1000
)

// idFacts returns what the checks of ids report. They share one statement.
func (x *examination) idFacts(ctx context.Context) (*db.IdentitiesFactsRow, error) {
	if x.names != nil {
		return x.names, nil
	}
	row, err := store.QueriesIn(x.database.pool, x.schema).IdentitiesFacts(ctx, db.IdentitiesFactsParams{
		Oldest: oldestContacts, Blanks: blanks(), Size: mostIDs,
		Since: store.Timestamp(x.engine.Now().Add(-resolve.AutomaticSpan)), Newest: newestMerges, Most: resolve.MaxAutomatic,
	})
	if err != nil {
		return nil, err
	}
	x.names = &row
	return x.names, nil
}

// blanks returns what is trimmed from around ids.
func blanks() string {
	var all strings.Builder
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if unicode.IsSpace(r) {
			all.WriteRune(r)
		}
	}
	return all.String()
}

// ids reports ids that are stored as no event writes them.
func (x *examination) ids(ctx context.Context) finding {
	facts, err := x.idFacts(ctx)
	switch {
	case err != nil:
		return failed("", "%v", err)
	case len(facts.Unclean) > 0:
		return warning("send what you need of them again by the id as events have it",
			"%s with blanks around or an e-mail address with capitals, which no event reaches: %s", upTo(facts.Unclean, "id"), someIDs(facts.Unclean))
	}
	return fine("no id has blanks around or is an e-mail address with capitals, of the %d oldest", oldestContacts)
}

// merges reports contacts that no more contacts become by the ids of events.
func (x *examination) merges(ctx context.Context) finding {
	limit := fmt.Sprintf("the limit of %d merges by ids of events within %.0f h", resolve.MaxAutomatic, resolve.AutomaticSpan.Hours())
	facts, err := x.idFacts(ctx)
	switch {
	case err != nil:
		return failed("", "%v", err)
	case len(facts.Stopped) > 0:
		return warning(fmt.Sprintf("find the sender that gives many people one id, and block that id (engine.Config.BlockedIDs), or merge by %s merge", x.host.Name),
			"%s reached %s: %s", upTo(facts.Stopped, "contact"), limit, someIDs(facts.Stopped))
	}
	return fine("no contact reached %s", limit)
}

// shared says how many ids merge with nothing.
func (x *examination) shared(ctx context.Context) finding {
	facts, err := x.idFacts(ctx)
	switch {
	case err != nil:
		return failed("", "%v", err)
	case len(facts.Shared) == 0:
		return fine("no id is shared")
	}
	return fine("%s shared or unlinked: %s", upTo(facts.Shared, "id"), someIDs(facts.Shared))
}

// upTo says how many names there are, of which at most mostIDs were read.
func upTo(names []string, one string) string {
	if len(names) >= mostIDs {
		return fmt.Sprintf("%d %ss or more", len(names), one)
	}
	return count(int64(len(names)), one)
}

// someIDs lists the first of some names as people read them, with the blanks around them.
func someIDs(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		kind, value := resolve.Public(name)
		if all[i] = fmt.Sprintf("%q", value); kind != engine.KindUser {
			all[i] = kind + ":" + all[i]
		}
	}
	return some(all, ", ")
}

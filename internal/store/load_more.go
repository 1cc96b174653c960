package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// moreFacts is a list of what is read beyond what is always read: facts, latest stays in buckets,
// and last changes of properties.
type moreFacts struct {
	needs      []userNeed
	stays      []userStay
	properties []userProperty
	lastEvents []string           // lastEvents are users whose last event is asked for
	cached     *usercache.History // cached has facts that are not asked for; nil: none
}

type userNeed struct {
	table.Need
	user string
}

type userStay struct {
	user   string
	bucket table.BucketIndex
}

// userProperty is a property of a user.
type userProperty struct {
	user     string
	property table.PropertyIndex
}

// need and stay add something once, provided that all that is added for one user comes in a row.
func (m *moreFacts) need(user string, needs ...table.Need) {
	for _, n := range needs {
		if m.cached != nil && m.cached.Has(n) {
			continue
		}
		if !asked(m.needs, userNeed{n, user}, func(other userNeed) bool { return other.user == user }) {
			m.needs = append(m.needs, userNeed{n, user})
		}
	}
}

// needAt adds facts as of about the present instant.
func (m *moreFacts) needAt(req *Request, needs []table.Need) {
	for _, n := range needs {
		m.need(req.User, n.Later(req.CreatedAt))
	}
}

func (m *moreFacts) stay(user string, buckets ...table.BucketIndex) {
	for _, b := range buckets {
		if !asked(m.stays, userStay{user, b}, func(other userStay) bool { return other.user == user }) {
			m.stays = append(m.stays, userStay{user, b})
		}
	}
}

func (m *moreFacts) property(user string, p table.PropertyIndex) {
	if one := (userProperty{user, p}); !asked(m.properties, one, func(other userProperty) bool { return other.user == user }) {
		m.properties = append(m.properties, one)
	}
}

func asked[T comparable](all []T, one T, own func(T) bool) bool {
	for i := len(all) - 1; i >= 0 && own(all[i]); i-- {
		if all[i] == one {
			return true
		}
	}
	return false
}

// LoadMore reads what sessions lacked, by one round trip.
func (ld *Loaded) LoadMore(ctx context.Context, conn Conn, lacks map[string]decide.Lacks) error {
	var more moreFacts
	for name, l := range lacks {
		more.need(name, l.Facts...)
		more.stay(name, l.Stays...)
		for _, p := range l.Properties {
			more.property(name, p)
		}
		if l.LastEvent {
			more.lastEvents = append(more.lastEvents, name)
		}
	}
	q := ld.store.batch()
	ld.queueMore(q, &more)
	if err := q.Send(ctx, conn); err != nil {
		return fmt.Errorf("read more facts: %w", err)
	}
	return nil
}

// queueMore adds a statement for each kind of fact.
func (ld *Loaded) queueMore(q *pipeline.Batch, m *moreFacts) {
	ld.queueDated(q, m.properties)
	ld.queueLastEvents(q, m.lastEvents)
	if len(m.needs)+len(m.stays) == 0 {
		return // all was cached, as for most users who come again
	}
	var events, occurrences, groups, totals pairs
	var sums sumPairs
	var eventsAround, occurrencesAround pastWindows
	var sequences sequenceFacts
	for _, n := range m.needs {
		if n.Kind >= table.NeedProgress {
			sequences.add(ld, n)
			continue
		}
		row := &ld.store.registry.Signals[n.Signal]
		switch {
		case n.Kind == table.NeedSum:
			sums.add(ld, n)
		case n.Kind == table.NeedPastWindow && row.Plain():
			eventsAround.add(ld, n, ld.store.events[row.Event])
		case n.Kind == table.NeedPastWindow:
			occurrencesAround.add(ld, n, ld.store.signals[n.Signal])
		case n.Kind == table.NeedTotals:
			totals.add(ld, n, ld.store.signals[n.Signal], 0)
		case row.Distinct != table.DistinctNone:
			groups.add(ld, n, ld.store.signals[n.Signal], row.Newest)
		case row.Plain():
			events.add(ld, n, ld.store.events[row.Event], row.Newest)
		default:
			occurrences.add(ld, n, ld.store.signals[n.Signal], row.Newest)
		}
	}
	ld.queueNewest(q, db.EventsNewest, events)
	ld.queueNewest(q, db.OccurrencesNewest, occurrences)
	ld.queueGroups(q, groups)
	ld.queueTotals(q, totals)
	ld.queueSums(q, sums)
	ld.queuePastWindows(q, eventsAround, occurrencesAround)
	ld.queueSequences(q, sequences)
	if len(m.stays) == 0 {
		return
	}
	users, contacts, nos := make([]string, len(m.stays)), make([]int64, len(m.stays)), make([]int32, len(m.stays))
	for i, s := range m.stays {
		users[i], contacts[i], nos[i] = s.user, ld.contactOf(s.user), ld.store.buckets[s.bucket]
	}
	q.Add(db.MembershipsPrior, users, contacts, nos).Query(func(rows pgx.Rows) error {
		err := pipeline.Each(ld.addPrior)(rows)
		for _, s := range m.stays {
			ld.users[s.user].addStay(decide.Stay{Bucket: s.bucket}) // the user was never in it
		}
		return err
	})
}

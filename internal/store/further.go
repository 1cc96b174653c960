package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// queueFurther asks for facts and stays: one statement for each kind that is asked for.
func (f *Facts) queueFurther(q *queue, m *further) {
	f.queueDated(q, m.properties)
	if len(m.needs)+len(m.stays) == 0 {
		return // as is usual where users come again and again
	}
	var events, occurrences, groups, totals pairs
	var sums sumPairs
	var eventsAround, occurrencesAround stretchPairs
	var sequences sequenceFacts
	for _, n := range m.needs {
		if n.Kind >= registry.NeedProgress {
			sequences.add(f, n)
			continue
		}
		row := &f.store.registry.Signals[n.Signal]
		switch {
		case n.Kind == registry.NeedSum:
			sums.add(f, n)
		case n.Kind == registry.NeedStretch && row.Plain():
			eventsAround.add(f, n, f.store.events[row.Event])
		case n.Kind == registry.NeedStretch:
			occurrencesAround.add(f, n, f.store.signals[n.Signal])
		case n.Kind == registry.NeedTotals:
			totals.add(f, n, f.store.signals[n.Signal], 0)
		case row.Distinct != registry.DistinctNone:
			groups.add(f, n, f.store.signals[n.Signal], row.Newest)
		case row.Plain():
			events.add(f, n, f.store.events[row.Event], row.Newest)
		default:
			occurrences.add(f, n, f.store.signals[n.Signal], row.Newest)
		}
	}
	f.queueNewest(q, db.EventsNewest, events)
	f.queueNewest(q, db.OccurrencesNewest, occurrences)
	f.queueGroups(q, groups)
	f.queueTotals(q, totals)
	f.queueSums(q, sums)
	f.queueStretches(q, eventsAround, occurrencesAround)
	f.queueSequences(q, sequences)
	if len(m.stays) == 0 {
		return
	}
	users, contacts, nos := make([]string, len(m.stays)), make([]int64, len(m.stays)), make([]int32, len(m.stays))
	for i, s := range m.stays {
		users[i], contacts[i], nos[i] = s.user, f.contactOf(s.user), f.store.buckets[s.bucket]
	}
	q.add(db.MembershipsPrior, users, contacts, nos).Query(func(rows pgx.Rows) error {
		err := each(f.addPrior)(rows)
		for _, s := range m.stays {
			f.users[s.user].addStay(decide.Stay{Bucket: s.bucket}) // if there was no other
		}
		return err
	})
}

// pairs are users with the numbers of signals or events that something is asked of.
type pairs struct {
	users    []string
	contacts []int64
	nos      []int32
	most     []int32
	facts    map[pair]*fact
}

type pair struct {
	user string
	no   int32
}

// fact is what is read of a user and a signal.
type fact struct {
	signal registry.Signal
	newest []registry.Dated
	total  registry.Total
}

// add asks for a fact of a user, who learns it.
func (p *pairs) add(f *Facts, n userNeed, no int32, most int) {
	read := &fact{signal: n.Signal, total: registry.NoTotal}
	if p.facts == nil {
		p.facts = map[pair]*fact{}
	}
	p.facts[pair{n.user, no}] = read
	p.users, p.contacts = append(p.users, n.user), append(p.contacts, f.contactOf(n.user))
	p.nos, p.most = append(p.nos, no), append(p.most, int32(most))
	tell := func(facts *registry.Facts) { facts.SetNewest(read.signal, slices.Clone(read.newest)) }
	if n.Kind == registry.NeedTotals {
		tell = func(facts *registry.Facts) { facts.SetTotal(read.signal, read.total) }
	}
	u := f.users[n.user]
	u.learnt = append(u.learnt, tell)
}

func (f *Facts) queueNewest(q *queue, sql string, p pairs) {
	if len(p.users) == 0 {
		return
	}
	q.add(sql, p.users, p.contacts, p.nos, p.most).Query(each(func(row db.EventsNewestRow) {
		read := p.facts[pair{row.UserID, row.EventNo}]
		read.newest = make([]registry.Dated, len(row.Newest), len(row.Newest)+1)
		for i, t := range row.Newest {
			read.newest[i].At = instant(t)
		}
	}))
}

func (f *Facts) queueGroups(q *queue, p pairs) {
	if len(p.users) == 0 {
		return
	}
	q.add(db.GroupsNewest, p.users, p.contacts, p.nos, p.most).Query(each(func(row db.GroupsNewestRow) {
		read := p.facts[pair{row.UserID, row.SignalNo}]
		read.newest = append(read.newest, registry.Dated{At: instant(row.OccurredAt), Group: row.Name})
	}))
}

func (f *Facts) queueTotals(q *queue, p pairs) {
	if len(p.users) == 0 {
		return
	}
	q.add(db.TotalsOf, p.users, p.contacts, p.nos).Query(tryEach(func(row db.TotalsOfRow) error {
		first, err := value(row.FirstValue)
		last, err2 := value(row.LastValue)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("read the totals of signal %d of user %q: %w", row.SignalNo, row.UserID, err)
		}
		p.facts[pair{row.UserID, row.SignalNo}].total = registry.Total{
			Count: int(row.Count), First: instant(row.FirstAt), Last: instant(row.LastAt), Field: &registry.Ends{First: first, Last: last},
		}
		return nil
	}))
}

// value reads a value that is kept.
func value(raw *string) (registry.Value, error) {
	if raw == nil {
		return registry.Value{}, nil
	}
	return payload.WholeValue([]byte(*raw))
}

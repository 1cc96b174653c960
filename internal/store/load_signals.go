package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/registry/table"
)

// pairs are users with the numbers of signals or events whose facts are read.
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

// fact is what was read of a user and a signal.
type fact struct {
	signal table.SignalIndex
	newest []table.Dated
	total  table.Total
}

// add adds a fact of a user, and its callback to the user.
func (p *pairs) add(ld *Loaded, n userNeed, no int32, most int) {
	read := &fact{signal: n.Signal, total: table.NoTotal}
	if p.facts == nil {
		p.facts = map[pair]*fact{}
	}
	p.facts[pair{n.user, no}] = read
	p.users, p.contacts = append(p.users, n.user), append(p.contacts, ld.contactOf(n.user))
	p.nos, p.most = append(p.nos, no), append(p.most, int32(most))
	apply := func(facts *table.Facts) { facts.SetNewest(read.signal, slices.Clone(read.newest)) }
	if n.Kind == table.NeedTotals {
		apply = func(facts *table.Facts) { facts.SetTotal(read.signal, read.total) }
	}
	u := ld.users[n.user]
	u.apply = append(u.apply, apply)
}

func (ld *Loaded) queueNewest(q *pipeline.Batch, sql string, p pairs) {
	if len(p.users) == 0 {
		return
	}
	q.Add(sql, p.users, p.contacts, p.nos, p.most).Query(pipeline.Each(func(row db.EventsNewestRow) {
		read := p.facts[pair{row.UserID, row.EventNo}]
		read.newest = make([]table.Dated, len(row.Newest), len(row.Newest)+1)
		for i, t := range row.Newest {
			read.newest[i].At = instant(t)
		}
	}))
}

func (ld *Loaded) queueGroups(q *pipeline.Batch, p pairs) {
	if len(p.users) == 0 {
		return
	}
	q.Add(db.GroupsNewest, p.users, p.contacts, p.nos, p.most).Query(pipeline.Each(func(row db.GroupsNewestRow) {
		read := p.facts[pair{row.UserID, row.SignalNo}]
		read.newest = append(read.newest, table.Dated{At: instant(row.OccurredAt), Group: row.Name})
	}))
}

func (ld *Loaded) queueTotals(q *pipeline.Batch, p pairs) {
	if len(p.users) == 0 {
		return
	}
	q.Add(db.TotalsOf, p.users, p.contacts, p.nos).Query(pipeline.TryEach(func(row db.TotalsOfRow) error {
		first, err := value(row.FirstValue)
		last, err2 := value(row.LastValue)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("read the totals of signal %d of user %q: %w", row.SignalNo, row.UserID, err)
		}
		p.facts[pair{row.UserID, row.SignalNo}].total = table.Total{
			Count: int(row.Count), First: instant(row.FirstAt), Last: instant(row.LastAt), Field: &table.Ends{First: first, Last: last},
		}
		return nil
	}))
}

// value parses a stored value.
func value(raw *string) (table.Value, error) {
	if raw == nil {
		return table.Value{}, nil
	}
	return payload.WholeValue([]byte(*raw))
}

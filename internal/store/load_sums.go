package store

import (
	"fmt"
	"math/big"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/registry/table"
)

// sumPairs are the sums that are read.
type sumPairs struct {
	ask   db.SumsOfParams
	facts map[sumKey]*table.Sum
}

type sumKey struct {
	user   string
	no     int32
	window string
}

// A sum is read with this many of the occurrences that leave its window next. If a session needs
// more, the next read has moreOldest times as many.
const (
	fewOldest  = 32
	moreOldest = 16
)

// add adds a sum of a user, and its callback to the user.
func (p *sumPairs) add(ld *Loaded, n userNeed) {
	window := ld.store.registry.Signals[n.Signal].Sums[n.Position]
	key := sumKey{n.user, ld.store.signals[n.Signal], window.Name()}
	u := ld.users[n.user]
	if u.oldest == nil {
		u.oldest = map[table.Need]int{}
	}
	oldest := max(fewOldest, moreOldest*u.oldest[n.Need])
	if window == table.Ever {
		oldest = 0
	}
	u.oldest[n.Need] = oldest
	read := table.NoSum()
	if p.facts == nil {
		p.facts = map[sumKey]*table.Sum{}
	}
	p.facts[key] = &read
	p.ask.UserIds, p.ask.ContactIds = append(p.ask.UserIds, key.user), append(p.ask.ContactIds, ld.contactOf(key.user))
	p.ask.SignalNos = append(p.ask.SignalNos, key.no)
	p.ask.Windows, p.ask.Oldest = append(p.ask.Windows, key.window), append(p.ask.Oldest, int32(oldest))
	u.apply = append(u.apply, func(facts *table.Facts) {
		sum := read
		sum.More = window != table.Ever && len(read.Oldest) == oldest
		facts.SetSum(n.Signal, n.Position, sum)
	})
}

func (ld *Loaded) queueSums(q *pipeline.Batch, p sumPairs) {
	if len(p.ask.UserIds) == 0 {
		return
	}
	q.Add(db.SumsOf, p.ask.UserIds, p.ask.ContactIds, p.ask.SignalNos, p.ask.Windows, p.ask.Oldest).Query(pipeline.TryEach(func(row db.SumsOfRow) error {
		read := p.facts[sumKey{row.UserID, row.SignalNo, row.TimeWindow}]
		total, finite := new(big.Rat).SetString(row.Total)
		if !finite {
			return fmt.Errorf("the sum of signal %d of user %q is %s, which is no number", row.SignalNo, row.UserID, row.Total)
		}
		read.Total = total
		read.Count, read.Cutoff = int(row.Count), instant(row.Cutoff)
		for i, at := range row.Instants {
			v, err := payload.StoredValue([]byte(row.Numbers[i]))
			if err != nil {
				return fmt.Errorf("read an occurrence of signal %d of user %q: %w", row.SignalNo, row.UserID, err)
			}
			read.Oldest = append(read.Oldest, table.Summand{At: instant(at), Number: table.Decimal(v.Number)})
		}
		return nil
	}))
}

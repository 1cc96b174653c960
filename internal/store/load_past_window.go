package store

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/registry/table"
)

// pastWindows are the occurrences that are read around the ends of windows that are past.
type pastWindows struct {
	ask   db.OccurrencesAroundParams // ask has numbers of events if it is for EventsAround
	facts map[pastWindowKey]*pastWindowRead
}

type pastWindowKey struct {
	user  string
	no    int32
	place int32
}

// A past window is read with fewLater of the occurrences that enter its window next. If a session
// needs more, the next read has moreLater times as many. It goes back by spare occurrences more
// than needed at the instant for which it is read, because something that is due is settled at an
// earlier instant.
const (
	spare     = 8
	fewLater  = 32
	moreLater = 16
	mostLater = 1 << 30
)

// reach is how far a past window was read.
type reach struct {
	at    table.Instant // at is the first instant whose window it covers
	later int           // later is how many occurrences after that were read
}

// add adds a past window of a user, and its callback to the user. One that is read again reaches
// back as far as before, so that a session that evaluates several instants has them all in the end.
func (p *pastWindows) add(ld *Loaded, n userNeed, no int32) {
	row := &ld.store.registry.Signals[n.Signal]
	u := ld.users[n.user]
	if u.reaches == nil {
		u.reaches = map[table.Need]reach{}
	}
	which := n.Need
	which.At = 0
	to, again := u.reaches[which]
	if again {
		to = reach{min(to.at, n.At), min(moreLater*to.later, mostLater)}
	} else {
		to = reach{n.At, fewLater}
	}
	u.reaches[which] = to
	key := pastWindowKey{n.user, no, int32(n.Position)}
	read := &pastWindowRead{earlier: row.Newest + spare, later: to.later}
	if p.facts == nil {
		p.facts = map[pastWindowKey]*pastWindowRead{}
	}
	p.facts[key] = read
	p.ask.UserIds, p.ask.ContactIds = append(p.ask.UserIds, key.user), append(p.ask.ContactIds, ld.contactOf(key.user))
	p.ask.SignalNos, p.ask.Places = append(p.ask.SignalNos, no), append(p.ask.Places, key.place)
	p.ask.WindowEnds = append(p.ask.WindowEnds, timestamp(to.at.Add(-row.Ago[n.Position].Until)))
	p.ask.Earlier, p.ask.Later = append(p.ask.Earlier, int32(read.earlier)), append(p.ask.Later, int32(read.later))
	u.apply = append(u.apply, func(facts *table.Facts) { facts.SetPastWindow(n.Signal, n.Position, read.PastWindow) })
}

func (ld *Loaded) queuePastWindows(q *pipeline.Batch, events, occurrences pastWindows) {
	queue := func(sql string, a *db.OccurrencesAroundParams) *pgx.QueuedQuery {
		return q.Add(sql, a.UserIds, a.ContactIds, a.SignalNos, a.Places, a.WindowEnds, a.Earlier, a.Later)
	}
	if len(events.ask.UserIds) > 0 {
		queue(db.EventsAround, &events.ask).Query(pipeline.Each(func(row db.EventsAroundRow) {
			events.read(db.OccurrencesAroundRow{UserID: row.UserID, SignalNo: row.EventNo, Place: row.Place, Earlier: row.Earlier, Later: row.Later})
		}))
	}
	if len(occurrences.ask.UserIds) > 0 {
		queue(db.OccurrencesAround, &occurrences.ask).Query(pipeline.Each(occurrences.read))
	}
}

// pastWindowRead is a past window with how many occurrences were asked for.
type pastWindowRead struct {
	table.PastWindow
	earlier, later int
}

// read sets what was read of a past window. If as many occurrences came as were asked for, there
// may be more.
func (p *pastWindows) read(row db.OccurrencesAroundRow) {
	s := p.facts[pastWindowKey{row.UserID, row.SignalNo, row.Place}]
	s.Earlier, s.Later = len(row.Earlier) == s.earlier, len(row.Later) == s.later
	slices.Reverse(row.Earlier)
	for _, t := range slices.Concat(row.Earlier, row.Later) {
		s.At = append(s.At, instant(t))
	}
}

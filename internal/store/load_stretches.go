package store

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/registry/table"
)

// stretchPairs are the stretches of occurrences that are asked for, around the ends of windows.
type stretchPairs struct {
	ask   db.OccurrencesAroundParams // its numbers are those of events where the log is asked
	facts map[stretchKey]*stretchRead
}

type stretchKey struct {
	user  string
	no    int32
	place int32
}

// A stretch is read with this many of the occurrences that enter its window next. Where they do not suffice, more are read.
// It goes back a little further than what is needed at the instant for which it is read, because something may be due that
// is settled before.
const (
	spare     = 8
	fewLater  = 32
	moreLater = 16 // times as many
	mostLater = 1 << 30
)

// reach is how far a stretch was asked for.
type reach struct {
	at    table.Instant // for whose window, and all later ones as far as it goes
	later int
}

// add asks for a stretch of a user, who learns it. Where it is asked for again it reaches back as far as before, so that
// whoever evaluates at one instant after the other sees them all in the end.
func (p *stretchPairs) add(ld *Loaded, n userNeed, no int32) {
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
	key := stretchKey{n.user, no, int32(n.Position)}
	read := &stretchRead{earlier: row.Newest + spare, later: to.later}
	if p.facts == nil {
		p.facts = map[stretchKey]*stretchRead{}
	}
	p.facts[key] = read
	p.ask.UserIds, p.ask.ContactIds = append(p.ask.UserIds, key.user), append(p.ask.ContactIds, ld.contactOf(key.user))
	p.ask.SignalNos, p.ask.Places = append(p.ask.SignalNos, no), append(p.ask.Places, key.place)
	p.ask.WindowEnds = append(p.ask.WindowEnds, timestamp(to.at.Add(-row.Ago[n.Position].Until)))
	p.ask.Earlier, p.ask.Later = append(p.ask.Earlier, int32(read.earlier)), append(p.ask.Later, int32(read.later))
	u.apply = append(u.apply, func(facts *table.Facts) { facts.SetPastWindow(n.Signal, n.Position, read.PastWindow) })
}

func (ld *Loaded) queueStretches(q *pipeline.Batch, events, occurrences stretchPairs) {
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

// stretchRead is a stretch with how much of it was asked for.
type stretchRead struct {
	table.PastWindow
	earlier, later int
}

// read notes what is known of a stretch. If as many were read as were asked for, there may be others.
func (p *stretchPairs) read(row db.OccurrencesAroundRow) {
	s := p.facts[stretchKey{row.UserID, row.SignalNo, row.Place}]
	s.Earlier, s.Later = len(row.Earlier) == s.earlier, len(row.Later) == s.later
	slices.Reverse(row.Earlier)
	for _, t := range slices.Concat(row.Earlier, row.Later) {
		s.At = append(s.At, instant(t))
	}
}

package store

import (
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry"
)

// recollection is what is asked of users who come again, to remember them from then on. All of it goes by the number of the
// contact, which is known of such users.
type recollection struct {
	facts    *Facts
	contacts []int64
	of       map[int64]*recollected
}

// recollected is what was read of one user.
type recollected struct {
	memory *memory
	rows   int // of stays
}

// complete reports whether all that was asked for was read.
func (r *recollected) complete() bool { return r.rows < mostStays }

// add asks for all of a user that is remembered of anybody.
func (r *recollection) add(user string, contact int64) {
	if r.of == nil {
		r.of = map[int64]*recollected{}
	}
	s := r.facts.store
	r.contacts = append(r.contacts, contact)
	r.of[contact] = &recollected{memory: &memory{registry: s.registry, whole: s.simple, latest: registry.Unset}}
	r.facts.users[user].recollected = r.of[contact]
}

func (r *recollection) queue(q *queue) {
	if len(r.contacts) == 0 {
		return
	}
	s := r.facts.store
	q.add(db.MembershipsAll, r.contacts, int32(mostStays)).Query(each(func(row db.MembershipsAllRow) {
		of := r.of[row.ContactID]
		of.rows++
		b, known := s.Index(row.BucketNo)
		if n := len(of.memory.stays); !known || n > 0 && of.memory.stays[n-1].bucket == b { // the latest comes first
			return
		}
		of.memory.stays = append(of.memory.stays, stay{
			bucket: b, epoch: int(row.Epoch), enteredAt: instant(row.EnteredAt), leftAt: instant(row.LeftAt), anchorAt: instant(row.AnchorAt),
			tickedAt: instant(row.TickedAt), blocked: row.Blocked,
		})
	}))
	if !s.simple {
		return
	}
	q.add(db.EventsRecent, r.contacts, int32(mostEvents)).Query(each(func(row db.EventsRecentRow) { r.of[row.ContactID].addEvents(s, row) }))
	q.add(db.TotalsAll, r.contacts).Query(each(func(row db.TotalsAllRow) {
		if signal, known := s.signalOf[row.SignalNo]; known && s.registry.Signals[signal].Totals {
			m := r.of[row.ContactID].memory
			m.latest = max(m.latest, instant(row.LastAt))
			m.learnTotal(signal, registry.Total{Count: int(row.Count), First: instant(row.FirstAt), Last: instant(row.LastAt)})
		}
	}))
}

// addEvents adds the newest instants of each event. Where there are too many, some are not among them: of such a user, what
// is asked is remembered as it is asked.
func (r *recollected) addEvents(s *Store, row db.EventsRecentRow) {
	if len(row.Nos) == mostEvents {
		r.memory.whole = false
		return
	}
	var newest []registry.Dated
	for i := 0; i < len(row.Nos); {
		no := row.Nos[i]
		for newest = newest[:0]; i < len(row.Nos) && row.Nos[i] == no; i++ {
			newest = append(newest, registry.Dated{At: instant(row.Instants[i])})
		}
		if signal, asked := s.plain[no]; asked {
			r.memory.latest = max(r.memory.latest, newest[0].At)
			r.memory.learnNewest(signal, newest)
		}
	}
}

// plainOf returns the signals that are all occurrences of an event, by the numbers of those.
func (s *Store) plainOf() map[int32]registry.Signal {
	plain := map[int32]registry.Signal{}
	for i := range s.registry.Signals {
		if row := &s.registry.Signals[i]; row.Newest > 0 && row.Plain() {
			plain[s.events[row.Event]] = registry.Signal(i)
		}
	}
	return plain
}

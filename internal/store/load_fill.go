package store

import (
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// fills are the users whose history is read to be cached: those whose properties are cached
// already, and with them the number of the contact.
type fills struct {
	facts    *Loaded
	contacts []int64
	of       map[int64]*fill // of is keyed by contact
}

// fill is the history that is read of one user.
type fill struct {
	history *usercache.History
	rows    int // rows counts stays
}

// tooLarge reports whether the user may have more stays than were read.
func (l *fill) tooLarge() bool { return l.rows >= usercache.MaxStays }

// add asks for the history of a user.
func (l *fills) add(user string, contact int64) {
	if l.of == nil {
		l.of = map[int64]*fill{}
	}
	cache := l.facts.store.cache
	l.contacts = append(l.contacts, contact)
	l.of[contact] = &fill{history: cache.NewHistory(cache.Complete())}
	l.facts.users[user].fill = l.of[contact]
}

func (l *fills) queue(q *pipeline.Batch) {
	if len(l.contacts) == 0 {
		return
	}
	s := l.facts.store
	q.Add(db.MembershipsAll, l.contacts, int32(usercache.MaxStays)).Query(pipeline.Each(func(row db.MembershipsAllRow) {
		fill := l.of[row.ContactID]
		fill.rows++
		if b, known := s.Index(row.BucketNo); known {
			fill.history.AddStay(decide.Stay{
				Bucket: b, EntryCount: int(row.EntryCount), EnteredAt: instant(row.EnteredAt), LeftAt: instant(row.LeftAt),
				AnchorAt: instant(row.AnchorAt), TickedAt: instant(row.TickedAt), Blocked: row.Blocked,
			})
		}
	}))
	if !s.cache.Complete() {
		return
	}
	q.Add(db.EventsRecent, l.contacts, int32(usercache.MaxEvents)).Query(pipeline.Each(func(row db.EventsRecentRow) {
		l.of[row.ContactID].addEvents(s, row)
	}))
	q.Add(db.TotalsAll, l.contacts).Query(pipeline.Each(func(row db.TotalsAllRow) {
		if signal, known := s.signalOf[row.SignalNo]; known && s.registry.Signals[signal].Totals {
			l.of[row.ContactID].history.AddTotal(signal, table.Total{
				Count: int(row.Count), First: instant(row.FirstAt), Last: instant(row.LastAt),
			})
		}
	}))
}

// addEvents adds the newest instants of each event. Of a log that is too long, some may be missing.
// The history of such a user holds only facts that sessions have asked for.
func (l *fill) addEvents(s *Store, row db.EventsRecentRow) {
	if len(row.Nos) == usercache.MaxEvents {
		l.history.SetIncomplete()
		return
	}
	var newest []table.Dated
	for i := 0; i < len(row.Nos); {
		no := row.Nos[i]
		for newest = newest[:0]; i < len(row.Nos) && row.Nos[i] == no; i++ {
			newest = append(newest, table.Dated{At: instant(row.Instants[i])})
		}
		if signal, asked := s.plain[no]; asked {
			l.history.AddNewest(signal, newest)
		}
	}
}

// holds reports whether this engine should own the history of users who come again.
func (s *Store) cachesHistory() bool {
	d := s.deployment.Load()
	return d != nil && d.Agreed && s.cache.Owner() != 0 && s.cache.OwningPays()
}

package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// names caches the numbers of event names that no criteria use. It may forget one at any time: once
// a name is resolved, the number is in the [decide.Event].
type names struct {
	mu   sync.RWMutex
	most int // most is the number of names in each half

	// New names go to young. When that is full, it becomes old, and what was in old is forgotten: a
	// name that still arrives moves back to young before that, so that a flood of names that arrive
	// once does not displace it.
	young, old map[string]int32

	full time.Time // full is until when no name is created, because the bound was reached
}

// NameLimits bound the event names that no criteria use.
type NameLimits struct {
	Cached int // Cached is how many are in memory
	Daily  int // Daily is how many all engines create within a day; negative: no bound
}

const (
	// fullFor is how long an engine that has met the bound creates no name and asks for no room.
	fullFor = time.Second

	// namePatience is how long the creation of names waits for another one, or for a transaction of
	// a caller that creates the same name and has not ended.
	namePatience = 2 * time.Second

	// day is how far back creations count, in whole hours with the present one.
	day = 24 * time.Hour
)

func newNames(most int) names {
	return names{most: max(most/2, 1), young: map[string]int32{}}
}

// number sets the numbers of the events' names that are cached, and returns the other names.
func (s *Store) number(events []*decide.Event) (unknown []string) {
	var again []*decide.Event // those in the half that is forgotten next
	locked := false
	for _, e := range events {
		switch {
		case !e.Kind.Named() || e.NameNo != 0:
			continue
		case e.Event != table.NoEvent:
			e.NameNo = s.events[e.Event]
			continue
		case !locked:
			s.names.mu.RLock()
			locked = true
		}
		if e.NameNo = s.names.young[e.Name]; e.NameNo != 0 {
			continue
		}
		if e.NameNo = s.names.old[e.Name]; e.NameNo != 0 {
			again = append(again, e)
			continue
		}
		unknown = append(unknown, e.Name)
	}
	if locked {
		s.names.mu.RUnlock()
	}
	if len(again) > 0 {
		s.names.mu.Lock()
		defer s.names.mu.Unlock()
		for _, e := range again {
			s.names.put(e.Name, e.NameNo)
		}
	}
	return unknown
}

// put caches the number of a name. The caller holds the lock.
func (n *names) put(name string, no int32) {
	if _, known := n.young[name]; !known && len(n.young) >= n.most {
		n.young, n.old = make(map[string]int32, len(n.young)), n.young
	}
	n.young[name] = no
}

// keep caches the numbers of names that are committed.
func (n *names) keep(found map[string]int32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, no := range found {
		n.put(name, no)
	}
}

// forget clears the cache: the server may have lost some of the names.
func (n *names) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.young, n.old = map[string]int32{}, nil
}

// isFull reports whether the bound was reached a moment ago.
func (n *names) isFull(now time.Time) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return now.Before(n.full) && n.full.Sub(now) <= fullFor // also if the clock was set back
}

// setFull notes that the bound is reached.
func (n *names) setFull(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.full = now.Add(fullFor)
}

// Beginner is where transactions begin: a pool.
type Beginner interface {
	Conn
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// NameEvents sets the numbers of the events' names ([decide.Event.NameNo]), and creates names that
// are new. It commits them at once, so that no transaction waits for a name until another ends. New
// names beyond the bound leave their events with the number 0. It reads the names that are not
// cached, of all events together.
func (s *Store) NameEvents(ctx context.Context, pool Beginner, now time.Time, events []*decide.Event) error {
	r := s.resolution(pool, now, events)
	err := r.resolve(ctx, func() ([]db.EventNamesCreateRow, error) { return s.createNames(ctx, pool, now, r.missing) })
	if len(r.found) > 0 {
		s.names.keep(r.found)
	}
	return err
}

// NameEventsWithin is NameEvents in a transaction of a caller. It caches nothing, because the
// caller may roll back. It takes no lock that lasts as long as the transaction. Several of those at
// once may therefore exceed the bound, by what each creates.
func (s *Store) NameEventsWithin(ctx context.Context, tx Conn, now time.Time, events []*decide.Event) error {
	r := s.resolution(tx, now, events)
	return r.resolve(ctx, func() ([]db.EventNamesCreateRow, error) {
		return s.Queries(tx).EventNamesCreate(ctx, s.creation(now, r.missing, false))
	})
}

// resolution finds or creates the names of some events.
type resolution struct {
	store   *Store
	conn    Conn
	now     time.Time
	events  []*decide.Event
	missing []string         // missing have no number yet
	found   map[string]int32 // found are those in the database
}

// resolution starts with the cached names.
func (s *Store) resolution(conn Conn, now time.Time, events []*decide.Event) *resolution {
	return &resolution{store: s, conn: conn, now: now, events: events, missing: s.number(events)}
}

func (r *resolution) resolve(ctx context.Context, create func() ([]db.EventNamesCreateRow, error)) error {
	if len(r.missing) == 0 {
		return nil
	}
	r.missing, r.found = distinct(r.missing), make(map[string]int32, len(r.missing))
	if err := r.find(ctx); err != nil {
		return err
	}
	if len(r.missing) > 0 && !r.store.names.isFull(r.now) {
		if err := r.create(ctx, create); err != nil {
			return err
		}
	}
	for _, e := range r.events {
		if e.Kind.Named() && e.NameNo == 0 {
			e.NameNo = r.found[e.Name]
		}
	}
	return nil
}

// find finds names in the database.
func (r *resolution) find(ctx context.Context) error {
	rows, err := r.store.Queries(r.conn).EventNamesFind(ctx, r.missing)
	if err != nil {
		return fmt.Errorf("find event names: %w", err)
	}
	for _, row := range rows {
		r.found[row.Name] = row.No
	}
	r.drop()
	return nil
}

// create creates names. Those beyond the bound are still missing afterwards.
func (r *resolution) create(ctx context.Context, create func() ([]db.EventNamesCreateRow, error)) error {
	rows, err := create()
	if err != nil {
		return fmt.Errorf("create event names: %w", err)
	}
	for _, row := range rows {
		r.found[row.Name] = row.No
	}
	if r.drop(); len(r.missing) == 0 {
		return nil
	}
	if err := r.find(ctx); err != nil { // another transaction may have created them meanwhile
		return err
	}
	if len(r.missing) > 0 {
		r.store.names.setFull(r.now)
	}
	return nil
}

// drop removes from missing what was found.
func (r *resolution) drop() {
	r.missing = slices.DeleteFunc(r.missing, func(name string) bool { return r.found[name] != 0 })
}

// distinct returns names without repetitions, in the order of their first occurrence.
func distinct(names []string) []string {
	seen := make(map[string]bool, len(names))
	return slices.DeleteFunc(names, func(name string) bool {
		if seen[name] {
			return true
		}
		seen[name] = true
		return false
	})
}

// createNames creates names in a transaction of its own. Engines take turns, which makes the bound
// exact.
func (s *Store) createNames(ctx context.Context, pool Beginner, now time.Time, missing []string) (rows []db.EventNamesCreateRow, err error) {
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		q, with := s.Queries(tx), s.creation(now, missing, true)
		if err := q.EventNamesPatience(ctx, fmt.Sprintf("%dms", namePatience.Milliseconds())); err != nil {
			return err
		}
		if err := q.EventNamesLock(ctx, with.Hour); err != nil {
			return err
		}
		rows, err = q.EventNamesCreate(ctx, with)
		return err
	})
	return rows, err
}

func (s *Store) creation(now time.Time, missing []string, shared bool) db.EventNamesCreateParams {
	hour := now.UTC().Truncate(time.Hour)
	with := db.EventNamesCreateParams{
		Names: missing, Most: int64(s.limits.Daily), Shared: shared, Hour: Timestamp(hour), Since: Timestamp(hour.Add(time.Hour - day)),
	}
	if s.limits.Daily < 0 {
		with.Most = math.MaxInt64
	}
	return with
}

// errUnnamed says that an event without the number of its name was added to a write. It would be
// stored as an event without a name.
var errUnnamed = errors.New("an event is written whose name was not resolved; this is a bug in bucketgen")

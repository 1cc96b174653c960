package store

import (
	"context"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// ID is an id that becomes a user's, who may have some number of its kind.
type ID struct {
	Name string
	Most int
}

// ids are what a write changes about ids.
type ids struct {
	attached db.IdentitiesAttachParams
	seen     db.IdentitiesSeenParams
	trimmed  db.IdentitiesTrimParams

	hasAttached map[string]bool // hasAttached are those that were attached, once it is sent
	detached    bool            // detached says that others were detached for them
}

// Attach gives ids to a user, unless they lead to a contact by now: see [Write.Attached].
func (w *Write) Attach(user string, all []ID, now table.Instant) {
	a, t := &w.ids.attached, &w.ids.trimmed
	for _, id := range all {
		kind, value := resolve.Parse(id.Name)
		a.Places = append(a.Places, int32(len(a.Places)))
		a.Names, a.Kinds, a.Values = append(a.Names, id.Name), append(a.Kinds, kind), append(a.Values, value)
		a.Owners, a.Most = append(a.Owners, user), append(a.Most, int32(id.Most))
		a.Nows, a.SeenAt = append(a.Nows, timestamp(now)), append(a.SeenAt, timestamp(resolve.Day(now)))
		if kind == resolve.Anonymous {
			t.Owners, t.Most, t.Now = append(t.Owners, user), int32(id.Most), timestamp(now)
		}
	}
}

// See notes that ids of a user were seen. Of those that were seen on that day before it writes
// nothing.
func (w *Write) See(user string, names []string, now table.Instant) {
	s := &w.ids.seen
	for _, name := range names {
		s.Names, s.Owners, s.SeenAt = append(s.Names, name), append(s.Owners, user), append(s.SeenAt, timestamp(resolve.Day(now)))
	}
}

// add queues the statements. The rows that the first one returns are the ids that were attached.
func (i *ids) add(ctx context.Context, q *pipeline.Batch) error {
	var err error
	if len(i.seen.Names) > 0 { // before others are detached for those that are new
		err = db.New(q).IdentitiesSeen(ctx, i.seen)
	}
	if a := &i.attached; len(a.Names) > 0 {
		i.hasAttached = make(map[string]bool, len(a.Names))
		q.Add(db.IdentitiesAttach, a.Names, a.Kinds, a.Values, a.Owners, a.Most, a.Nows, a.SeenAt, a.Places).
			Query(pipeline.Each(func(name string) { i.hasAttached[name] = true }))
	}
	if len(i.trimmed.Owners) > 0 {
		i.detached = false
		trim(q, i.trimmed, &i.detached)
	}
	return err
}

// trim queues the statement that detaches anonymous ids of contacts that have too many. It notes
// whether there were any.
func trim(q *pipeline.Batch, p db.IdentitiesTrimParams, detached *bool) {
	q.Add(db.IdentitiesTrim, p.Now, p.Owners, p.Most).Query(pipeline.Each(func(string) { *detached = true }))
}

// Detached forgets what is cached of ids, once a transaction is committed that detached some.
func (s *Store) Detached() { s.cache.ForgetLinks() }

// Attached reports whether an id was attached by the write that was sent.
func (w *Write) Attached(name string) bool { return w.ids.hasAttached[name] }

package store

import (
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

// Attach gives ids to a user, unless they lead to a contact by now: see [Write.Attached].
func (w *Write) Attach(user string, ids []ID, now table.Instant) {
	a := &w.attached
	for _, id := range ids {
		kind, value := resolve.Parse(id.Name)
		a.Names, a.Kinds, a.Values = append(a.Names, id.Name), append(a.Kinds, kind), append(a.Values, value)
		a.Owners, a.Most, a.Now = append(a.Owners, user), append(a.Most, int32(id.Most)), timestamp(now)
	}
}

// attach queues the statement. The rows that it returns are the ids that were attached.
func (w *Write) attach(q *pipeline.Batch) error {
	w.hasAttached = make(map[string]bool, len(w.attached.Names))
	a := &w.attached
	q.Add(db.IdentitiesAttach, a.Now, a.Names, a.Kinds, a.Values, a.Owners, a.Most).Query(pipeline.Each(func(name string) { w.hasAttached[name] = true }))
	return nil
}

// Attached reports whether an id was attached by the write that was sent.
func (w *Write) Attached(name string) bool { return w.hasAttached[name] }

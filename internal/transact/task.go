package transact

import (
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Task is what a writer wants to do about one user. Every writer goes through tasks: ingest, clock,
// manual changes.
type Task struct {
	Want    store.Request
	Options decide.Options

	// Step does it. It may be called several times, each time on a fresh session, when facts turn
	// out to be lacking; the last call counts.
	Step func(s *decide.Session, clock table.Instant) decide.Result

	// Named says that the caller named the user, by a name that may be one from before a merge. The
	// runner then finds the name by which the user goes, see [Canonical]. Without it, a user who
	// was merged counts as deleted, and nothing is done.
	Named bool

	// Known is the contact that Want.User had when it was found out that other ids, or names from
	// before a merge, lead to that user; 0: they were not used. If the user has another contact by
	// now, they may lead elsewhere: nothing is done, and the error is [ErrReplaced].
	Known int64

	// Contact is the one that the user has, if it was loaded.
	Contact int64

	// Result is what the last call of Step returned.
	Result decide.Result

	// Suppressed says that the user was erased and may not come back. Nothing was done.
	Suppressed bool

	// Missed says that the user was passed over, and nothing was done; or that the user, an
	// anonymous contact, has expired, and nothing else was done.
	Missed bool

	// Lost are the names of ids in Want.Attach that were not attached: they lead to a contact by
	// now, or the user has too many of them.
	Lost []string
}

// lose notes which ids a write that was sent did not attach.
func lose(w *store.Write, tasks []*Task) {
	for _, t := range tasks {
		t.Lost = nil
		for _, id := range t.Want.Attach {
			if !t.Missed && !w.Attached(id.Name) {
				t.Lost = append(t.Lost, id.Name)
			}
		}
	}
}

// Existing returns a task for a user who was found in the database, as the contact of an id if that
// is not 0.
func (r *Runner) Existing(user string, contact int64, o decide.Options, step func(*decide.Session, table.Instant) decide.Result) *Task {
	return &Task{Want: store.Request{User: user, Contact: contact, CreatedAt: r.Now()}, Options: o, Step: step}
}

package rollout

import (
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// existing returns a task for a user who was found in the database.
func existing(r *transact.Runner, o decide.Options, user string, contact int64, step func(*decide.Session, table.Instant) decide.Result) *transact.Task {
	return &transact.Task{Want: store.Request{User: user, Contact: contact, CreatedAt: r.Now()}, Options: o, Step: step}
}

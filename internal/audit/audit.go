// Package audit keeps the log of the changes that people make by the management API and the command
// line.
package audit

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Log is the audit log of a database. Safe for concurrent use.
type Log struct {
	Pool   *pgxpool.Pool
	Schema string
	Now    func() time.Time
	Log    *slog.Logger // Log takes outcomes that could not be written
}

// maxText is how many bytes a text of an entry has at most; the rest is cut.
const maxText = 500

// Do writes an entry, makes the change, and writes what came of it. A change that cannot be
// recorded is not made. The change may complete the entry, and may set its outcome; otherwise that
// is done, or failed if there is an error.
func (l Log) Do(ctx context.Context, e *bucketgen.AuditEntry, change func() error) error {
	p := db.AuditBeginParams{
		At: store.Timestamp(l.Now()), ByName: text(e.By), Via: e.Via, Action: e.Action, BucketID: text(e.BucketID), UserID: text(e.UserID),
		Object: text(e.Object), Detail: text(e.Detail),
	}
	if e.Key > 0 {
		no := int32(e.Key)
		p.KeyNo = &no
	}
	id, err := l.queries().AuditBegin(ctx, p)
	if err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	e.ID, e.Outcome = id, ""
	err = change()
	switch {
	case e.Outcome != "":
	case err != nil:
		e.Outcome = bucketgen.AuditFailed
	default:
		e.Outcome = bucketgen.AuditDone
	}
	l.end(ctx, e)
	return err
}

// end writes what came of a change, also if its caller is gone by now.
func (l Log) end(ctx context.Context, e *bucketgen.AuditEntry) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := l.queries().AuditEnd(ctx, db.AuditEndParams{
		ID: e.ID, Outcome: e.Outcome, BucketID: text(e.BucketID), UserID: text(e.UserID), Object: text(e.Object), Detail: text(e.Detail),
	})
	if err != nil {
		l.Log.WarnContext(ctx, "audit outcome not written", "component", "audit", "entry", e.ID, "action", e.Action, "outcome", e.Outcome, "error", err)
	}
}

// Page returns up to size entries that are older than the one with an id, the newest first. 0
// begins with the newest of all.
func (l Log) Page(ctx context.Context, f bucketgen.AuditFilter, before int64, size int32) ([]bucketgen.AuditEntry, error) {
	rows, err := l.queries().AuditPage(ctx, db.AuditPageParams{
		BeforeID: before, ByName: text(f.By), Action: text(f.Action), BucketID: text(f.BucketID), UserID: text(f.UserID), Size: size,
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	all := make([]bucketgen.AuditEntry, len(rows))
	for i, row := range rows {
		all[i] = bucketgen.AuditEntry{
			ID: row.ID, At: row.At.Time.UTC(), By: row.ByName, Via: row.Via, Action: row.Action, BucketID: row.BucketID, UserID: resolve.Text(row.UserID),
			Object: row.Object, Detail: row.Detail, Outcome: row.Outcome,
		}
		if row.KeyNo != nil {
			all[i].Key = int(*row.KeyNo)
		}
	}
	return all, nil
}

// Forget deletes entries that are older than an age, some at a time. It returns whether there may
// be more.
func (l Log) Forget(ctx context.Context, age time.Duration) (more bool, err error) {
	const most = 10_000
	n, err := l.queries().AuditForget(ctx, db.AuditForgetParams{Before: store.Timestamp(l.Now().Add(-age)), Most: most})
	if err != nil {
		return false, fmt.Errorf("prune the audit log: %w", err)
	}
	return n == most, nil
}

func (l Log) queries() *db.Queries { return store.QueriesIn(l.Pool, l.Schema) }

// text returns a text as it can be stored: a request may have any bytes in it.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

package engine

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/audit"
)

// AuditEntry is an entry of the audit log: a change that a person made, or a look of a person whom
// data are masked for.
type AuditEntry = bucketgen.AuditEntry

// AuditFilter says which entries of the audit log to read. The zero value is all.
type AuditFilter = bucketgen.AuditFilter

// Do writes an entry to the audit log, makes the change, and writes what came of it. A change that
// cannot be recorded is not made. The change may complete the entry: the object, the detail and the
// outcome, which otherwise is done, or failed if there is an error. Calls of the Go API are not
// recorded by themselves; this is for programs through which people make changes.
func (g *Audit) Do(ctx context.Context, e *AuditEntry, change func() error) error {
	return (*Engine)(g).auditLog().Do(ctx, e, change)
}

// Page returns a page of the audit log, the newest entries first. It takes longer the rarer the
// entries are that a filter asks for. The log goes back as far as [Config].AuditAge.
func (g *Audit) Page(ctx context.Context, f AuditFilter, p Page) ([]AuditEntry, int64, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, 0, fmt.Errorf("audit: %w", err)
	}
	all, err := e.auditLog().Page(ctx, f, p.After, p.limit())
	if err != nil {
		return nil, 0, fmt.Errorf("audit: %w", err)
	}
	return all, p.next(len(all), func() int64 { return all[len(all)-1].ID }), nil
}

func (e *Engine) auditLog() audit.Log {
	return audit.Log{Pool: e.pool, Schema: e.config.Schema, Now: e.config.Now, Log: e.log}
}

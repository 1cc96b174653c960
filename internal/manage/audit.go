package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// AuditLog is a page of the audit log.
type AuditLog struct {
	Entries []engine.AuditEntry `json:"entries" doc:"Entries, the newest first"`
	Next    string              `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type auditInput struct {
	Page
	By     string `query:"by" maxLength:"255" doc:"List the entries of the person with this name. Defaults to all"`
	Action string `query:"action" maxLength:"100" doc:"List the entries of this operation or command. Defaults to all" example:"pauseBucket"`
	Bucket string `query:"bucket" maxLength:"255" doc:"List the entries about this bucket. Defaults to all"`
	User   string `query:"user" maxLength:"255" doc:"List the entries about this user. Defaults to all"`
}

func (a *api) audit() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/audit", OperationID: "listAudit", Tags: []string{"access"},
		Summary: "List the audit log",
		Description: "The changes that people made by this API and by the command line, with what came of each, and the looks of masked readers. " +
			"An entry is kept for a year, unless the server is configured otherwise.",
	}, func(ctx context.Context, in *auditInput) (AuditLog, error) {
		before, err := in.after("audit")
		if err != nil {
			return AuditLog{}, err
		}
		f := engine.AuditFilter{By: in.By, Action: in.Action, BucketID: in.Bucket, UserID: in.User}
		all, next, err := a.engine.Audit().Page(ctx, f, engine.Page{After: before, Size: in.Limit})
		return AuditLog{orNone(all), cursor("audit", next)}, err
	})
}

type entryKey struct{}

// noted adds to the entry of the audit log that is written for the operation of a context: what was
// done, in a few words.
func noted(ctx context.Context, object, format string, args ...any) {
	e, recorded := ctx.Value(entryKey{}).(*engine.AuditEntry)
	if !recorded {
		return
	}
	if object != "" {
		e.Object = object
	}
	if format != "" {
		e.Detail = strings.TrimPrefix(e.Detail+"; "+fmt.Sprintf(format, args...), "; ")
	}
}

// recording returns the function of an operation that also writes the audit log: of each change,
// and of each look of a masked reader.
func recording[I, T any](a *api, op *huma.Operation, do func(context.Context, *I) (T, error)) func(context.Context, *I) (T, error) {
	access, action := accessOf(op), op.OperationID
	return func(ctx context.Context, in *I) (out T, err error) {
		person, _ := identity.Of(ctx)
		if access != Change && (access != LookUp || !person.Masked) {
			return do(ctx, in)
		}
		e := entryOf(exchangeOf(ctx).request, person, action)
		if op.Metadata[nameless] != nil {
			e.UserID = ""
		}
		out, err = recorded(ctx, a, e, func(ctx context.Context) (T, error) { return do(ctx, in) })
		if person.Masked {
			m := masker{person, exchangeOf(ctx).request.PathValue("user")}
			m.mask(reflect.ValueOf(&out))
			if p, is := errors.AsType[*problem.Problem](err); is {
				p.Detail = m.text(p.Detail)
			}
		}
		return out, err
	}
}

// recorded makes a change and writes its entry of the audit log.
func recorded[T any](ctx context.Context, a *api, e *engine.AuditEntry, do func(context.Context) (T, error)) (out T, err error) {
	err = a.engine.Audit().Do(ctx, e, func() error {
		if out, err = do(context.WithValue(ctx, entryKey{}, e)); err == nil {
			return nil
		}
		p := a.problem(ctx, err)
		if p.Status < http.StatusInternalServerError {
			e.Outcome = bucketgen.AuditRefused
		}
		return p
	})
	return out, err
}

// entryOf returns an entry of the audit log for a request.
func entryOf(r *http.Request, person identity.Person, action string) *engine.AuditEntry {
	e := &engine.AuditEntry{By: person.Name, Key: person.Key, Via: "api", Action: action, BucketID: r.PathValue("bucket"), UserID: r.PathValue("user")}
	for _, name := range []string{"id", "no", "subscription", "webhook", "key"} {
		if value := r.PathValue(name); value != "" {
			e.Object = value
		}
	}
	return e
}

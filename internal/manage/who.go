package manage

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// A request names users by ids of any kind. The parameter by has the kind of the id in the path or
// in the query, and the property by of a body the kind of the ids in the body. A handler finds the
// name of the id in place of the id (see [engine.By]).

// UserPath is the path of what is about a user.
type UserPath struct {
	User string `path:"user" doc:"Id of the user, percent-encoded. Or -, and the id in the parameter id" example:"ada"`
	By   string `query:"by" maxLength:"255" doc:"Kind of the id: user, email, anonymous, or a kind that the program declares. Defaults to user" example:"user"`
}

// Resolve replaces the id by its name.
func (p *UserPath) Resolve(ctx huma.Context) []error {
	if p.By == "" {
		return nil
	}
	if err := event.KnownKind(p.By); err != nil {
		return wrongKind("query.by", p.By, err.Error())
	}
	p.User, p.By = engine.By(p.By, p.User), ""
	exchangeOf(ctx.Context()).request.SetPathValue("user", p.User) // which the audit log has
	return nil
}

// UserQuery limits a list to a user.
type UserQuery struct {
	User string `query:"user" maxLength:"255" doc:"List those of this user only. Defaults to all" example:"ada"`
	By   string `query:"by" maxLength:"255" doc:"Kind of the id of the user: user, email, anonymous, or a kind that the program declares. Defaults to user" example:"user"`
}

// Resolve replaces the id by its name.
func (q *UserQuery) Resolve(huma.Context) []error {
	if q.By == "" {
		return nil
	}
	if q.User == "" {
		return wrongKind("query.by", q.By, "is the kind of the id in user, which is missing")
	}
	if err := event.KnownKind(q.By); err != nil {
		return wrongKind("query.by", q.By, err.Error())
	}
	q.User, q.By = engine.By(q.By, q.User), ""
	return nil
}

// BodyKind is the kind of the ids in a body.
type BodyKind struct {
	By string `json:"by,omitempty" maxLength:"255" doc:"Kind of the ids in the body: user, email, anonymous, or a kind that the program declares. Defaults to user" example:"user"`
}

// Resolve checks the kind.
func (b *BodyKind) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	if b.By == "" {
		b.By = resolve.User
	}
	if err := event.KnownKind(b.By); err != nil {
		return wrongKind(at.With("by"), b.By, err.Error())
	}
	return nil
}

// name returns the name of an id in the body, or nothing for no id.
func (b *BodyKind) name(id string) string {
	if id == "" {
		return ""
	}
	return engine.By(b.By, id)
}

// said returns an id of the body as the audit log has it.
func (b *BodyKind) said(id string) string {
	if b.By == resolve.User {
		return id
	}
	return b.By + " " + id
}

func wrongKind(at, kind, problem string) []error {
	return []error{&huma.ErrorDetail{Location: at, Value: kind, Message: problem}}
}

// byID replaces a user in the path that is called - by the parameter id of the query. Browsers take
// .. and its escaped forms out of paths, so a page cannot name a user of that id in one.
func byID(r *http.Request) {
	query := r.URL.Query()
	if r.PathValue("user") != "-" || !query.Has("id") {
		return
	}
	r.SetPathValue("user", query.Get("id"))
	query.Del("id")
	r.URL.RawQuery = query.Encode()
}

// MemberPath is the path of what is about a user in a bucket.
type MemberPath struct {
	BucketPath
	UserPath
}

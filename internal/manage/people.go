package manage

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// ErasePerson says how to erase a person.
type ErasePerson struct {
	_        struct{} `additionalProperties:"false"`
	Suppress bool     `json:"suppress,omitempty" doc:"Refuse the ids of the person from now on. Needs a suppression secret"`
	Ticket   string   `json:"ticket,omitempty" maxLength:"255" doc:"Reference of the request, for the list of erasures" example:"GDPR-17"`
}

// ErasePeople says which persons to erase, and how.
type ErasePeople struct {
	ErasePerson
	BodyKind
	IDs  []string `json:"ids" minItems:"1" maxItems:"5000" nullable:"false" doc:"Ids of the persons" example:"[\"ada\"]"`
	Rate int      `json:"rate,omitempty" minimum:"1" maximum:"1000" doc:"Number of persons to erase a second. Defaults to 50"`
}

// Erasures is a page of erasures.
type Erasures struct {
	Erasures []engine.Erasure `json:"erasures" doc:"Erasures, the newest first"`
	Next     string           `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// PersonID is an id of a person.
type PersonID struct {
	BodyKind

	_  struct{} `additionalProperties:"false"`
	ID string   `json:"id" minLength:"1" maxLength:"255" doc:"The id" example:"ada"`
}

// SetSuppression says whether to refuse an id.
type SetSuppression struct {
	PersonID
	Remove bool `json:"remove,omitempty" doc:"Let the id in again, instead of refusing it"`
}

// ImportSuppressions is hashes of ids.
type ImportSuppressions struct {
	_            struct{}             `additionalProperties:"false"`
	Suppressions []engine.Suppression `json:"suppressions" minItems:"1" maxItems:"5000" nullable:"false" doc:"Lines of an export"`
}

// Imported is what an import came to.
type Imported struct {
	Erased int `json:"erased" doc:"Number of users who were erased again"`
}

type (
	eraseInput struct {
		UserPath
		Body ErasePerson
	}
	eraseAllInput          struct{ Body ErasePeople }
	personInput            struct{ Body PersonID }
	setSuppressionInput    struct{ Body SetSuppression }
	importSuppressionInput struct{ Body ImportSuppressions }
)

// nameless keeps the user of an operation out of the audit log.
const nameless = "nameless"

func (a *api) people() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/users/{user}/erase", OperationID: "eraseUser", Tags: []string{"users"}, Metadata: map[string]any{nameless: true},
		Summary: "Erase a person",
		Description: "Deletes everything about the person: the user, users who were merged into them, ids, properties, events, stays, transitions, deliveries. " +
			"Nothing is announced, and sizes of the past stay as they were. It cannot be undone. With suppress, events of the ids are dropped from then on.",
	}, a.erase, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/erasures", OperationID: "eraseUsers", Tags: []string{"users"}, MaxBodyBytes: maxErased,
		Summary: "Erase many persons by a job",
		Description: "Begins a job that erases up to 5,000 persons, each in a transaction. An id leaves the job with its person, so a job whose process dies goes " +
			"on with the rest. Unknown ids are passed over, unless they are suppressed.",
	}, a.eraseAll, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/erasures", OperationID: "listErasures", Tags: []string{"users"},
		Summary:     "List the erasures",
		Description: "Who erased a person when, and how many rows that were. No entry names an id of the person.",
	}, func(ctx context.Context, in *Page) (Erasures, error) {
		before, err := in.after("erasures")
		if err != nil {
			return Erasures{}, err
		}
		all, next, err := a.engine.People().Erasures(ctx, engine.Page{After: before, Size: in.Limit})
		return Erasures{orNone(all), cursor("erasures", next)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/suppressions", OperationID: "setSuppression", Tags: []string{"users"},
		Summary:     "Refuse an id, or let it in again",
		Description: "Only the hash of the id is stored. An id of a user is refused by erasing the user with suppress.",
	}, func(ctx context.Context, in *setSuppressionInput) (engine.Suppression, error) {
		if err := a.engine.People().SetSuppression(ctx, in.Body.By, in.Body.ID, !in.Body.Remove); err != nil {
			return engine.Suppression{}, err
		}
		return a.engine.People().Suppression(ctx, in.Body.By, in.Body.ID)
	}, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/suppressions/check", OperationID: "checkSuppression", Tags: []string{"users"}, Metadata: read,
		Summary:     "Check whether an id is refused",
		Description: "Says whether events of the id are dropped, and how often a user of the id was erased.",
	}, func(ctx context.Context, in *personInput) (engine.Suppression, error) {
		return a.engine.People().Suppression(ctx, in.Body.By, in.Body.ID)
	}, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/suppressions/import", OperationID: "importSuppressions", Tags: []string{"users"}, MaxBodyBytes: maxErased,
		Summary: "Import hashes of refused ids",
		Description: "Adds hashes that were exported from this database, or from one of which it is a copy. Users who were erased there after the copy was made " +
			"are erased again.",
	}, a.importSuppressions, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/users/{user}/unlink", OperationID: "unlinkId", Tags: []string{"users"}, Metadata: map[string]any{nameless: true},
		Summary: "Take an id away from its user",
		Description: "Takes the id in the path away from its user, unless the user goes by it. What comes by it from then on is that of a contact by itself, " +
			"which never merges with a user by the ids of events. What was done by it stays the user's.",
	}, a.unlink, http.StatusNotFound)
	a.exportLines(huma.Operation{
		Path: "/v1/users/{user}/export.jsonl", OperationID: "exportUser", Tags: []string{"users"},
		Summary:     "Export everything about a person",
		Description: "Every row about the person, as of one moment: a line of JSON each, with the table and the row. An answer that breaks off is not complete.",
	})
}

// maxErased is how many bytes the body may have that names persons: 5,000 of the longest ids fit
// into it.
const maxErased = 2 << 20

func (p *ErasePerson) options(ctx context.Context) engine.EraseOptions {
	person, _ := identity.Of(ctx)
	return engine.EraseOptions{Suppress: p.Suppress, Ticket: p.Ticket, By: person.Name}
}

func (a *api) erase(ctx context.Context, in *eraseInput) (engine.Erasure, error) {
	out, err := a.engine.People().Erase(ctx, in.User, in.Body.options(ctx))
	if err == nil {
		noted(ctx, strconv.FormatInt(out.ID, 10), "ticket %q, %d events, %d rows", out.Ticket, out.Events, out.Rows)
	}
	return out, err
}

func (a *api) eraseAll(ctx context.Context, in *eraseAllInput) (engine.Job, error) {
	o := engine.BulkOptions{EraseOptions: in.Body.options(ctx), Rate: in.Body.Rate}
	o.Kind = in.Body.By
	j, err := a.engine.People().EraseAll(ctx, in.Body.IDs, o)
	if err == nil {
		noted(ctx, strconv.FormatInt(j.ID, 10), "ticket %q, %d ids", o.Ticket, len(in.Body.IDs))
	}
	return j, err
}

func (a *api) importSuppressions(ctx context.Context, in *importSuppressionInput) (Imported, error) {
	n, err := a.engine.People().ImportSuppressions(ctx, func(yield func(engine.Suppression, error) bool) {
		for _, s := range in.Body.Suppressions {
			if !yield(s, nil) {
				return
			}
		}
	})
	noted(ctx, "", "%d hashes, %d users erased", len(in.Body.Suppressions), n)
	return Imported{n}, err
}

// unlink names the kind only in the audit log.
func (a *api) unlink(ctx context.Context, in *UserPath) (engine.ID, error) {
	kind, value := resolve.Parse(in.User)
	noted(ctx, "", "an id of the kind %s", kind)
	err := a.engine.People().Unlink(ctx, kind, value)
	if invalid, ok := errors.AsType[*engine.InvalidError](err); ok && invalid.Field == "value" {
		return engine.ID{}, problem.Of(http.StatusBadRequest, "user", invalid.Problem)
	}
	if err != nil {
		return engine.ID{}, err
	}
	return engine.ID{Kind: kind, Value: value, Shared: true}, nil
}

// Package manage is the management API over HTTP: it reads the state of an engine and changes it.
// Its OpenAPI document is generated from the handlers, and package client from the document.
package manage

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Options are what the API needs to know of the server that it is part of.
type Options struct {
	// Guard returns a handler that lets those requests through to the next one whose persons have
	// an access. It puts the person into the context, and answers the other requests.
	Guard func(to Access, next http.Handler) http.Handler

	// SignIn begins a session with a key, or else with the secret of an offer, and sets its cookie.
	SignIn func(w http.ResponseWriter, r *http.Request, key, once string) (identity.Person, error)

	// SignOut ends the session of a request, if it has one.
	SignOut func(w http.ResponseWriter, r *http.Request) error

	// Failed logs why a request failed by no fault of its client.
	Failed func(ctx context.Context, err error)

	// Keys are the API keys.
	Keys apikey.Store

	// Webhooks are the endpoints of webhooks.
	Webhooks *webhook.Endpoints

	// Examine checks the installation.
	Examine func(ctx context.Context) []Finding

	// Wait is how long a request may take.
	Wait time.Duration
}

// api is the management API of an engine.
type api struct {
	engine  *engine.Engine
	options Options
	access  map[string]Access // access is what operations need, by method and path
	huma    huma.API
}

// Mount adds the API of an engine to a mux.
func Mount(mux *http.ServeMux, e *engine.Engine, o Options) {
	access := map[string]Access{}
	a := newAPI(&guarded{ServeMux: mux, options: o, access: access}, e, o, access)
	serve := func(name, contentType string, write func() ([]byte, error)) {
		document := sync.OnceValues(write)
		mux.Handle("GET /v1/"+name, o.Guard(Read, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, err := document()
			if err != nil {
				a.problem(r.Context(), err).Answer(w)
				return
			}
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(text)
		})))
	}
	serve("openapi.json", "application/json", a.huma.OpenAPI().MarshalJSON)
	serve("openapi.yaml", "application/yaml", a.huma.OpenAPI().YAML)
}

// Document returns the OpenAPI document, which is the same for all engines.
func Document() *huma.OpenAPI {
	return newAPI(http.NewServeMux(), nil, Options{}, map[string]Access{}).huma.OpenAPI()
}

func newAPI(mux humago.Mux, e *engine.Engine, o Options, access map[string]Access) *api {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "bucketgen", Version: "1.0.0",
				Description: "Reads and manages the buckets of an engine. Times are RFC 3339 in UTC, with microseconds. " +
					"Read keys may read everything, admin keys may also change it. Support keys may read what is about one user or bucket, with e-mail " +
					"addresses and most values of properties masked. Write and server keys are for sending events only.",
			},
			Servers: []*huma.Server{{URL: "/"}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry(refs, huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"basic":  {Type: "http", Scheme: "basic", Description: "The key is the user name; the password is empty."},
					"bearer": {Type: "http", Scheme: "bearer", Description: "The key is the token."},
					"cookie": {Type: "apiKey", In: "cookie", Name: "__Secure-bucketgen", Description: "The session of a person who signed in. Over plain HTTP, the cookie is called bucketgen."},
				},
			},
			Security: []map[string][]string{{"basic": {}}, {"bearer": {}}, {"cookie": {}}},
			Tags: []*huma.Tag{
				{Name: "buckets", Description: "Buckets, their members, and explanations"},
				{Name: "users", Description: "Users, their buckets and timelines"},
				{Name: "events", Description: "Events, their names, properties, and transitions as they happen"},
				{Name: "deployments", Description: "Deployments, plans and processes"},
				{Name: "outbox", Description: "Waiting deliveries and dead letters"},
				{Name: "jobs", Description: "Long work in the background: plans, funnels, back-tests"},
				{Name: "webhooks", Description: "Endpoints that transitions are posted to"},
				{Name: "access", Description: "Sessions, keys, and the person who calls"},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}, // and what ends in +json
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{ours},
	}
	config.AllowAdditionalPropertiesByDefault = true // so that answers may come to say more
	a := &api{engine: e, options: o, access: access, huma: huma.NewAPI(config, humago.NewAdapter(mux, ""))}
	a.huma.UseMiddleware(plain)
	a.buckets()
	a.members()
	a.transitions()
	a.users()
	a.userReads()
	a.forecasts()
	a.merges()
	a.tries()
	a.people()
	a.deployments()
	a.catalog()
	a.definitions()
	a.outbox()
	a.sessions()
	a.audit()
	a.jobs()
	a.manyMembers()
	a.keys()
	a.webhooks()
	a.health()
	a.events()
	a.stream()
	describe(a.huma.OpenAPI())
	return a
}

// guarded is a mux whose handlers see only requests that were let in, and can be answered.
type guarded struct {
	*http.ServeMux
	options Options
	access  map[string]Access
}

// HandleFunc adds a route.
func (g *guarded) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	g.Handle(pattern, g.options.Guard(g.access[pattern], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := answerable(r, pattern); p != nil {
			p.Answer(w)
			return
		}
		byID(r)
		r.Header.Del("Accept") // huma reads it in another way
		ctx := context.WithValue(r.Context(), exchangeKey{}, exchange{w, r})
		ctx, cancel := context.WithTimeout(ctx, g.options.Wait)
		defer cancel()
		handler(w, r.WithContext(ctx))
	})))
}

// body is what a request was answered.
type body[T any] struct{ Body T }

// add adds an operation. Beside those that every operation can be answered, it has the given
// errors.
func add[I, T any](a *api, op huma.Operation, do func(context.Context, *I) (T, error), statuses ...int) {
	a.access[op.Method+" "+op.Path] = accessOf(&op)
	do = recording(a, &op, do)
	huma.Register(a.huma, a.documented(op, statuses), func(ctx context.Context, in *I) (*body[T], error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return &body[T]{out}, nil
	})
}

// maxBody is how many bytes the body of a request may have.
const maxBody = 64 << 10

func (a *api) documented(op huma.Operation, statuses []int) huma.Operation {
	op.MaxBodyBytes = cmp.Or(op.MaxBodyBytes, maxBody)
	op.Responses = map[string]*huma.Response{}
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[problem.Problem](), true, "")
	for _, status := range append(statuses, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotAcceptable,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: meanings[status],
			Content:     map[string]*huma.MediaType{problem.ContentType: {Schema: schema}},
		}
	}
	return op
}

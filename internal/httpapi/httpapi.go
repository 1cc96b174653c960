// Package httpapi is the HTTP API of an engine: it lets requests in by their keys and within
// bounds, ingests events from SDKs, streams transitions, and mounts the management API of package
// manage.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/manage"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Options are what the API is made of.
type Options struct {
	// Engine is the engine, which must run.
	Engine *engine.Engine

	// Keys are the API keys.
	Keys keys

	// Config bounds requests.
	Config Config

	// Examine checks the installation. Nil: nothing is checked.
	Examine func(ctx context.Context) []manage.Finding

	// Log takes failures. Defaults to slog.Default.
	Log *slog.Logger

	// Around surrounds the work on requests with a valid key, for traces. Defaults to none.
	Around Around
}

// webhooks returns the endpoints of webhooks. The error of Open is about a schema that the engine
// would have refused.
func (o *Options) webhooks() *webhook.Endpoints {
	all, _ := webhook.Open(o.Keys.Pool, webhook.Config{Schema: o.Keys.Schema, AllowPrivate: o.Config.PrivateWebhooks, Now: o.Engine.Now})
	return all
}

// Around surrounds the work on a request with a valid key, which is next.
type Around func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc)

// plainly is an Around that adds nothing.
func plainly(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { next(w, r) }

// auth returns the auth that the parts of the API share.
func (o *Options) auth() *auth {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Config = o.Config.WithDefaults()
	a := newAuth(o.Keys, o.Engine.Now, o.Config, o.Log)
	if o.Around != nil {
		a.around = o.Around
	}
	return a
}

// Handler returns the API. Streams end when its server shuts down.
func Handler(o Options) http.Handler {
	if o.Examine == nil {
		o.Examine = func(context.Context) []manage.Finding { return nil }
	}
	a, mux := o.auth(), http.NewServeMux()
	(&tracking{engine: o.Engine, auth: a, config: o.Config}).route(mux)
	newStreams(o.Engine, a, o.Log, o.Config).route(mux)
	failed := func(ctx context.Context, err error) { a.notices.failed(ctx, "management request failed", err) }
	manage.Mount(mux, o.Engine, manage.Options{
		Failed: failed, Wait: o.Config.Wait, Guard: a.guarding, SignIn: a.signIn, SignOut: a.signOut,
		Keys: o.Keys, Webhooks: o.webhooks(), Examine: o.Examine,
	})
	health(mux, o.Engine)
	return newRoutes(mux, o.Log)
}

// Admin returns what operators ask: metrics for read keys, profiles for admin keys, and health.
func Admin(o Options, metrics, profiles http.Handler) http.Handler {
	o.Around = nil
	a, mux := o.auth(), http.NewServeMux()
	mux.Handle("GET /metrics", a.guard(readKey, metrics))
	mux.Handle("GET /debug/pprof/", a.guard(adminKey, profiles))
	health(mux, o.Engine)
	return newRoutes(mux, o.Log)
}

// health adds the checks of load balancers.
func health(mux *http.ServeMux, e *engine.Engine) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := e.Ready(r.Context()); err != nil {
			problem.Later(http.StatusServiceUnavailable, err.Error(), time.Second).Answer(w)
			return
		}
		reply(w, map[string]string{"status": "ready"})
	})
}

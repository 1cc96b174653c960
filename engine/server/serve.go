package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

func (c *cli) serveCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the engine and its HTTP API",
		Long: `Runs the engine with its clock and handlers, and takes events in over HTTP from the SDKs of
Segment and RudderStack, until it is interrupted. Then it answers what has come in, stores it,
and ends. The tables must be there (migrate), and what is deployed is what deploy deployed.

  POST /v1/track, identify, page, screen, group   one call
  POST /v1/batch, /v1/import                      {"batch": [...]}; ?results=1 says what became of each
  GET  /v1/projects/KEY/settings                  for SDKs in browsers
  GET  /v1/stream                                 transitions, as they happen; takes a read key
  GET  /healthz, /readyz                          for load balancers; the only ones without a key

A write key (keys create) is sent as the user name of Basic authentication, as a Bearer token, or
as writeKey in the body. Errors are problem details (RFC 9457); 429 and 503 say when to try again.`,
		Example: "  " + c.host.Name + " keys create web\n  " + c.host.Name + " serve --listen :8080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			r, err := c.prepare(d)
			if err != nil {
				return err
			}
			if err := r.start(cmd.Context()); err != nil {
				return err
			}
			s, err := c.listen(cmd.Context(), d, r.Engine, address)
			if err != nil {
				return errors.Join(err, r.stop())
			}
			fmt.Fprintln(cmd.OutOrStdout(), r.services)
			fmt.Fprintf(cmd.OutOrStdout(), "listening on http://%s; interrupt to stop\n", s.address)
			return errors.Join(s.wait(cmd.Context()), r.stop())
		},
	}
	cmd.Flags().StringVar(&address, "listen", "localhost:8080", "`ADDRESS` to listen on; :8080 is all interfaces")
	return cmd
}

// NewHandler returns the HTTP API of an engine, for hosts that have a server of their own. The engine must run. l may be the
// zero value, and the logger nil for slog.Default. Streams end when the server shuts down.
func NewHandler(e *engine.Engine, pool *pgxpool.Pool, schema string, l Limits, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.Default()
	}
	mux := http.NewServeMux()
	g := newGate(keys{pool, schema}, e.Now)
	l = l.withDefaults()
	t := &tracking{engine: e, gate: g, log: log, limits: l}
	t.route(mux)
	newStreams(e, g, log, l).route(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if err := pool.Ping(ctx); err != nil || !e.Takes(1) {
			later(http.StatusServiceUnavailable, "the database does not answer, or too many events wait for it", time.Second).answer(w)
			return
		}
		reply(w, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		trouble(http.StatusNotFound, "there is nothing at "+r.Method+" "+r.URL.Path).answer(w)
	})
	return mux
}

// listener is a running HTTP server.
type listener struct {
	address string
	server  *http.Server
	failed  chan error
}

// listen starts an HTTP server. Slow clients cost it a connection each, and no more.
func (c *cli) listen(ctx context.Context, d *database, e *engine.Engine, address string) (*listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", address, err)
	}
	s := &listener{address: l.Addr().String(), failed: make(chan error, 1), server: &http.Server{
		Handler:           NewHandler(e, d.pool, c.schema, Limits{}, c.host.Config.Logger),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
	}}
	go func() {
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	return s, nil
}

// wait waits until ctx ends. Then nothing new is taken in, and what came in is answered before it returns.
func (l *listener) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case err := <-l.failed:
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return l.server.Shutdown(ctx)
}

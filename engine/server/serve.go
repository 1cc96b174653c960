package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/httpapi"
	"github.com/bucketgen/bucketgen/internal/printable"
)

func (c *cli) serveCommand() *cobra.Command {
	var address, adminAddress, certFile, keyFile, reader string
	var allowPrivate, withStudio bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the engine and its HTTP API",
		Long: `Runs the engine with its clock, handlers and webhooks, and serves the HTTP API: events from the SDKs
of Segment, RudderStack and PostHog, and management. On an interrupt it answers the requests in
flight, stores their events, and exits. It needs the tables (see migrate), and does not deploy (see
deploy).

  POST /v1/track, identify, page, screen, group   one call
  POST /v1/batch, /v1/import                      {"batch": [...]}; ?results=1 answers for each
  GET  /v1/projects/KEY/settings                  settings of browser SDKs
  GET  /v1/buckets, /v1/users/ID/timeline, ...    management, described by /v1/openapi.yaml
  GET  /v1/stream                                 transitions as they happen; needs a read key
  GET  /healthz, /readyz                          for load balancers; they need no key
  GET  /studio/                                   Studio, with --studio; people sign in with a key

Send a write key (see keys create) as the user name of Basic authentication, as a Bearer token, or
as writeKey in the body. Reading needs a read key, changing an admin key. --admin-listen adds an
address for operators:

  GET  /metrics                                   Prometheus metrics; needs a read key
  GET  /debug/pprof/                              profiles; needs an admin key
  GET  /healthz, /readyz

Errors are problem details (RFC 9457). 429 and 503 carry Retry-After.

With --tls-cert and --tls-key both addresses use TLS; changed files are read again. Without them,
put a proxy with TLS in front: keys must not cross a network in the clear.`,
		Example: "  " + c.host.Name + " serve --listen :8080\n  " + c.host.Name + " serve --listen :8443 --tls-cert cert.pem --tls-key key.pem",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cert, err := loadCertificate(certFile, keyFile, c.host.Config.Logger)
			if err != nil {
				return err
			}
			return c.serve(cmd, cert, address, adminAddress, serveOptions{allowPrivate, withStudio, reader})
		},
	}
	cmd.Flags().StringVar(&address, "listen", "localhost:8080", "`ADDRESS` to listen on; :8080 is all interfaces")
	cmd.Flags().StringVar(&adminAddress, "admin-listen", "", "`ADDRESS` to listen on for metrics and profiles (default none)")
	cmd.Flags().StringVar(&reader, "reader", "", "`URL` of a replica, from which lists, counts, histories and explanations are read (default the database)")
	cmd.Flags().StringVar(&certFile, "tls-cert", "", "PEM `FILE` of a certificate with its chain; turns TLS on (default none)")
	cmd.Flags().StringVar(&keyFile, "tls-key", "", "PEM `FILE` of the certificate's private key (default none)")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	c.trackingFlags(cmd)
	cmd.Flags().DurationVar(&c.host.StopTimeout, "stop-timeout", cmp.Or(c.host.StopTimeout, 30*time.Second), "`DURATION` within which the server stops after a signal")
	cmd.Flags().BoolVar(&withStudio, "studio", false, "serve Studio, the web page, at /studio/")
	cmd.Flags().BoolVar(&allowPrivate, "allow-private-webhooks", false, "allow webhooks to this machine and to private networks")
	return cmd
}

// serveOptions are flags of serve.
type serveOptions struct {
	allowPrivate, studio bool
	reader               string // the URL of a replica, or empty
}

// serve runs the engine, and answers requests until it is interrupted. cert may be nil, and
// adminAddress empty.
func (c *cli) serve(cmd *cobra.Command, cert *certificate, address, adminAddress string, o serveOptions) (err error) {
	at, err := bind(cmd.Context(), "--listen", address)
	if err != nil {
		return err
	}
	defer at.Close()
	var adminAt net.Listener
	if adminAddress != "" {
		if adminAt, err = bind(cmd.Context(), "--admin-listen", adminAddress); err != nil {
			return err
		}
		defer adminAt.Close()
	}
	d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	closeReader, err := c.openReader(cmd.Context(), o.reader)
	if err != nil {
		return err
	}
	defer closeReader()
	instruments, end, err := c.telemetry(cmd.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	r, err := c.prepare(d, o.allowPrivate)
	if err != nil {
		return err
	}
	if err := r.start(cmd.Context()); err != nil {
		return err
	}
	return errors.Join(c.serveUntilDone(cmd, d, r, instruments, cert, at, adminAt, o.studio), r.stop())
}

// serveUntilDone answers requests until it is interrupted. cert and adminAt may be nil.
func (c *cli) serveUntilDone(cmd *cobra.Command, d *database, r *running, instruments *telemetry, cert *certificate, at, adminAt net.Listener, withStudio bool) error {
	h := httpapi.Handler(c.api(d, r.Engine))
	says := serving{URL: cert.scheme() + "://" + at.Addr().String(), Engine: r.String()}
	if withStudio {
		var err error
		if h, err = c.withStudio(h); err != nil {
			return err
		}
		says.Studio = says.URL + studioPrefix + "/"
	}
	s := c.listen(cert.on(at), h)
	var admin *listener
	if adminAt != nil {
		admin = c.listen(cert.on(adminAt), c.admin(d, r.Engine, instruments))
		says.AdminURL = cert.scheme() + "://" + adminAt.Addr().String()
	}
	err := c.print(cmd, says, func(out io.Writer) error {
		printable.Fprintf(out, "%v\n", r)
		if admin != nil {
			printable.Fprintf(out, "metrics and profiles on %s\n", says.AdminURL)
		}
		if says.Studio != "" {
			printable.Fprintf(out, "Studio on %s\n", says.Studio)
		}
		return printable.Fprintf(out, "listening on %s; interrupt to stop\n", says.URL)
	})
	err = errors.Join(err, s.wait(cmd.Context(), r))
	if admin != nil {
		err = errors.Join(err, admin.stop(r))
	}
	return err
}

// admin answers what is for operators.
func (c *cli) admin(d *database, e *engine.Engine, instruments *telemetry) http.Handler {
	return httpapi.Admin(c.api(d, e), instruments.metrics(c.host.Config.Logger), profiles())
}

// trackingFlags are those of commands that take events in over HTTP.
func (c *cli) trackingFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.host.HTTP.StoreProperties, "store-properties", c.host.HTTP.StoreProperties,
		"let event payloads set user properties, not only traits")
	config := &c.host.Config
	cmd.Flags().BoolVar(&config.NoAnonymous, "no-anonymous", config.NoAnonymous, "refuse events that carry nothing but an anonymous id")
	cmd.Flags().DurationVar(&config.AnonymousAge, "anonymous-age", cmp.Or(config.AnonymousAge, 30*24*time.Hour),
		"`DURATION` after its last event after which an anonymous contact expires")
	cmd.Flags().StringToIntVar(&config.IDKinds, "id-kinds", config.IDKinds,
		"further kinds of ids, with the number of ids that a user may have of each, like `KIND=N`,KIND=N (default none)")
}

// serving is what is printed when requests can come.
type serving struct {
	URL        string             `json:"url"`
	AdminURL   string             `json:"adminUrl,omitempty"`
	Engine     string             `json:"engine"` // how it runs
	Database   string             `json:"database,omitempty"`
	Applied    []string           `json:"applied,omitempty"` // migrations
	Deployment *engine.Deployment `json:"deployment,omitempty"`
	Key        string             `json:"key,omitempty"` // by which events are let in
	Studio     string             `json:"studio,omitempty"`
}

// api returns what the HTTP API of an engine is made of.
func (c *cli) api(d *database, e *engine.Engine) httpapi.Options {
	return httpapi.Options{
		Engine: e, Keys: apikey.Store{Pool: d.pool, Schema: c.schema}, Config: httpapi.Config(c.host.HTTP), Log: c.host.Config.Logger, Around: c.traced(),
		Examine: c.examineRunning(d.pool, e),
	}
}

// NewHandler returns the HTTP API of an engine, for hosts that have a server of their own. The
// engine must run. c may be the zero value, and the logger nil for slog.Default. Streams end when
// the server shuts down. The bounds on headers and connections are those of the host's server.
func NewHandler(e *engine.Engine, pool *pgxpool.Pool, schema string, c HTTP, log *slog.Logger) http.Handler {
	return httpapi.Handler(httpapi.Options{
		Engine: e, Keys: apikey.Store{Pool: pool, Schema: schema}, Config: httpapi.Config(c), Log: log,
		Examine: (&cli{host: Host{Registry: e.Registry(), Name: "bucketd"}, schema: schema}).examineRunning(pool, e),
	})
}

// listener is a running HTTP server.
type listener struct {
	server *http.Server
	failed chan error
}

// bind binds an address before anything else starts, so that a taken address stops the command
// early. Connections wait.
func bind(ctx context.Context, flag, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w; choose another address", flag, address, err)
	}
	return l, nil
}

// listen starts an HTTP server. Slow clients cost it a connection each, and no more.
func (c *cli) listen(at net.Listener, h http.Handler) *listener {
	bounds := httpapi.Config(c.host.HTTP).WithDefaults()
	s := &listener{failed: make(chan error, 1), server: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: max(1, bounds.Header-headerSlop),
		ErrorLog:       log.New(connectionLog{c.host.Config.Logger}, "", 0),
	}}
	httpapi.WatchConnections(bounds, s.server)
	go func() {
		if err := s.server.Serve(at); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	return s
}

// headerSlop is how many bytes an HTTP server reads of a header beyond its bound.
const headerSlop = 4 << 10

// connectionLog logs what an HTTP server says of its connections: what clients do wrong is for
// debugging, that none can be taken any more is not.
type connectionLog struct{ log *slog.Logger }

// Write logs a line.
func (l connectionLog) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("http: Accept error")) {
		level = slog.LevelWarn
	}
	l.log.Log(context.Background(), level, "connection failed", "component", "http", "error", string(bytes.TrimSpace(line)))
	return len(line), nil
}

// wait waits until ctx ends. Then nothing new is taken in, and what came in is answered before it
// returns. What runs beside the server has to stop by the same deadline.
func (l *listener) wait(ctx context.Context, r *running) error {
	select {
	case <-ctx.Done():
	case err := <-l.failed:
		return err
	}
	r.deadline = time.Now().Add(r.patience)
	return l.stop(r)
}

// stop answers the requests that have arrived, and ends the server. Requests that leave the engine
// less than a third of the time are cut off: what they sent was not acknowledged.
func (l *listener) stop(r *running) error {
	ctx, cancel := context.WithDeadline(context.Background(), r.deadline.Add(-r.patience/3))
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("answer requests: %w", err), l.server.Close())
	}
	return nil
}

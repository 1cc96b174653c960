package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/bucketgen/bucketgen/internal/httpapi"
)

// telemetry exports what a process measures by OpenTelemetry: metrics in the format of Prometheus,
// and traces to a collector, if there is one.
type telemetry struct {
	registry *prometheus.Registry
	meters   *metric.MeterProvider
	tracers  Tracers // nil: traces go nowhere
}

// Tracers is where traces go, until it is shut down.
type Tracers interface {
	trace.TracerProvider

	// Shutdown sends what is still to be sent.
	Shutdown(ctx context.Context) error
}

// telemetry sets up metrics and traces, unless the host has done so. The function it returns shuts
// them down.
func (c *cli) telemetry(ctx context.Context) (*telemetry, func() error, error) {
	t := &telemetry{registry: prometheus.NewRegistry()}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, nil, fmt.Errorf("metrics: %w", err)
	}
	t.meters = metric.NewMeterProvider(metric.WithReader(exporter))
	if c.host.Config.Meters == nil {
		c.host.Config.Meters = t.meters
	}
	if c.host.Tracers != nil && c.host.Config.Tracers == nil {
		if t.tracers, err = c.host.Tracers(ctx, c.host.Name); err != nil {
			return nil, nil, err
		}
		if t.tracers != nil {
			c.host.Config.Tracers = t.tracers
		}
	}
	return t, t.end, nil
}

// end sends what is still to be sent.
func (t *telemetry) end() error {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := t.meters.Shutdown(ctx)
	if t.tracers != nil {
		err = errors.Join(err, t.tracers.Shutdown(ctx))
	}
	return err
}

// serverName stands for the Host of requests in metrics, which would have a series for each that
// clients invent. Its port is left out.
const serverName = "bucketd:80"

// nextKey is the key of a context for the work on a request.
type nextKey struct{}

// traced returns a function that traces and measures requests. Requests that are refused because of
// their key are neither: a span and a histogram cost more than everything else that such a request
// costs.
func (c *cli) traced() httpapi.Around {
	o := []otelhttp.Option{otelhttp.WithServerName(serverName), otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
		if r.Pattern != "" {
			return r.Pattern
		}
		return r.Method
	})}
	if c.host.Config.Meters != nil {
		o = append(o, otelhttp.WithMeterProvider(c.host.Config.Meters))
	}
	if c.host.Config.Tracers != nil {
		o = append(o, otelhttp.WithTracerProvider(c.host.Config.Tracers))
	}
	traced := otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Value(nextKey{}).(http.HandlerFunc)(w, r) //nolint:forcetypeassert // it is set below
	}), "http", o...)
	return func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		r = r.WithContext(context.WithValue(r.Context(), nextKey{}, next))
		if r.ProtoMajor == 1 && r.ProtoMinor > 1 { // there is no such version: clients invent it
			r.Proto = "HTTP/1.1"
		}
		traced.ServeHTTP(w, r)
	}
}

// metrics answers in the format of Prometheus.
func (t *telemetry) metrics(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError, Registry: t.registry,
	})
}

// profiles answers what net/http/pprof does, which is for those who may do everything: a profile
// can slow a process down.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// logFlags say how the process logs.
func (c *cli) logFlags(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&c.logFormat, "log", "text", "log format on standard error: text or json")
	flags.StringVar(&c.logLevel, "log-level", "info", "log level: debug, info, warn or error; debug logs every transition")
}

// logger makes the logger that the flags ask for, unless the host has one.
func (c *cli) logger(cmd *cobra.Command) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return fmt.Errorf("--log-level is %q; write debug, info, warn or error", c.logLevel)
	}
	if c.host.Config.Logger != nil {
		return nil
	}
	o := &slog.HandlerOptions{Level: level}
	switch c.logFormat {
	case "text":
		c.host.Config.Logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), o))
	case "json":
		c.host.Config.Logger = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), o))
	default:
		return fmt.Errorf("--log is %q; write text or json", c.logFormat)
	}
	return nil
}

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
)

// telemetry is where what a process tells by OpenTelemetry goes: metrics to whoever asks for them in the format of Prometheus,
// and traces to a collector, if there is one.
type telemetry struct {
	registry *prometheus.Registry
	meters   *metric.MeterProvider
	tracers  *trace.TracerProvider // nil: traces go nowhere
}

// tell lets engines tell what they do, unless the host has seen to that. The function that it returns ends it.
func (c *cli) tell(ctx context.Context) (*telemetry, func() error, error) {
	t := &telemetry{registry: prometheus.NewRegistry()}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, nil, fmt.Errorf("metrics: %w", err)
	}
	name, err := resource.Merge(resource.Default(), resource.NewSchemaless(semconv.ServiceName(c.host.Name)))
	if err != nil {
		return nil, nil, fmt.Errorf("telemetry: %w", err)
	}
	t.meters = metric.NewMeterProvider(metric.WithReader(exporter), metric.WithResource(name))
	if c.host.Config.Meters == nil {
		c.host.Config.Meters = t.meters
	}
	if collector() && c.host.Config.Tracers == nil {
		sender, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("traces: %w", err)
		}
		t.tracers = trace.NewTracerProvider(trace.WithBatcher(sender), trace.WithResource(name))
		c.host.Config.Tracers = t.tracers
	}
	return t, t.end, nil
}

// collector reports whether the environment names a collector of traces, as OpenTelemetry has it.
func collector() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
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

// traced lets requests tell what they do.
func (c *cli) traced(next http.Handler) http.Handler {
	o := []otelhttp.Option{otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
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
	return otelhttp.NewHandler(next, "http", o...)
}

// metrics answers in the format of Prometheus.
func (t *telemetry) metrics(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError, Registry: t.registry,
	})
}

// profiles answers what net/http/pprof does, which is for those who may do everything: a profile can slow a process down.
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
	flags.StringVar(&c.logFormat, "log", "text", "how to log, to the standard error: text or json")
	flags.StringVar(&c.logLevel, "log-level", "info", "what to log: debug, info, warn or error; debug logs every transition")
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

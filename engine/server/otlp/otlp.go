// Package otlp sends the traces of a host to a collector. It is a package of its own because it
// brings gRPC with it.
package otlp

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"

	"github.com/bucketgen/bucketgen/engine/server"
)

// Tracers is for [server.Host]: it sends traces by OTLP over HTTP where the environment says, as
// OpenTelemetry has it ($OTEL_EXPORTER_OTLP_ENDPOINT or $OTEL_EXPORTER_OTLP_TRACES_ENDPOINT), and
// nowhere if that says nothing. The service is called as the host is, unless $OTEL_SERVICE_NAME
// says otherwise.
func Tracers(ctx context.Context, name string) (server.Tracers, error) { //nolint:ireturn // it is what a host has
	if cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) == "" {
		return nil, nil //nolint:nilnil // there is no collector
	}
	sender, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	of, err := resource.New(ctx, resource.WithAttributes(semconv.ServiceName(name)), resource.WithHost(), resource.WithProcessPID(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	return trace.NewTracerProvider(trace.WithBatcher(sender), trace.WithResource(of)), nil
}

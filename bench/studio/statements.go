package main

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// tracer counts the statements of a request, which carries a counter in its context. What an engine
// sends by itself is not counted, nor begin and commit.
type tracer struct{}

type counterKey struct{}

// counting counts the statements of the requests that a handler answers.
func counting(h http.Handler, statements *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), counterKey{}, statements)))
	})
}

func count(ctx context.Context, n int) {
	if c, counted := ctx.Value(counterKey{}).(*atomic.Int64); counted {
		c.Add(int64(n))
	}
}

func (tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	word, _, _ := strings.Cut(data.SQL, " ")
	if word != "begin" && word != "commit" && word != "rollback" {
		count(ctx, 1)
	}
	return ctx
}

func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	count(ctx, data.Batch.Len())
	return ctx
}

func (tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// meanings are what statuses mean here.
var meanings = map[int]string{
	http.StatusBadRequest:            "A field is invalid or not allowed; field names it",
	http.StatusUnauthorized:          "The key is missing, unknown or revoked, or the session has ended",
	http.StatusForbidden:             "The key has the wrong kind, or the person lacks the role",
	http.StatusNotFound:              "The bucket or user does not exist",
	http.StatusNotAcceptable:         "The client does not accept JSON",
	http.StatusConflict:              "The state of the bucket or user does not allow the request; detail has the reason",
	http.StatusRequestEntityTooLarge: "The body is too large",
	http.StatusUnsupportedMediaType:  "The body is not JSON",
	http.StatusTooManyRequests:       "The rate limit of the key is exceeded; retry after Retry-After",
	http.StatusInternalServerError:   "The server failed; the reason is in its log",
	http.StatusServiceUnavailable:    "The database does not answer, the request took too long, or the server is stopping; retry after Retry-After",
}

// fields are the names that fields of the engine have here.
var fields = map[string]string{"user_id": "user", "kind": "by"}

// problem maps an error of the engine to an answer. Causes that a client cannot fix go to the log.
func (a *api) problem(ctx context.Context, err error) *problem.Problem {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	if invalid, ok := errors.AsType[*engine.InvalidError](err); ok {
		field := invalid.Field
		if ours, ok := fields[field]; ok {
			field = ours
		}
		return problem.Of(http.StatusBadRequest, field, invalid.Problem)
	}
	switch {
	case errors.Is(err, engine.ErrBusy):
		return problem.Later(http.StatusServiceUnavailable, "too many requests of this kind are unfinished; retry", 10*time.Second)
	case errors.Is(err, engine.ErrUnknownUser):
		return problem.Of(http.StatusNotFound, "user", "the user is unknown")
	case errors.Is(err, engine.ErrSuppressed), errors.Is(err, engine.ErrNoSecret):
		return problem.New(http.StatusConflict, err.Error())
	case errors.Is(err, engine.ErrDeleted):
		return problem.Of(http.StatusConflict, "user", "the user is deleted; restore them first")
	case errors.Is(err, engine.ErrPaused):
		return problem.Of(http.StatusConflict, "bucket", "the bucket is paused; resume it first")
	case errors.Is(err, engine.ErrNotDeployed):
		return problem.Of(http.StatusConflict, "bucket", "the definition of this server is not deployed; deploy it first")
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // the client is gone, and reads no answer
		return problem.New(http.StatusServiceUnavailable, "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded):
		a.options.Failed(ctx, err)
		return problem.Later(http.StatusServiceUnavailable, "the request took too long; retry", time.Second)
	case engine.Transient(err):
		a.options.Failed(ctx, err)
		return problem.Later(http.StatusServiceUnavailable, "the database does not answer, or the server is stopping; retry", time.Second)
	}
	a.options.Failed(ctx, err)
	return problem.New(http.StatusInternalServerError, "the server failed; the reason is in its log")
}

// plain lets what is not as the document says be answered by 400, as everywhere else.
func plain(ctx huma.Context, next func(huma.Context)) { next(&plainContext{ctx}) }

type humaContext huma.Context

type plainContext struct{ humaContext }

// SetStatus sets the status of the answer.
func (c *plainContext) SetStatus(status int) { c.humaContext.SetStatus(statusOf(status)) }

func statusOf(status int) int {
	if status == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return status
}

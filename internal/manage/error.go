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
	http.StatusBadRequest:            "Something cannot be read, or is not allowed; field says what",
	http.StatusUnauthorized:          "There is no key, or it is unknown or revoked",
	http.StatusForbidden:             "The key is of another kind",
	http.StatusNotFound:              "There is no such bucket or user",
	http.StatusNotAcceptable:         "JSON is not accepted",
	http.StatusConflict:              "The bucket or user is in a state that does not allow it; detail says which",
	http.StatusRequestEntityTooLarge: "The body is too large",
	http.StatusUnsupportedMediaType:  "The body is not JSON",
	http.StatusTooManyRequests:       "The key's rate is used up; try again after Retry-After",
	http.StatusInternalServerError:   "The server failed; its log says why",
	http.StatusServiceUnavailable:    "The database does not answer, it takes too long, or the server is about to stop; try again after Retry-After",
}

// problem says what is wrong when an engine returned an error. What nobody outside can mend is for the log.
func (a *api) problem(ctx context.Context, err error) *problem.Problem {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	if invalid, ok := errors.AsType[*engine.InvalidError](err); ok {
		field := invalid.Field
		if field == "user_id" {
			field = "user"
		}
		return problem.Of(http.StatusBadRequest, field, invalid.Problem)
	}
	switch {
	case errors.Is(err, engine.ErrUnknownUser):
		return problem.Of(http.StatusNotFound, "user", "nothing is known of this user")
	case errors.Is(err, engine.ErrDeleted):
		return problem.Of(http.StatusConflict, "user", "the user is deleted; restore them first")
	case errors.Is(err, engine.ErrPaused):
		return problem.Of(http.StatusConflict, "bucket", "the bucket is paused; resume it first")
	case errors.Is(err, engine.ErrNotDeployed):
		return problem.Of(http.StatusConflict, "bucket", "the definition that this server has is not deployed; deploy it first")
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // the client is gone, and reads no answer
		return problem.New(http.StatusServiceUnavailable, "the request was given up")
	case errors.Is(err, context.DeadlineExceeded):
		a.log.WarnContext(ctx, "a request took too long", "error", err)
		return problem.Later(http.StatusServiceUnavailable, "it took too long, and nothing was answered", time.Second)
	case engine.Transient(err):
		a.log.WarnContext(ctx, "a request could not be done for now", "error", err)
		return problem.Later(http.StatusServiceUnavailable, "the database does not answer, or the server is about to stop", time.Second)
	}
	a.log.ErrorContext(ctx, "a request failed", "error", err)
	return problem.New(http.StatusInternalServerError, "the server failed; its log says why")
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

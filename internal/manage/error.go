package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
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

// ours turns what huma finds wrong with a request into a problem. (huma.NewError would do that as well, but for every API of
// the program that this is a part of.)
func ours(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	status := statusOf(m.Status)
	switch status {
	case http.StatusBadRequest:
		return invalid(m), nil
	case http.StatusRequestEntityTooLarge:
		return problem.New(status, fmt.Sprintf("the body has more than %d bytes", maxBody)), nil
	case http.StatusUnsupportedMediaType:
		return problem.New(status, fmt.Sprintf("the Content-Type is %q; send application/json", ctx.Header("Content-Type"))), nil
	case http.StatusRequestTimeout:
		return problem.New(status, "the body did not come in time"), nil
	}
	return problem.New(status, "the body cannot be read"), nil
}

// invalid says which fields are wrong.
func invalid(m *huma.ErrorModel) *problem.Problem {
	if len(m.Errors) == 0 { // huma says so only of a body that is not there
		return problem.New(http.StatusBadRequest, "there is no body; send a JSON object")
	}
	var p *problem.Problem
	for _, e := range m.Errors {
		field := e.Location
		for _, where := range []string{"query.", "path.", "body."} {
			field = strings.TrimPrefix(field, where)
		}
		switch detail := wording(e); p {
		case nil:
			p = problem.Of(http.StatusBadRequest, field, detail)
		default:
			p.Others = append(p.Others, problem.Wrong{Field: field, Detail: detail})
		}
	}
	return p
}

// wording says what is wrong with a field, and what to do. What it has no words for is said as huma says it.
func wording(e *huma.ErrorDetail) string {
	value := fmt.Sprint(e.Value)
	const most = 100
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "…"
	}
	is := "is " + value + "; "
	switch m := e.Message; {
	case e.Location == "body" && strings.Contains(m, "unmarshal"):
		return "is not the JSON that this takes; see the document at /v1/openapi.json"
	case e.Location == "body":
		return "is no JSON: " + m
	case m == "unknown query parameter":
		return "is no parameter of this; see the document at /v1/openapi.json"
	case m == "invalid integer":
		return fmt.Sprintf("is %q; write a whole number", value)
	case m == "invalid float":
		return fmt.Sprintf("is %q; write a number", value)
	case m == "invalid boolean":
		return fmt.Sprintf("is %q; write true or false", value)
	case strings.HasPrefix(m, "invalid date/time"):
		return fmt.Sprintf("is %q; write a time like 2026-12-01T00:00:00Z", value)
	case strings.HasPrefix(m, "expected number >= "):
		return is + "it must be " + strings.TrimPrefix(m, "expected number >= ") + " or more"
	case strings.HasPrefix(m, "expected number <= "):
		return is + "it must be " + strings.TrimPrefix(m, "expected number <= ") + " or less"
	case strings.HasPrefix(m, "expected value to be one of "):
		return fmt.Sprintf("is %q; use %s", value, strings.ReplaceAll(strings.Trim(strings.TrimPrefix(m, "expected value to be one of "), `"`), ", ", " or "))
	case m == "unexpected property":
		return "is not known; see the document at /v1/openapi.json"
	default:
		return m
	}
}

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bucketgen/bucketgen/internal/problem"
)

// gate lets requests in by their keys.
type gate struct {
	keys keys
	now  func() time.Time

	mu    sync.Mutex
	rates map[int]*rate.Limiter // by the numbers of keys
}

func newGate(k keys, now func() time.Time) *gate {
	return &gate{keys: k, now: now, rates: map[int]*rate.Limiter{}}
}

// opens says what kinds of keys let a request do what a kind of key is for.
var opens = map[string][]string{
	writeKey: {writeKey, serverKey, adminKey},
	readKey:  {readKey, adminKey},
	adminKey: {adminKey},
}

// admit returns the key of a request, which must be one for that kind of deed. body is the key that stood in the body, if any.
func (g *gate) admit(r *http.Request, kind, body string) (key, error) {
	secret, _, given := r.BasicAuth()
	if !given {
		secret, given = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	if !given {
		secret = body
	}
	if secret == "" {
		where := "send it as the user name of Basic authentication, or as a Bearer token"
		if kind == writeKey {
			where = "send it as the user name of Basic authentication, as a Bearer token, or as writeKey in the body"
		}
		return key{}, problem.New(http.StatusUnauthorized, "there is no key; "+where)
	}
	k, known, err := g.keys.find(r.Context(), secret)
	switch {
	case err != nil:
		return key{}, err
	case !known:
		return key{}, problem.New(http.StatusUnauthorized, "the key is not known here, or it was revoked")
	case !slices.Contains(opens[kind], k.Kind):
		return key{}, problem.New(http.StatusForbidden, fmt.Sprintf("%q is a %s key; this takes %s", k.Name, k.Kind, either(opens[kind])))
	}
	return k, nil
}

// either names the kinds of keys that will do.
func either(kinds []string) string {
	named := make([]string, len(kinds))
	for i, kind := range kinds {
		named[i] = article(kind) + " " + kind + " key"
	}
	last := len(named) - 1
	if last == 0 {
		return named[0]
	}
	return strings.Join(named[:last], ", ") + " or " + named[last]
}

func article(word string) string {
	if strings.HasPrefix(word, "a") {
		return "an"
	}
	return "a"
}

// take counts so many of something, events or requests, against the rate of a key. The error says when there is room for them.
func (g *gate) take(k key, n int, what string) error {
	if k.Rate == 0 || n == 0 {
		return nil
	}
	g.mu.Lock()
	limiter := g.rates[k.No]
	if limiter == nil || limiter.Limit() != rate.Limit(k.Rate) {
		limiter = rate.NewLimiter(rate.Limit(k.Rate), k.Rate)
		g.rates[k.No] = limiter
	}
	g.mu.Unlock()
	// Of more than may come in a second, only that much is counted: else it could never come in.
	now := g.now()
	reservation := limiter.ReserveN(now, min(n, k.Rate))
	wait := reservation.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	reservation.CancelAt(now)
	return problem.Later(http.StatusTooManyRequests, fmt.Sprintf("the key %q lets %d %s in each second", k.Name, k.Rate, what), wait)
}

// keyOf is where the key of a request is in its context.
type keyOf struct{}

// guard lets only those requests through to a handler that have a key for that kind of deed. Each counts against the rate of
// its key.
func (g *gate) guard(kind string, log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k, err := g.admit(r, kind, "")
		if err == nil {
			err = g.take(k, 1, "requests")
		}
		var p *problem.Problem
		switch {
		case errors.As(err, &p):
			p.Answer(w)
		case err != nil:
			log.ErrorContext(r.Context(), "a key cannot be looked for", "error", err)
			problem.Later(http.StatusServiceUnavailable, "the key cannot be looked for", time.Second).Answer(w)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyOf{}, k)))
		}
	})
}

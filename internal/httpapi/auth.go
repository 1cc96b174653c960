package httpapi

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

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/internal/manage"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/session"
)

// auth lets requests in by their keys, and bounds what they cost: together, and those of each key.
type auth struct {
	keys     keys
	ring     *keyring
	uses     *uses
	sessions session.Store
	signed   *keyring      // of sessions
	offers   *rate.Limiter // of the queries for offers of sessions
	rates    *limiter
	bodies   *budget  // of bodies as they arrive
	work     *budget  // of what is made of them
	keyless  *budget  // of bodies whose key is not known yet
	worktime worktime // that is spent on those
	brake    *brake
	unread   unread
	cross    *http.CrossOriginProtection
	around   Around // the work on requests that were let in
	notices  *notices
	config   Config
}

// newAuth makes an auth. c has its defaults.
func newAuth(k keys, now func() time.Time, c Config, log *slog.Logger) *auth {
	sessions := session.Store{Pool: k.Pool, Schema: k.Schema, Now: now}
	half, share := int64(c.InFlight/2), int64(c.InFlightKey/2)
	return &auth{
		keys: k, ring: newKeyring(k), uses: newUses(k, log), sessions: sessions, signed: newKeyring(sessions),
		offers: rate.NewLimiter(lookupRate, lookupBurst), rates: newLimiter(c.Items, now), bodies: newBudget(half, share), work: newBudget(half, share),
		keyless: newBudget(int64(c.Keyless), int64(c.Keyless)), worktime: worktime{most: c.KeylessWork},
		brake: newBrake(c.Refusals), unread: unread{each: max(1, c.Refusals/20), burst: max(1, c.Refusals/5), keys: map[int]*rate.Limiter{}},
		cross: http.NewCrossOriginProtection(), around: plainly, notices: newNotices(log, time.Now), config: c,
	}
}

// opens says what kinds of keys let a request do what a kind of key is for.
var opens = map[string][]string{
	writeKey:   {writeKey, serverKey, adminKey},
	readKey:    {readKey, adminKey},
	supportKey: {supportKey, readKey, adminKey},
	adminKey:   {adminKey},
}

// secretOf returns the key in the headers of a request, if any.
func secretOf(r *http.Request) string {
	if secret, _, given := r.BasicAuth(); given {
		return secret
	}
	if secret, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); given {
		return secret
	}
	return ""
}

// admit returns the key with a secret, which must be one for that kind of effect, and takes one
// from its allowance. The error is a problem, unless the database is to blame.
func (a *auth) admit(r *http.Request, kind, secret, what string) (key, error) {
	if secret == "" {
		return key{}, errNoKey
	}
	return a.admitFrom(a.ring, r, kind, secret, what, errUnknownKey)
}

// admitFrom is [auth.admit] of a secret that a keyring knows, or else the error unknown.
func (a *auth) admitFrom(ring *keyring, r *http.Request, kind, secret, what string, unknown error) (key, error) {
	if before, known := ring.recall(secret); known { // a key that has no allowance left costs no query
		if wait, ok := a.rates.check(before.key); !ok {
			return before.key, exhausted(before.key, what, wait)
		}
	}
	k, known, err := ring.find(r.Context(), secret)
	switch {
	case errors.Is(err, errCrowded):
		return key{}, errCrowdedOut
	case err != nil:
		return key{}, err
	case !known:
		return key{}, unknown
	case !slices.Contains(opens[kind], k.Kind):
		return k, problem.New(http.StatusForbidden, fmt.Sprintf("%q is %s %s key; this takes %s", k.Name, article(k.Kind), k.Kind, either(opens[kind])))
	}
	if err := a.take(k, 1, what); err != nil {
		return k, err
	}
	trust(r.Context())
	a.uses.note(k.No)
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

// take takes n from the allowance of a key, of events or requests. The error says when there is
// enough.
func (a *auth) take(k key, n int, what string) error {
	if wait, ok := a.rates.take(k, n); !ok {
		return exhausted(k, what, wait)
	}
	return nil
}

// exhausted is the problem of a key that has used up its allowance for now.
func exhausted(k key, what string, wait time.Duration) *problem.Problem {
	return problem.Later(http.StatusTooManyRequests, fmt.Sprintf("the key %q lets %d %s in each second", k.Name, k.Rate, what), wait)
}

// charge takes the rest of a batch from the allowance of a key: all but the one that [auth.admit]
// took. If there is not enough, nothing is taken at all.
func (a *auth) charge(k key, items int) error {
	if err := a.take(k, max(items, 1)-1, "events"); err != nil {
		a.rates.give(k, 1)
		a.unread.note(k)
		return err
	}
	return nil
}

// unread says when the batches of a key are refused before they are read: when too many were
// refused lately, for the rate of the key, after they were read. Safe for concurrent use.
type unread struct {
	each  int // each is how many batches may be refused after they were read, in each second
	burst int // burst is how many of them may come at once

	mu   sync.Mutex
	keys map[int]*rate.Limiter
}

// note notes that a batch was read and refused.
func (u *unread) note(k key) {
	u.mu.Lock()
	defer u.mu.Unlock()
	l := u.keys[k.No]
	if l == nil {
		if len(u.keys) >= maxAllowances {
			clear(u.keys)
		}
		l = rate.NewLimiter(rate.Limit(u.each), u.burst)
		u.keys[k.No] = l
	}
	l.Allow()
}

// now reports whether a batch of a key must be refused before it is read.
func (u *unread) now(k key) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	l := u.keys[k.No]
	return l != nil && l.Tokens() < 1
}

// public returns the write key with a secret that a page shows to everybody. It says nothing of
// keys of other kinds. What it says may be a second old.
func (a *auth) public(ctx context.Context, secret string) (key, error) {
	c, known := a.ring.recall(secret)
	k, err := c.key, error(nil)
	if !known || time.Since(c.at) > time.Second {
		k, known, err = a.ring.find(ctx, secret)
	}
	switch {
	case errors.Is(err, errCrowded):
		return key{}, errCrowdedOut
	case err != nil:
		return key{}, err
	case !known || k.Kind != writeKey:
		return key{}, problem.New(http.StatusNotFound, "this is no write key that is known here, or it was revoked")
	}
	return k, nil
}

// The problems of requests without a known key. Many requests share them.
var (
	errNoKey      = problem.New(http.StatusUnauthorized, "there is no key; send it as the user name of Basic authentication, or as a Bearer token").Shared()
	errNoSession  = problem.New(http.StatusUnauthorized, "the session has ended; sign in again").Quiet().Shared()
	errNoSignIn   = problem.New(http.StatusUnauthorized, "there is no key and no session; sign in").Quiet().Shared()
	errUnknownKey = problem.New(http.StatusUnauthorized, "the key is not known here, or it was revoked").Shared()
	errCrowdedOut = problem.Later(http.StatusServiceUnavailable, "too many unknown keys are tried; send it again", time.Second).Shared()
)

// busy is the problem of a request that finds no room.
var busy = problem.Later(http.StatusServiceUnavailable, "too many requests are in flight; send it again", time.Second).Shared()

// refuse answers a request that was not let in. k is its key, as far as it is known. The request
// must hold nothing: the answer may have to wait.
func (a *auth) refuse(w http.ResponseWriter, r *http.Request, k key, p *problem.Problem) {
	a.hold(w, r, k.No, p)
	a.answer(w, p)
}

// hold waits if a request that was not let in must be answered later.
func (a *auth) hold(w http.ResponseWriter, r *http.Request, holder int, p *problem.Problem) {
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		if holder != keyless {
			return
		}
	}
	a.brake.hold(r, holder, w.Header())
}

// answer answers by a problem, in few words.
func (*auth) answer(w http.ResponseWriter, p *problem.Problem) {
	if len(p.Detail) > maxText || len(p.Field) > maxText {
		p.Detail, p.Field = short(p.Detail), short(p.Field)
	}
	p.Answer(w)
}

// fail answers a request whose key could not be checked, by a problem or because of the database.
func (a *auth) fail(w http.ResponseWriter, r *http.Request, k key, err error) {
	p, refused := errors.AsType[*problem.Problem](err)
	switch {
	case refused:
	case r.Context().Err() != nil:
		return // the client is gone
	default:
		a.notices.failed(r.Context(), "key lookup failed", err)
		p = problem.Later(http.StatusServiceUnavailable, "the key cannot be checked", time.Second)
	}
	a.refuse(w, r, k, p)
}

// guarding returns the handler that lets those requests through to the next one whose persons have
// an access.
func (a *auth) guarding(to manage.Access, next http.Handler) http.Handler {
	switch to {
	case manage.Open:
		return a.open(next)
	case manage.LookUp, manage.Self:
		return a.guard(supportKey, next)
	case manage.Read:
		return a.guard(readKey, next)
	default:
		return a.guard(adminKey, next)
	}
}

// requestBytes is what a request of the management API takes, for its body and its answer.
const requestBytes = 256 << 10

// guard lets only those requests through to a handler that have a key for that kind of effect. Each
// counts against the rate of its key, and takes its part of what all requests may hold.
func (a *auth) guard(kind string, next http.Handler) http.Handler {
	return a.pass(kind, func(w http.ResponseWriter, r *http.Request, k key) {
		bytes, err := a.work.wait(r.Context(), a.config.Wait, k.No, requestBytes)
		if err != nil {
			a.refuse(w, r, k, busy)
			return
		}
		defer a.work.give(k.No, bytes)
		next.ServeHTTP(w, r)
	})
}

// pass lets only those requests through that have a key for that kind of effect, or that a host
// hands over with a person who may do it. The person is in the context of what comes next. Each
// request counts against the rate of its key.
func (a *auth) pass(kind string, next func(http.ResponseWriter, *http.Request, key)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		person, k, err := a.person(r, kind)
		if err != nil {
			a.fail(w, r, k, err)
			return
		}
		r = r.WithContext(identity.With(r.Context(), person))
		a.around(w, r, func(w http.ResponseWriter, r *http.Request) { next(w, r, k) })
	})
}

package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/session"
)

// person returns the person that a request comes from, who may do what a kind of key is for, and
// the key that answers for the request. A person in the context was put there in this process, so
// the request needs no key. Others send a key, are known to the host, or have a session. The error
// is a problem, unless the database or the host is to blame.
func (a *auth) person(r *http.Request, kind string) (identity.Person, key, error) {
	if person, known := identity.Of(r.Context()); known {
		return person, key{No: person.Key, Name: person.Name}, permitted(person, kind)
	}
	if secret := secretOf(r); secret != "" {
		k, err := a.admit(r, kind, secret, "requests")
		return a.ofKey(k), k, err
	}
	if a.config.Authenticate != nil {
		person, err := a.config.Authenticate(r)
		switch {
		case errors.Is(err, identity.ErrUnknown):
			return person, key{}, errNoSignIn
		case err != nil:
			return person, key{}, err
		}
		trust(r.Context())
		return person, key{No: person.Key, Name: person.Name}, permitted(person, kind)
	}
	if secret := a.cookie(r); secret != "" {
		k, err := a.admitFrom(a.signed, r, kind, secret, "requests", errNoSession)
		return a.ofKey(k), k, err
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" { // the script of a page asks
		return identity.Person{}, key{}, errNoSignIn
	}
	return identity.Person{}, key{}, errNoKey
}

// ofKey returns the person that a key stands for.
func (a *auth) ofKey(k key) identity.Person {
	person := identity.Person{Name: k.Name, Role: identity.Read, Key: k.No}
	switch k.Kind {
	case adminKey:
		person.Role = identity.Admin
	case supportKey:
		person.Masked, person.Show = true, a.config.Show
	}
	return person
}

// permitted returns a problem unless a person may do what a kind of key is for.
func permitted(person identity.Person, kind string) error {
	err := person.Check()
	switch {
	case err != nil:
		return err
	case kind == adminKey && !person.MayChange():
		return problem.New(http.StatusForbidden, fmt.Sprintf("%q may read only; this takes the role %s", person.Name, identity.Admin))
	case kind == readKey && person.Masked:
		return problem.New(http.StatusForbidden, fmt.Sprintf("%q may see one user or bucket at a time; this takes a person who sees everything", person.Name))
	default:
		return nil
	}
}

// The names of the cookie of a session. Browsers accept the first over TLS only.
const (
	secureCookie = "__Secure-bucketgen"
	plainCookie  = "bucketgen"
)

// cookie returns the secret of a session that a request has, if any.
func (a *auth) cookie(r *http.Request) string {
	name := plainCookie
	if a.secure(r) {
		name = secureCookie
	}
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

// secure reports whether the browser sent a request over TLS.
func (a *auth) secure(r *http.Request) bool { return r.TLS != nil || a.config.BehindTLS }

// local reports whether a request comes from this machine, and was sent to it under a name of its
// own.
func local(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	to, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		to = r.Host
	}
	return net.ParseIP(from).IsLoopback() && (to == "localhost" || net.ParseIP(to).IsLoopback())
}

// signIn begins a session with a key or an offer, and sets its cookie. The other of the two is
// empty.
func (a *auth) signIn(w http.ResponseWriter, r *http.Request, secret, offer string) (identity.Person, error) {
	if a.config.Authenticate != nil {
		return identity.Person{}, problem.New(http.StatusForbidden, "the host signs people in; there is no sign-in with a key")
	}
	secure := a.secure(r)
	if !secure && !local(r) {
		return identity.Person{}, problem.New(http.StatusForbidden, "the request came over plain HTTP from another machine; use TLS")
	}
	k, err := a.signingIn(r, secret, offer)
	if err != nil {
		if p, refused := errors.AsType[*problem.Problem](err); refused {
			a.hold(w, r, k.No, p)
		}
		return identity.Person{}, err
	}
	begun, err := a.sessions.Begin(r.Context(), k.No)
	if err != nil {
		return identity.Person{}, err
	}
	http.SetCookie(w, bake(r, begun, secure))
	return a.ofKey(k), nil
}

// signingIn returns the key that a person signs in with.
func (a *auth) signingIn(r *http.Request, secret, offer string) (key, error) {
	if offer == "" {
		return a.admit(r, supportKey, secret, "requests")
	}
	if !a.offers.Allow() {
		return key{}, errCrowdedOut
	}
	k, known, err := a.sessions.Take(r.Context(), offer)
	if err == nil && !known {
		err = problem.Of(http.StatusUnauthorized, "once", "the link was used, or is older than a minute; print another").Quiet()
	}
	return k, err
}

// signOut ends the session of a request, if it has one, and deletes its cookie.
func (a *auth) signOut(w http.ResponseWriter, r *http.Request) error {
	if secret := a.cookie(r); secret != "" {
		if err := a.sessions.End(r.Context(), secret); err != nil {
			return err
		}
		c := bake(r, "", a.secure(r)) //nolint:gosec // bake sets its attributes
		c.MaxAge = -1
		http.SetCookie(w, c)
	}
	return nil
}

// bake returns the cookie of a session. Browsers send it with requests of the page's own site only.
func bake(r *http.Request, secret string, secure bool) *http.Cookie {
	//nolint:gosec // without TLS it is for this machine only, see secure
	c := &http.Cookie{
		Name: plainCookie, Value: secret, Path: identity.Prefix(r.Context()), MaxAge: int(session.Longest / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	}
	if secure {
		c.Name = secureCookie
	}
	return c
}

// openBytes is what a request without a key takes.
const openBytes = 8 << 10

// open lets requests through that have no key yet. Together they may hold what those may whose key
// stands in the body.
func (a *auth) open(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.keyless.try(keyless, openBytes) {
			a.refuse(w, r, key{}, busy)
			return
		}
		defer a.keyless.give(keyless, openBytes)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(a.config.KeylessRead)) // a writer without deadlines has none to move
		a.around(w, r, next.ServeHTTP)
	})
}

package main

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"html"
	"net/http"
	"sync"

	"github.com/bucketgen/bucketgen/engine/identity"
)

// sessions are the people who have signed in. A real program keeps them in its database, and
// bounds how long they last.
type sessions struct {
	password string

	mu     sync.Mutex
	people map[string]identity.Person // people has the person of each cookie.
}

// maxSessions is how many people may be signed in; a further one ends all other sessions.
const maxSessions = 1000

func newSessions(password string) *sessions {
	return &sessions{password: password, people: map[string]identity.Person{}}
}

// cookieName is the cookie of a session. Over TLS it is called __Host-session, and is Secure.
const cookieName = "session"

// authenticate returns the person whom a request comes from.
func (s *sessions) authenticate(r *http.Request) (identity.Person, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return identity.Person{}, identity.ErrUnknown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	person, known := s.people[cookie.Value]
	if !known {
		return identity.Person{}, identity.ErrUnknown
	}
	return person, nil
}

// signIn begins the session of a person who knows the password.
func (s *sessions) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	person, known := staff[r.PostFormValue("name")]
	if right := subtle.ConstantTimeCompare([]byte(r.PostFormValue("password")), []byte(s.password)); !known || right != 1 {
		http.Error(w, "The name or the password is wrong.", http.StatusForbidden)
		return
	}
	secret := rand.Text()
	s.mu.Lock()
	if len(s.people) >= maxSessions {
		clear(s.people)
	}
	s.people[secret] = person
	s.mu.Unlock()
	//nolint:gosec // the example listens on loopback without TLS; set Secure behind TLS
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/studio/", http.StatusSeeOther)
}

// home is the host's own page.
func (s *sessions) home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	person, err := s.authenticate(r)
	if err != nil {
		fmt.Fprint(w, `<!doctype html><title>Shop</title><form method="post" action="/login"><input name="name" placeholder="Name">`+
			`<input name="password" type="password" placeholder="Password"><button>Sign in</button></form>`)
		return
	}
	fmt.Fprintf(w, `<!doctype html><title>Shop</title><p>Welcome, %s. <a href="/studio/">Buckets</a></p>`, html.EscapeString(person.Name))
}

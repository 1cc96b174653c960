package studio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// person returns the person whom a request comes from. The API knows the sessions of people who
// signed in on the page.
func (p *Page) person(r *http.Request) (identity.Person, error) {
	if p.config.Authenticate == nil {
		return p.me(r)
	}
	person, err := p.config.Authenticate(r)
	if err != nil {
		return identity.Person{}, err
	}
	if err := person.Check(); err != nil {
		return identity.Person{}, err
	}
	person.Show = append(slices.Clip(person.Show), p.config.Show...)
	return person, nil
}

// me asks the API who has the session of a request.
func (p *Page) me(r *http.Request) (identity.Person, error) {
	if r.Header.Get("Cookie") == "" {
		return identity.Person{}, identity.ErrUnknown
	}
	answer := p.relay(r, http.MethodGet, "/v1/me", nil)
	switch {
	case answer.status == http.StatusUnauthorized:
		return identity.Person{}, identity.ErrUnknown
	case answer.status != http.StatusOK:
		return identity.Person{}, answer.problem()
	}
	var me struct {
		Name   string        `json:"name"`
		Role   identity.Role `json:"role"`
		Masked bool          `json:"masked"`
		Show   []string      `json:"show"`
	}
	if err := json.Unmarshal(answer.body.Bytes(), &me); err != nil {
		return identity.Person{}, fmt.Errorf("read who is signed in: %w", err)
	}
	return identity.Person{Name: me.Name, Role: me.Role, Masked: me.Masked, Show: append(me.Show, p.config.Show...)}, nil
}

// relay asks the API on behalf of the browser: with its cookies, from its address, and over TLS if
// it used TLS.
func (p *Page) relay(r *http.Request, method, path string, body any) *kept {
	in := r.Clone(identity.WithPrefix(r.Context(), p.config.Prefix))
	in.Method, in.URL, in.RequestURI = method, &url.URL{Path: path}, path
	in.Body, in.ContentLength = http.NoBody, 0
	for _, name := range []string{"Authorization", "Accept", "Accept-Encoding", "Content-Type", "Content-Length"} {
		in.Header.Del(name)
	}
	if body != nil {
		text, _ := json.Marshal(body) //nolint:errchkjson // it has texts only
		in.Body, in.ContentLength = io.NopCloser(strings.NewReader(string(text))), int64(len(text))
		in.Header.Set("Content-Type", "application/json")
	}
	answer := &kept{header: http.Header{}}
	p.api.ServeHTTP(answer, in)
	return answer
}

// problem returns why a request was refused.
func (k *kept) problem() *client.Problem {
	problem := &client.Problem{}
	if json.Unmarshal(k.body.Bytes(), problem) != nil || problem.Title == "" {
		problem.Title = http.StatusText(k.status)
	}
	problem.Status = int64(k.status)
	return problem
}

// stranger answers a person who is not signed in.
func (p *Page) stranger(w http.ResponseWriter, r *http.Request) {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		next = p.config.Prefix + "/"
	}
	switch {
	case r.Header.Get("Hx-Request") != "":
		w.Header().Set("Hx-Refresh", "true") // and the page is answered by the sign-in
		w.WriteHeader(http.StatusUnauthorized)
	case p.config.Authenticate != nil:
		p.failed(w, r, identity.Person{}, &client.Problem{Status: http.StatusUnauthorized, Title: "Not signed in", Detail: "Sign in to this site and open the page again."})
	case r.Header.Get("Sec-Fetch-Site") == "cross-site":
		// A link on another site comes without the cookie, which is strict. The page's own script
		// asks again, with it.
		_ = write(w, r, http.StatusOK, view.Bounce(p.site(identity.Person{})))
	default:
		http.Redirect(w, r, p.config.Prefix+"/sign-in?next="+url.QueryEscape(next), http.StatusSeeOther)
	}
}

// next returns the page that a person asked for before signing in: one of this site.
func (p *Page) next(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, p.config.Prefix+"/") || strings.HasPrefix(u.Path, p.config.Prefix+"/sign-") {
		return p.config.Prefix + "/"
	}
	return u.RequestURI()
}

// signInPage shows the form in which a key is entered.
func (p *Page) signInPage(w http.ResponseWriter, r *http.Request) {
	next := p.next(r.URL.Query().Get("next"))
	if _, err := p.person(r); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // next is a path of this site
		return
	} else if !errors.Is(err, identity.ErrUnknown) {
		p.failed(w, r, identity.Person{}, err)
		return
	}
	_ = write(w, r, http.StatusOK, view.SignIn(p.site(identity.Person{}), next, ""))
}

// signIn begins a session with a key, or with the secret of a link that is good once.
func (p *Page) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	next := p.next(r.PostFormValue("next"))
	with := map[string]string{"key": strings.TrimSpace(r.PostFormValue("key"))}
	if once := r.PostFormValue("once"); once != "" {
		with = map[string]string{"once": once}
	}
	answer := p.relay(r, http.MethodPost, "/v1/sessions", with)
	if answer.status != http.StatusOK {
		problem := answer.problem()
		_ = write(w, r, http.StatusOK, view.SignIn(p.site(identity.Person{}), next, view.Sentence(problem)))
		return
	}
	for _, cookie := range answer.header.Values("Set-Cookie") {
		w.Header().Add("Set-Cookie", cookie)
	}
	http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // next is a path of this site
}

// signOut ends the session.
func (p *Page) signOut(w http.ResponseWriter, r *http.Request) {
	answer := p.relay(r, http.MethodDelete, "/v1/sessions", nil)
	for _, cookie := range answer.header.Values("Set-Cookie") {
		w.Header().Add("Set-Cookie", cookie)
	}
	http.Redirect(w, r, p.config.Prefix+"/sign-in", http.StatusSeeOther)
}

// maxForm is how many bytes a form may have: a list of 1,000 users is the longest.
const maxForm = 1 << 20

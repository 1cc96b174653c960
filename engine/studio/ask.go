package studio

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// errBroke says that the API did not answer.
var errBroke = errors.New("the server failed; its log says why")

// ask is a request of a person who is signed in.
type ask struct {
	w    http.ResponseWriter
	r    *http.Request
	ctx  context.Context //nolint:containedctx // it is that of the request, with the person
	api  *client.Client
	page view.Page
}

// query returns a parameter of the query.
func (a *ask) query(name string) string { return a.page.Query.Get(name) }

// number returns a parameter of the query that is a number, or 0 if it is not.
func (a *ask) number(name string) int64 {
	n, err := strconv.ParseInt(a.query(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// part reports whether htmx asks for a part of the page, and which.
func (a *ask) part() string {
	if a.r.Header.Get("Hx-Request") == "" {
		return ""
	}
	return a.query("part")
}

// as sets the title of the page and its place in the navigation.
func (a *ask) as(title, nav string) { a.page.Title, a.page.Nav = title, nav }

// show answers with a page.
func (a *ask) show(content templ.Component) error {
	return a.write(http.StatusOK, view.Layout(a.page, content))
}

// write answers with HTML, which is complete before the first byte is sent, so that a failure shows
// as one.
func (a *ask) write(status int, content templ.Component) error {
	return write(a.w, a.r, status, content)
}

func write(w http.ResponseWriter, r *http.Request, status int, content templ.Component) error {
	var b bytes.Buffer
	if err := content.Render(r.Context(), &b); err != nil {
		return err
	}
	h, text := w.Header(), b.Bytes()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding, Cookie, HX-Request")
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		text = zipped(text)
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may be gone
	return nil
}

// back answers a change by sending the browser to a page that says what was done.
func (a *ask) back(path string, query url.Values, done string) error {
	if query == nil {
		query = url.Values{}
	}
	query.Set("done", done)
	http.Redirect(a.w, a.r, a.page.To(path, query), http.StatusSeeOther)
	return nil
}

// handle returns a handler for people who are signed in.
func (p *Page) handle(do func(*ask) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		person, err := p.person(r)
		switch {
		case errors.Is(err, identity.ErrUnknown):
			p.stranger(w, r)
			return
		case err != nil:
			p.failed(w, r, identity.Person{}, err)
			return
		}
		ctx := identity.WithPrefix(identity.With(r.Context(), person), p.config.Prefix)
		a := &ask{w: w, r: r, ctx: ctx, api: p.client, page: view.Page{
			Site: p.site(person), Path: r.URL.Path, Query: r.URL.Query(), Done: r.URL.Query().Get("done"),
		}}
		if err := do(a); err != nil {
			p.failed(w, r, person, err)
		}
	}
}

// change returns a handler for people who may change something.
func (p *Page) change(do func(*ask) error) http.HandlerFunc {
	return p.handle(func(a *ask) error {
		if !a.page.Person.MayChange() {
			return &client.Problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "This needs the role admin; you have the role " + string(a.page.Person.Role) + "."}
		}
		if err := a.r.ParseForm(); err != nil {
			return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Detail: "The form cannot be read."}
		}
		return do(a)
	})
}

// failed answers a request that failed: with a box for a part of a page, and with a page otherwise.
func (p *Page) failed(w http.ResponseWriter, r *http.Request, person identity.Person, err error) {
	problem := problemOf(err)
	status := int(problem.Status)
	if status < http.StatusBadRequest {
		status = http.StatusInternalServerError
	}
	page := view.Page{Site: p.site(person), Title: problem.Title, Path: r.URL.Path, Query: r.URL.Query()}
	content := view.Failure(page, problem)
	if r.Header.Get("Hx-Request") == "" {
		content = view.Layout(page, content)
	}
	_ = write(w, r, status, content)
}

// problemOf returns what people read of an error.
func problemOf(err error) *client.Problem {
	if problem, is := errors.AsType[*client.Problem](err); is {
		return problem
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &client.Problem{Status: http.StatusServiceUnavailable, Title: "Service Unavailable", Detail: "The server did not answer in time."}
	}
	return &client.Problem{Status: http.StatusInternalServerError, Title: "Internal Server Error", Detail: err.Error()}
}

// boxes loads the parts of a page at the same time. The failure of one leaves the others as they
// are.
type boxes struct{ wait sync.WaitGroup }

// load begins to load a box. Its value may be read after [boxes.done].
func load[T any](b *boxes, do func() (T, error)) *view.Box[T] {
	box := &view.Box[T]{}
	b.wait.Go(func() {
		value, err := do()
		box.Value = value
		if err != nil {
			box.Problem = problemOf(err)
		}
	})
	return box
}

func (b *boxes) done() { b.wait.Wait() }

// parseCount reads a number that is not negative.
func parseCount(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n, err
}

// lines returns the lines of a text that are not empty.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

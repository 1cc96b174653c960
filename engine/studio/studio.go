package studio

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// Config says where the page is and who may see it.
type Config struct {
	// Prefix is the path below which the page is mounted, such as "/studio": it begins with a slash
	// and does not end with one. It is the path that browsers use, also behind a proxy. Defaults to
	// "/studio".
	Prefix string

	// Authenticate returns the person whom a request comes from, for hosts that sign people in by
	// their own means. It replaces the page's sign-in. Defaults to nil: people sign in with a read
	// or an admin key.
	Authenticate identity.AuthenticateFunc

	// Show names the properties whose values a masked person sees, in addition to those of the
	// person. Defaults to none.
	Show []string

	// Now is the clock of relative times on the page, such as "in 3 d". Defaults to time.Now.
	Now func() time.Time
}

// Page is the handler of the page. It is safe for concurrent use.
type Page struct {
	config  Config
	api     http.Handler
	client  *client.Client
	mux     *http.ServeMux
	origins *http.CrossOriginProtection
	assets  *assets
}

// New returns the page of an API, which is the handler that server.NewHandler returns. It returns
// an error that names the field if the configuration is wrong.
func New(api http.Handler, c Config) (*Page, error) {
	if api == nil {
		return nil, errors.New("studio.New: the API is nil; hand in the handler of server.NewHandler")
	}
	if c.Prefix == "" {
		c.Prefix = "/studio"
	}
	if !strings.HasPrefix(c.Prefix, "/") || strings.HasSuffix(c.Prefix, "/") || strings.ContainsAny(c.Prefix, "{}?#% ") {
		return nil, fmt.Errorf("studio.Config.Prefix is %q; it must begin with a slash, not end with one, and be plain text", c.Prefix)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Page{config: c, api: api, mux: http.NewServeMux(), origins: http.NewCrossOriginProtection()}
	var err error
	if p.client, err = newClient(api); err != nil {
		return nil, err
	}
	if p.assets, err = newAssets(); err != nil {
		return nil, err
	}
	p.routes()
	return p, nil
}

// ServeHTTP answers a request.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if err := p.origins.Check(r); err != nil {
		http.Error(w, "The request comes from a page of another site.", http.StatusForbidden)
		return
	}
	if strings.HasPrefix(r.URL.Path, p.config.Prefix+"/v1/") { // not by the mux, which would fold the dots of an id
		p.forward(w, r)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// policy lets a browser run this page's own files and nothing else: no inline script or style, no
// frame around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers that every answer has.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// site returns what every page says and links to.
func (p *Page) site(person identity.Person) view.Site {
	return view.Site{Prefix: p.config.Prefix, Person: person, Now: p.config.Now(), Assets: p.assets.names, Hosted: p.config.Authenticate != nil}
}

// Package view renders the HTML of Studio. Its functions take answers of the management API and
// change nothing.
package view

import (
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// Site is what all pages share.
type Site struct {
	Prefix string // Prefix is the path below which the page is mounted.
	Person identity.Person
	Now    time.Time
	Assets map[string]string // Assets has the names in URLs of embedded files.
	Hosted bool              // Hosted reports whether the host signs people in, so that the page does not sign them out.
}

// To returns the address of a page of this site.
func (s Site) To(path string, query url.Values) string {
	for name, values := range query {
		if len(values) == 0 || values[0] == "" {
			query = maps.Clone(query)
			delete(query, name)
		}
	}
	if len(query) == 0 {
		return s.Prefix + path
	}
	return s.Prefix + path + "?" + query.Encode()
}

// Asset returns the address of an embedded file.
func (s Site) Asset(name string) string { return s.Prefix + "/assets/" + s.Assets[name] }

// Bucket returns the address of a bucket's page, or of one of its tabs.
func (s Site) Bucket(id string, tab ...string) string {
	return s.Prefix + "/buckets/" + url.PathEscape(id) + strings.Join(tab, "")
}

// User returns the address of a user's page. The id stands in the query: browsers fold .. out of
// paths.
func (s Site) User(id string) string { return s.To("/user", url.Values{"id": {id}}) }

// Page is one page.
type Page struct {
	Site
	Title string
	Nav   string // Nav is the entry of the navigation that the page belongs to.
	Path  string // Path is that of the request.
	Query url.Values
	Done  string // Done names the change that led here, if one did.
}

// With returns the address of this page with other parameters: pairs of names and values. An empty
// value takes a parameter out.
func (p Page) With(pairs ...string) string {
	query := maps.Clone(p.Query)
	if query == nil {
		query = url.Values{}
	}
	query.Del("done")
	query.Del("part")
	query.Del("since")
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return p.To(strings.TrimPrefix(p.Path, p.Prefix), query)
}

// Box is a part of a page that is loaded on its own.
type Box[T any] struct {
	Value   T
	Problem *client.Problem // Problem says why there is no value; nil if there is one.
}

// entry is a line of the navigation.
type entry struct{ name, path, title, icon string }

// entries are the lines of the navigation, in order.
var entries = []entry{
	{"buckets", "/", "Buckets", "M4 6h16M4 12h10M4 18h6"},
	{"user", "/user", "Users", "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 20c1-4 4-6 8-6s7 2 8 6"},
	{"live", "/live", "Live", "M3 12h4l3-7 4 14 3-7h4"},
	{"plan", "/plan", "Plan", "M4 18l5-6 4 3 7-9M15 6h5v5"},
	{"backtest", "/backtest", "Back-test", "M3 12a9 9 0 1 0 3-6.7M3 4v5h5M12 7v5l3 2"},
	{"outbox", "/outbox", "Outbox", "M4 13v6h16v-6M12 3v10M8 7l4-4 4 4"},
	{"webhooks", "/webhooks", "Webhooks", "M9 15a5 5 0 0 1 0-7l2-2a5 5 0 0 1 7 7l-1 1M15 9a5 5 0 0 1 0 7l-2 2a5 5 0 0 1-7-7l1-1"},
	{"events", "/events", "Events", "M5 4v16M5 5h12l-3 4 3 4H5"},
	{"try", "/try", "Try it", "M9 3h6M10 3v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M8 14h8"},
	{"health", "/health", "Health", "M12 20s-8-5-8-11a4.500 4.500 0 0 1 8-3 4.500 4.500 0 0 1 8 3c0 6-8 11-8 11z"},
	{"keys", "/keys", "Keys", "M14 10a4 4 0 1 0-4 4l1 0 2 2h2v2h2v2h3v-3l-6-6z"},
	{"erasures", "/erasures", "Erasures", "M9 20h11M4 15l9-10 6 5-8 10H8z"},
	{"audit", "/audit", "Audit", "M6 3h9l4 4v14H6zM9 11h6M9 15h6"},
}

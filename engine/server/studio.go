package server

import (
	"net/http"
	"strings"

	"github.com/bucketgen/bucketgen/engine/studio"
)

// studioPrefix is where serve and dev mount Studio.
const studioPrefix = "/studio"

// withStudio returns the API with Studio beside it. No mux decides between them: a mux folds the
// dots of an id in a path.
func (c *cli) withStudio(api http.Handler) (http.Handler, error) {
	page, err := studio.New(api, studio.Config{Prefix: studioPrefix, Now: c.host.Config.Now})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, studioPrefix+"/"):
			page.ServeHTTP(w, r)
		case r.URL.Path == studioPrefix || r.URL.Path == "/":
			http.Redirect(w, r, studioPrefix+"/", http.StatusSeeOther)
		default:
			api.ServeHTTP(w, r)
		}
	}), nil
}

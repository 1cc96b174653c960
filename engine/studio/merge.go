package studio

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// previewMerge shows what a merge of the user of the query into another one would come to.
func (p *Page) previewMerge(a *ask) error {
	a.as("Merge users", "user")
	if !a.page.Person.MayChange() {
		return &client.Problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "Merging is for people with the role admin."}
	}
	from, into := a.query("id"), strings.TrimSpace(a.query("into"))
	got, err := a.api.MergeUser(a.ctx, from, client.Merge{Into: into, DryRun: true})
	if err != nil {
		return err
	}
	return a.show(view.MergePage(a.page, *got.Preview))
}

// merge merges a user whose id was typed.
func (p *Page) merge(a *ask) error {
	from, into := a.r.PostFormValue("id"), a.r.PostFormValue("into")
	if strings.TrimSpace(a.r.PostFormValue("typed")) != strings.TrimSpace(view.Named(from)) {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The id was not typed."}
	}
	if _, err := a.api.MergeUser(a.ctx, from, client.Merge{Into: into}); err != nil {
		return err
	}
	return a.back("/user", url.Values{"id": {into}, "was": {from}}, "merge")
}

// survivor sends the browser to the page of the user into whom the user of an id was merged, and
// reports whether it did. name is the id by which that user goes; empty if it is not known.
func (a *ask) survivor(id, name string) bool {
	if name == "" || name == id {
		return false
	}
	query := a.page.Query
	query.Set("id", name)
	query.Set("was", id)
	http.Redirect(a.w, a.r, a.page.To("/user", query), http.StatusSeeOther)
	return true
}

// was returns the other id of a user that the query names, if it is one.
func (a *ask) was(id string) (string, error) {
	other := a.query("was")
	if other == "" {
		return "", nil
	}
	u, err := a.api.GetUser(a.ctx, id)
	if err != nil || !slices.Contains(u.Merged, other) && !slices.Contains(u.AnonymousIds, other) {
		return "", err
	}
	return other, nil
}

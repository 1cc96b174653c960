package studio

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// keys lists the API keys, for people who may change them.
func (p *Page) keys(a *ask) error { return a.keys(nil) }

func (a *ask) keys(made *client.Key) error {
	a.as("Keys", "keys")
	if !a.page.Person.MayChange() {
		return &client.Problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "Keys are for people with the role admin."}
	}
	keys := &view.Box[client.Keys]{}
	got, err := a.api.ListKeys(a.ctx)
	if keys.Value = got; err != nil {
		keys.Problem = problemOf(err)
	}
	return a.show(view.KeysPage(a.page, keys, made))
}

// createKey creates a key, and shows its secret in the answer, which no browser keeps.
func (p *Page) createKey(a *ask) error {
	made, err := a.api.CreateKey(a.ctx, client.NewKey{
		Name: strings.TrimSpace(a.r.PostFormValue("name")), Kind: client.NewKeyKind(a.r.PostFormValue("kind")),
	})
	if err != nil {
		return err
	}
	return a.keys(&made)
}

// revokeKey revokes a key.
func (p *Page) revokeKey(a *ask) error {
	no, err := strconv.ParseInt(a.r.PathValue("no"), 10, 64)
	if err != nil {
		return p.nothing(a)
	}
	if _, err := a.api.RevokeKey(a.ctx, no); err != nil {
		return err
	}
	return a.back("/keys", nil, "revoke")
}

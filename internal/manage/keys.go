package manage

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Keys is a list of API keys.
type Keys struct {
	Keys []apikey.Key `json:"keys" doc:"Keys without their secrets, the oldest first, revoked ones among them"`
}

// NewKey says which key to create.
type NewKey struct {
	_    struct{} `additionalProperties:"false"`
	Name string   `json:"name" minLength:"1" maxLength:"100" doc:"What the key is for; no number" example:"web"`
	Kind string   `json:"kind" enum:"write,server,read,support,admin" doc:"What the key may do"`
	Rate int      `json:"rate,omitempty" minimum:"0" maximum:"1000000" doc:"Events or requests a second at most. Defaults to 0, which is no limit"`
}

// Revoked is how many keys were revoked.
type Revoked struct {
	Revoked int64 `json:"revoked" doc:"Number of revoked keys"`
}

type newKeyInput struct {
	Body NewKey
}

type keyInput struct {
	No int `path:"no" minimum:"1" maximum:"2147483647" doc:"Number of the key" example:"3"`
}

func (a *api) keys() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/keys", OperationID: "listKeys", Tags: []string{"access"},
		Summary:     "List the API keys",
		Description: "All keys with their kinds, limits, and times of creation, last use and revocation. Secrets are shown when a key is created, and never again.",
	}, func(ctx context.Context, _ *struct{}) (Keys, error) {
		all, err := a.options.Keys.All(ctx)
		return Keys{orNone(all)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/keys", OperationID: "createKey", Tags: []string{"access"},
		Summary:     "Create an API key",
		Description: "The answer has the key itself, this once: the database has only its hash.",
	}, func(ctx context.Context, in *newKeyInput) (apikey.Key, error) {
		name := strings.TrimSpace(in.Body.Name)
		if _, err := strconv.Atoi(name); err == nil || name == "" {
			return apikey.Key{}, problem.Of(http.StatusBadRequest, "name", "is empty or a number; write what the key is for")
		}
		made, err := a.options.Keys.Create(ctx, name, in.Body.Kind, in.Body.Rate)
		noted(ctx, strconv.Itoa(made.No), "%s key %q", made.Kind, made.Name)
		return made, err
	}, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodDelete, Path: "/v1/keys/{no}", OperationID: "revokeKey", Tags: []string{"access"},
		Summary:     "Revoke an API key",
		Description: "Every server refuses the key from now on, and its sessions and streams end. Revoking a revoked key does nothing.",
	}, func(ctx context.Context, in *keyInput) (Revoked, error) {
		n, err := a.options.Keys.Revoke(ctx, strconv.Itoa(in.No))
		return Revoked{n}, err
	})
}

package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Me is the person who calls.
type Me struct {
	Name   string   `json:"name" doc:"Name in the audit log: that of the key, or of the host's own sign-in"`
	Role   string   `json:"role" enum:"read,admin" doc:"What the person may do"`
	Masked bool     `json:"masked,omitempty" doc:"Whether e-mail addresses and most values of properties are hidden from the person"`
	Show   []string `json:"show,omitempty" nullable:"false" doc:"Properties whose values a masked person sees"`
}

// SignIn says how a person signs in.
type SignIn struct {
	_    struct{} `additionalProperties:"false"`
	Key  string   `json:"key,omitempty" maxLength:"256" doc:"Read, support or admin key"`
	Once string   `json:"once,omitempty" maxLength:"256" doc:"Secret of a link that dev prints; it is good once, for a minute"`
}

// SignedOut says that there is no session any more.
type SignedOut struct {
	SignedOut bool `json:"signedOut" doc:"Always true"`
}

type signInInput struct {
	Body SignIn
}

// maxSignIn is how many bytes the body of a sign-in may have.
const maxSignIn = 2 << 10

func (a *api) sessions() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/sessions", OperationID: "signIn", Tags: []string{"access"}, Metadata: open, MaxBodyBytes: maxSignIn,
		Security: []map[string][]string{},
		Summary:  "Sign in with a key",
		Description: "Begins a session and sets its cookie, which scripts cannot read and which is sent with requests of the same site only. The session ends " +
			"12 hours after its last request, after 7 days, or when its key is revoked. Over plain HTTP it works on the server's own machine only. " +
			"It needs no key but the one in the body.",
	}, a.signIn, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodDelete, Path: "/v1/sessions", OperationID: "signOut", Tags: []string{"access"}, Metadata: self,
		Summary:     "Sign out",
		Description: "Ends the session of the cookie and deletes the cookie. Without a session it does nothing.",
	}, func(ctx context.Context, _ *struct{}) (SignedOut, error) {
		x := exchangeOf(ctx)
		return SignedOut{true}, a.options.SignOut(x.writer, x.request)
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/me", OperationID: "getMe", Tags: []string{"access"}, Metadata: self,
		Summary:     "Get the person who calls",
		Description: "Name and role of the person that the key, the session or the host's own sign-in stands for.",
	}, func(ctx context.Context, _ *struct{}) (Me, error) {
		person, _ := identity.Of(ctx)
		return me(person), nil
	})
}

func me(p identity.Person) Me { return Me{p.Name, string(p.Role), p.Masked, p.Show} }

func (a *api) signIn(ctx context.Context, in *signInInput) (Me, error) {
	switch key, once := in.Body.Key != "", in.Body.Once != ""; {
	case key && once:
		return Me{}, problem.Of(http.StatusBadRequest, "once", "is given, and a key as well; give one of them")
	case !key && !once:
		return Me{}, problem.Of(http.StatusBadRequest, "key", "is missing; give a read, support or admin key")
	}
	x := exchangeOf(ctx)
	person, err := a.options.SignIn(x.writer, x.request, in.Body.Key, in.Body.Once)
	return me(person), err
}

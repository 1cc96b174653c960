// Package identity describes the person or program that a request of the management API comes from.
// A host that signs people in by its own means makes a [Person] and hands it to the API by [With];
// handlers read it by [Of].
package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Role is what a person may do.
type Role string

const (
	// Read sees everything and changes nothing.
	Read Role = "read"

	// Admin sees and changes everything.
	Admin Role = "admin"
)

// Person is a person or a program that the API has let in.
type Person struct {
	// Name is the name in the audit log: that of a key, or the one that the host's own sign-in
	// gives. It must not be empty.
	Name string

	// Role is what the person may do. It must be Read or Admin.
	Role Role

	// Masked hides e-mail addresses and the values of properties from the person, who also gets no
	// lists of users, no search, no exports and no stream. Only a reader can be masked. Defaults to
	// false.
	Masked bool

	// Show names the properties whose values a masked person sees. Defaults to none.
	Show []string

	// Key is the number of the API key that the person came with or signed in with. Defaults to 0,
	// which is no key.
	Key int
}

// ErrUnknown says that a request comes from a person whom an [AuthenticateFunc] does not know.
var ErrUnknown = errors.New("the person is not signed in")

// AuthenticateFunc returns the person that a request comes from. It returns an error that wraps
// [ErrUnknown] for a request without a valid sign-in, which is answered 401. Any other error is
// answered 503 and logged. It is called from many goroutines.
type AuthenticateFunc func(*http.Request) (Person, error)

// MayChange reports whether the person may change anything.
func (p Person) MayChange() bool { return p.Role == Admin && !p.Masked }

// Sees reports whether the person sees the values of a property.
func (p Person) Sees(property string) bool { return !p.Masked || slices.Contains(p.Show, property) }

// Check returns an error if the person is not complete: it names the field.
func (p Person) Check() error {
	switch {
	case p.Name == "":
		return errors.New("identity.Person.Name is empty; give the name for the audit log")
	case p.Role != Read && p.Role != Admin:
		return fmt.Errorf("identity.Person.Role is %q; it must be %q or %q", p.Role, Read, Admin)
	case p.Role == Admin && p.Masked:
		return fmt.Errorf("identity.Person.Masked is set for the role %q; only %q can be masked", Admin, Read)
	default:
		return nil
	}
}

type (
	personKey struct{}
	prefixKey struct{}
)

// With returns a context with a person. A handler of the management API that is called in process
// with it asks for no key.
func With(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// Of returns the person of a context, and whether there is one.
func Of(ctx context.Context) (Person, bool) {
	p, known := ctx.Value(personKey{}).(Person)
	return p, known
}

// WithPrefix returns a context with the path below which the API is served to browsers, such as
// "/studio". A handler that strips a prefix sets it, so that the cookie of a session is sent below
// that path only.
func WithPrefix(ctx context.Context, path string) context.Context {
	return context.WithValue(ctx, prefixKey{}, path)
}

// Prefix returns the path below which the API is served to browsers. Defaults to "/".
func Prefix(ctx context.Context) string {
	if path, given := ctx.Value(prefixKey{}).(string); given && path != "" {
		return path
	}
	return "/"
}

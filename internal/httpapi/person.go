package httpapi

import (
	"fmt"
	"net/http"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// person returns the person that a request comes from, who may do what a kind of key is for, and the key that answers for the
// request. A person in the context was put there in this process, so the request needs no key. The error is a problem, unless the
// database is to blame.
func (g *gate) person(r *http.Request, kind string) (identity.Person, key, error) {
	if person, known := identity.Of(r.Context()); known {
		return person, key{No: person.Key, Name: person.Name}, permitted(person, kind)
	}
	k, err := g.admit(r, kind, shown(r), "requests")
	return ofKey(k), k, err
}

// ofKey returns the person that a key stands for.
func ofKey(k key) identity.Person {
	role := identity.Read
	if k.Kind == adminKey {
		role = identity.Admin
	}
	return identity.Person{Name: k.Name, Role: role, Key: k.No}
}

// permitted returns a problem unless a person may do what a kind of key is for.
func permitted(person identity.Person, kind string) error {
	if err := person.Check(); err != nil {
		return err
	}
	if kind == adminKey && !person.MayChange() {
		return problem.New(http.StatusForbidden, fmt.Sprintf("%q may read only; this takes the role %s", person.Name, identity.Admin))
	}
	return nil
}

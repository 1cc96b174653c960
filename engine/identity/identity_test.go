package identity_test

import (
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine/identity"
)

func TestPerson(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		person identity.Person
		wrong  string // the field that Check names
		change bool
		plan   bool // the person sees the property plan
	}{
		{"reader", identity.Person{Name: "ada", Role: identity.Read}, "", false, true},
		{"admin", identity.Person{Name: "ada", Role: identity.Admin}, "", true, true},
		{"masked", identity.Person{Name: "ada", Role: identity.Read, Masked: true}, "", false, false},
		{"masked, shown", identity.Person{Name: "ada", Role: identity.Read, Masked: true, Show: []string{"plan"}}, "", false, true},
		{"masked admin", identity.Person{Name: "ada", Role: identity.Admin, Masked: true}, "Masked", false, false},
		{"nameless", identity.Person{Role: identity.Read}, "Name", false, true},
		{"no role", identity.Person{Name: "ada"}, "Role", false, true},
		{"unknown role", identity.Person{Name: "ada", Role: "root"}, "Role", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.person.Check()
			if (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), "Person."+test.wrong+" ") {
				t.Errorf("Check returns %v, want an error of the field %q", err, test.wrong)
			}
			if got := test.person.MayChange(); got != test.change {
				t.Errorf("MayChange is %v", got)
			}
			if got := test.person.Sees("plan"); got != test.plan {
				t.Errorf("Sees is %v", got)
			}
		})
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	if p, known := identity.Of(t.Context()); known {
		t.Errorf("an empty context has %v", p)
	}
	ada := identity.Person{Name: "ada", Role: identity.Read}
	ctx := identity.WithPrefix(identity.With(t.Context(), ada), "/studio")
	if p, known := identity.Of(ctx); !known || p.Name != "ada" {
		t.Errorf("got %v, %v; want ada", p, known)
	}
	if got := identity.Prefix(ctx); got != "/studio" {
		t.Errorf("the prefix is %q", got)
	}
	if got := identity.Prefix(t.Context()); got != "/" {
		t.Errorf("the prefix without one is %q", got)
	}
}

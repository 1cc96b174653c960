package resolve_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/resolve"
)

// TestDecide reads ids like "u", "e:bob" and "a:1": a user id, an e-mail address and an anonymous
// id. owners says what they lead to before.
func TestDecide(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, ids, owners string
		untrusted         bool
		want              string
	}{
		{"a user id alone", "u", "", false, "u"},
		{"a user id of another name", "u", "u=w", false, "w"},
		{"a new visitor", "a:1", "", false, "a:1"},
		{"a visitor", "a:1", "a:1=a:1", false, "a:1"},
		{"a visitor who signed in", "a:1", "a:1=u", false, "u"},
		{"a shared id", "a:1", "a:1=s:1", false, "s:1"},
		{"both new", "u a:1", "", true, "u; attach a:1"},
		{"a new id of a user", "u a:1", "u=u", true, "u; attach a:1"},
		{"a sign-up", "u a:1", "a:1=a:1", true, "u; promote a:1 u"},
		{"a sign-in", "u a:1", "u=u a:1=a:1", true, "u; merge a:1 u"},
		{"a sign-in of a merged user", "u a:1", "u=w a:1=a:1", true, "w; merge a:1 w"},
		{"the user's own", "u a:1", "u=u a:1=u", true, "u"},
		{"another's, and a new user", "u a:1", "a:1=v", true, "u; share a:1 s:1"},
		{"another's", "u a:1", "u=u a:1=v", true, "u; share a:1 s:1"},
		{"shared", "u a:1", "u=u a:1=s:1", true, "u"},
		{"shared, and a new user", "u a:1", "a:1=s:1", true, "u"},
		{"a lead's id by a browser", "u a:1", "u=u a:1=e:bob", true, "u; taken a:1"},
		{"a lead's id by a browser, and a new user", "u a:1", "a:1=e:bob", true, "u; taken a:1"},
		{"a lead's id", "u a:1", "u=u a:1=e:bob", false, "u; merge e:bob u"},
		{"a lead signs up", "u e:bob", "e:bob=e:bob", false, "u; promote e:bob u"},
		{"a lead signs in", "u e:bob", "u=u e:bob=e:bob", false, "u; merge e:bob u"},
		{"an address that is another's", "u e:bob", "e:bob=v", false, "u; taken e:bob"},
		{"an address and a visitor", "e:bob a:1", "a:1=a:1", false, "e:bob; promote a:1 e:bob"},
		{"a lead and a visitor", "e:bob a:1", "e:bob=e:bob a:1=a:1", false, "e:bob; merge a:1 e:bob"},
		{"a user's address and a visitor", "e:bob a:1", "e:bob=u a:1=a:1", false, "u; merge a:1 u"},
		{"two leads", "c:7 e:bob", "c:7=c:7 e:bob=e:bob", false, "c:7; taken e:bob"},
		{"a further id of a lead", "c:7 e:bob", "e:bob=e:bob", false, "e:bob; attach c:7"},
		{"a visitor and a lead sign up as one", "u e:bob a:1", "e:bob=e:bob a:1=a:1", false, "u; promote e:bob u; merge a:1 u"},
		{"two ids of one contact", "u e:bob a:1", "u=u e:bob=e:bob a:1=e:bob", false, "u; merge e:bob u"},
		{"everything new", "u c:7 e:bob a:1", "", false, "u; attach c:7; attach e:bob; attach a:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			owners := map[string]string{}
			for pair := range strings.FieldsSeq(test.owners) {
				id, owner, _ := strings.Cut(pair, "=")
				owners[name(id)] = name(owner)
			}
			var names []string
			for id := range strings.FieldsSeq(test.ids) {
				names = append(names, name(id))
			}
			p := resolve.Decide(names, func(n string) string { return owners[n] }, !test.untrusted)
			if got := describe(&p); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

var short = map[string]string{"c": "crm", "e": resolve.Email, "a": resolve.Anonymous, "s": resolve.Shared}

func name(id string) string {
	kind, value, other := strings.Cut(id, ":")
	if !other {
		return id
	}
	if kind == "s" {
		value = resolve.Name(resolve.Anonymous, value)
	}
	return resolve.Name(short[kind], value)
}

func describe(p *resolve.Plan) string {
	say := func(n string) string {
		kind, value := resolve.Parse(n)
		if kind == resolve.Shared {
			_, value = resolve.Parse(value)
		}
		for letter, long := range short {
			if long == kind {
				return letter + ":" + value
			}
		}
		return value
	}
	parts := []string{say(p.Subject)}
	for _, s := range p.Before {
		parts = append(parts, fmt.Sprint(s.Op, " ", say(s.From), " ", say(s.Into)))
	}
	for _, n := range p.Attached {
		parts = append(parts, "attach "+say(n))
	}
	for _, n := range p.Taken {
		parts = append(parts, "taken "+say(n))
	}
	return strings.Join(parts, "; ")
}

// TestName checks that the names of ids of different kinds differ, and can be read again.
func TestName(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range []string{resolve.User, "crm", resolve.Email, resolve.Anonymous, resolve.Shared} {
		n := resolve.Name(kind, "same")
		if k, v := resolve.Parse(n); k != kind || v != "same" || seen[n] {
			t.Errorf("%q is read as %q %q, known before: %t", n, k, v, seen[n])
		}
		seen[n] = true
	}
	visitors := slices.DeleteFunc([]string{"u", name("e:x"), name("a:x"), name("s:x")}, func(n string) bool { return !resolve.IsVisitor(n) })
	if !slices.Equal(visitors, []string{name("a:x"), name("s:x")}) {
		t.Errorf("%q are visitors", visitors)
	}
}

package catalog_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/internal/catalog"
)

func TestNear(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, a, b string
		want       bool
	}{
		{"space and underscore", "signed up", "signed_up", true},
		{"case", "Signed Up", "signed up", true},
		{"camel case", "signedUp", "signed_up", true},
		{"points", "app.active", "app_active", true},
		{"no separator", "signedup", "signed-up", true},
		{"plural", "purchase", "purchases", true},
		{"plural of a word inside", "orders_count", "order_count", true},
		{"plural in ies", "categories", "category", true},
		{"a letter is missing", "purchse", "purchase", true},
		{"letters are exchanged", "kettle", "ketlte", true},
		{"two letters in a long name", "subscripion_startd", "subscription_started", true},
		{"short, by case", "Plan", "plan", true},
		{"umlaut", "größe", "Größe", true},

		{"the same", "plan", "plan", false},
		{"short, by a letter", "cat", "car", false},
		{"two letters in a short name", "planet", "plunge", false},
		{"another word", "signed up", "signed in", false},
		{"opposite", "opened", "closed", false},
		{"by a number", "step1", "step2", false},
		{"by a number at the end", "purchase", "purchase2", false},
		{"a longer name", "purchase", "purchase completed", false},
		{"nothing but signs", "--", "__", false},
		{"empty", "", "a", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := catalog.Near(tc.a, tc.b); got != tc.want {
				t.Errorf("%q and %q: got %t, want %t", tc.a, tc.b, got, tc.want)
			}
			if got := catalog.Near(tc.b, tc.a); got != tc.want {
				t.Errorf("%q and %q: got %t, want %t", tc.b, tc.a, got, tc.want)
			}
		})
	}
}

package transact

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestCanonical names a user who was merged twice, as a call meets it: each merge makes it go by
// the next name.
func TestCanonical(t *testing.T) {
	t.Parallel()
	merges := Names{"anon-1": "anon-2", "anon-2": "ada"}
	refused := errors.New("refused")
	for _, test := range []struct {
		name, user string
		err        error
		want       []string
	}{
		{"never merged", "ada", nil, []string{"ada"}},
		{"merged twice", "anon-1", nil, []string{"anon-1", "anon-2", "ada"}},
		{"another error", "anon-2", refused, []string{"anon-2", "ada"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			user, asked := test.user, []string{}
			err := Canonical(func() error {
				asked = append(asked, user)
				if into, merged := merges[user]; merged {
					return fmt.Errorf("change: %w", &mergedError{Names{user: into}})
				}
				return test.err
			}, func(n Names) { user = n.Of(user) })
			if !errors.Is(err, test.err) || !slices.Equal(asked, test.want) {
				t.Errorf("got %v after %q, want %v after %q", err, asked, test.err, test.want)
			}
		})
	}
}

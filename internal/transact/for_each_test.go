package transact_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// TestForEach goes through five users in pages of two. A page whose do fails, or gets no further,
// is repeated with attempts, and ends the loop without them.
func TestForEach(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, test := range []struct {
		name     string
		attempts bool
		fails    int // number of the call of do that fails
		stays    int // number of the call of do that gets no further
		want     []int64
		err      error
	}{
		{"all", false, 0, 0, []int64{2, 4, 5}, nil},
		{"an error", false, 2, 0, []int64{2, 4}, broken},
		{"an error with attempts", true, 2, 0, []int64{2, 4, 4, 5}, nil},
		{"no further", true, 0, 1, []int64{2, 2, 4, 5}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var attempts *retry.Attempts
				if test.attempts {
					attempts = &retry.Attempts{Log: slog.New(slog.DiscardHandler)}
				}
				var got []int64
				err := transact.ForEach(context.Background(), attempts, 0, func(after int64) (page []transact.User, err error) {
					for contact := after + 1; contact <= min(after+2, 5); contact++ {
						page = append(page, transact.User{Contact: contact})
					}
					return page, nil
				}, func(users []transact.User) (int64, error) {
					got = append(got, transact.Last(users))
					switch len(got) {
					case test.fails:
						return 0, broken
					case test.stays:
						return users[0].Contact - 1, nil
					}
					return transact.Last(users), nil
				})
				if !errors.Is(err, test.err) || !slices.Equal(got, test.want) {
					t.Errorf("got %v after pages up to %v, want %v after %v", err, got, test.err, test.want)
				}
			})
		})
	}
}

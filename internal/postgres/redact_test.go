package postgres_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/postgres"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want string }{
		{"postgres://u:s3cret@h:5432/db?sslmode=require", "postgres://u:xxxxx@h:5432/db?sslmode=require"},
		{"postgresql://u:s%40cret@h/db", "postgresql://u:xxxxx@h/db"},
		{"postgres://u:s@cret@h/db", "postgres://u:xxxxx@h/db"},
		{"postgres://:s3cret@h/db", "postgres://:xxxxx@h/db"},
		{"postgres://u@h/db?password=s3cret&sslmode=require", "postgres://u@h/db?password=xxxxx&sslmode=require"},
		{"postgres://u@h/db?sslmode=require&sslpassword=s3cret", "postgres://u@h/db?sslmode=require&sslpassword=xxxxx"},
		{"host=h user=u password=s3cret dbname=db", "host=h user=u password=xxxxx dbname=db"},
		{`host=h password = 's3 \' cret' user=u`, "host=h password = xxxxx user=u"},
		{"postgres://postgres@/postgres?host=%2Ftmp%2Fbg1", "postgres://postgres@/postgres?host=%2Ftmp%2Fbg1"},
		{"temp", "temp"},
	} {
		if got := postgres.Redact(test.in); got != test.want {
			t.Errorf("%s: got %s, want %s", test.in, got, test.want)
		}
	}
}

// TestNoPasswordInErrors connects by URLs that are invalid or lead nowhere.
func TestNoPasswordInErrors(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:s3cret-word@127.0.0.1:1/db",
		"postgres://u:s3cret-word@127.0.0.1:1/db?sslmode=bogus",
		"postgres://u@127.0.0.1:1/db?password=s3cret-word&sslmode=bogus",
		"postgres://u:s3cret-word%zz@127.0.0.1:1/db",
		"postgres://u:s3cret-word@127.0.0.1:port/db",
		"host=127.0.0.1 port=1 user=u password=s3cret-word sslmode=bogus",
		"host=127.0.0.1 port=one user=u password='s3cret-word' dbname=db",
	} {
		_, err := postgres.Start(t.Context(), postgres.Options{URL: url})
		_, parsed := pgxpool.ParseConfig(url)
		for _, err := range []error{err, postgres.Safe(url, parsed)} {
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: the password is in the error %v", url, err)
			}
		}
		if err == nil {
			t.Errorf("%s: got no error", url)
		}
	}
	if err := postgres.Safe("postgres://u:s3cret-word@h/db", fmt.Errorf("s3cret-word: %w", io.EOF)); !errors.Is(err, io.EOF) || err.Error() != "xxxxx: EOF" {
		t.Errorf("got %v", err)
	}
}

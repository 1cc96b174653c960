package rollout

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Service takes users through deployments and reconciliations. It is safe for concurrent use; its
// fields do not change while it is used.
type Service struct {
	Runner *transact.Runner

	// Options are those of a decision at the present time.
	Options decide.Options

	// Now is the clock of the process.
	Now func() time.Time

	// Log takes warnings.
	Log *slog.Logger

	// Refresh reads what is deployed.
	Refresh func(context.Context) (*store.Deployment, error)

	// Attempts returns the retries of one call, for a component.
	Attempts func(component string) *retry.Attempts

	// Workers is how many parts of a backfill run at once.
	Workers int

	// Poll is how often the loop reads what is deployed, and how long a reconciliation waits for
	// that of another process.
	Poll time.Duration

	// Process identifies the process, which leases a reconciliation for as long as Lease.
	Process pgtype.UUID
	Lease   time.Duration

	// Repaired is called with the number of memberships that a page of users needed repaired.
	Repaired func(n int64)
}

func (s *Service) queries() *db.Queries { return s.Runner.Store.Queries(s.Runner.Pool) }

// Deployment returns a deployment of which the database has a row.
func Deployment(row db.DeploymentsProgressRow) bucketgen.Deployment {
	d := bucketgen.Deployment{
		No: int(row.No), Kind: row.Kind, Fingerprint: row.Fingerprint, Emit: bucketgen.Emit(row.Emit), At: row.At.Time.UTC(),
		Rate: int(row.Rate), Users: row.Contacts, Followed: row.Followed, Joined: row.Joined, Left: row.Gone,
	}
	if row.FinishedAt.Valid {
		d.FinishedAt = row.FinishedAt.Time.UTC()
	}
	return d
}

// usersAfter returns a page of all users.
func usersAfter(ctx context.Context, q *db.Queries, after int64) ([]transact.User, error) {
	rows, err := q.ContactsPage(ctx, db.ContactsPageParams{AfterID: after, Size: transact.PageSize})
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	users := make([]transact.User, len(rows))
	for i, row := range rows {
		users[i] = transact.User{ID: row.UserID, Contact: row.ID}
	}
	return users, nil
}

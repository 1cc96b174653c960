package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/store"
)

// The kinds of keys. A write key lets events in and nothing else, so that it may stand in a browser. A server key also
// vouches for what it sends: it may merge known users. A read key reads everything and changes nothing. An admin key may do
// everything.
const (
	writeKey  = "write"
	serverKey = "server"
	readKey   = "read"
	adminKey  = "admin"
)

// key is a key as it is known: what it is made of is known to its owner only.
type key struct {
	No        int        `json:"no"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Rate      int        `json:"rate,omitempty"` // events, or requests, a second; 0: no limit
	CreatedAt time.Time  `json:"createdAt"`
	RevokedAt *time.Time `json:"revokedAt,omitempty"`
	Secret    string     `json:"key,omitempty"` // when it has just been made
}

// trusted reports whether what a request with the key says of users is believed: only then it may merge two known users.
func (k key) trusted() bool { return k.Kind == serverKey || k.Kind == adminKey }

// keys are those of a database.
type keys struct {
	pool   *pgxpool.Pool
	schema string
}

func (k keys) queries() *db.Queries { return store.QueriesIn(k.pool, k.schema) }

// create makes a key.
func (k keys) create(ctx context.Context, name, kind string, rate int) (key, error) {
	made := key{Name: name, Kind: kind, Rate: rate, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
	made.Secret = "bg_" + kind + "_" + rand.Text() // more than 128 random bits
	p := db.KeysCreateParams{Name: name, Kind: kind, Hash: hash(made.Secret), Now: store.Timestamp(made.CreatedAt)}
	if rate > 0 {
		limit := int32(rate)
		p.Rate = &limit
	}
	no, err := k.queries().KeysCreate(ctx, p)
	if err != nil {
		return key{}, fmt.Errorf("create a key: %w", err)
	}
	made.No = int(no)
	return made, nil
}

// find returns the key that somebody shows, and whether there is one that is not revoked.
func (k keys) find(ctx context.Context, secret string) (key, bool, error) {
	row, err := k.queries().KeysOf(ctx, hash(secret))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return key{}, false, nil
	case err != nil:
		return key{}, false, fmt.Errorf("look for a key: %w", err)
	}
	found := key{No: int(row.No), Name: row.Name, Kind: row.Kind}
	if row.Rate != nil {
		found.Rate = int(*row.Rate)
	}
	return found, true, nil
}

// findAll returns those of the keys with hashes that are not revoked.
func (k keys) findAll(ctx context.Context, hashes [][]byte) (map[digest]key, error) {
	rows, err := k.queries().KeysOfMany(ctx, hashes)
	if err != nil {
		return nil, fmt.Errorf("look for keys: %w", err)
	}
	found := make(map[digest]key, len(rows))
	for _, row := range rows {
		one := key{No: int(row.No), Name: row.Name, Kind: row.Kind}
		if row.Rate != nil {
			one.Rate = int(*row.Rate)
		}
		found[digest(row.Hash)] = one
	}
	return found, nil
}

// live returns those of the numbers whose keys are not revoked.
func (k keys) live(ctx context.Context, numbers []int32) ([]int32, error) {
	live, err := k.queries().KeysLive(ctx, numbers)
	if err != nil {
		return nil, fmt.Errorf("look for revoked keys: %w", err)
	}
	return live, nil
}

func (k keys) all(ctx context.Context) ([]key, error) {
	rows, err := k.queries().KeysAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the keys: %w", err)
	}
	all := make([]key, len(rows))
	for i, row := range rows {
		all[i] = key{No: int(row.No), Name: row.Name, Kind: row.Kind, CreatedAt: row.CreatedAt.Time.UTC()}
		if row.Rate != nil {
			all[i].Rate = int(*row.Rate)
		}
		if row.RevokedAt.Valid {
			at := row.RevokedAt.Time.UTC()
			all[i].RevokedAt = &at
		}
	}
	return all, nil
}

// revoke ends a key by its number, or all of a name. From then on no process lets it in.
func (k keys) revoke(ctx context.Context, which string) (int64, error) {
	p := db.KeysRevokeParams{Now: store.Timestamp(time.Now())}
	if no, err := strconv.ParseInt(which, 10, 32); err == nil {
		number := int32(no)
		p.No = &number
	} else {
		p.Name = &which
	}
	n, err := k.queries().KeysRevoke(ctx, p)
	if err != nil {
		return 0, fmt.Errorf("revoke a key: %w", err)
	}
	return n, nil
}

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func (c *cli) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Create, list and revoke API keys",
		Long: `The HTTP API requires a key. A write key may only send events, so that it can be used in a browser
or an app. A server key may also merge known users, so it belongs on servers only. A read key may
read everything and change nothing. An admin key may do everything.

Only a hash of the key is stored. The key itself is shown once, when it is created.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(c.keysCreateCommand(), c.keysListCommand(), c.keysRevokeCommand())
	return cmd
}

func (c *cli) keysCreateCommand() *cobra.Command {
	var ofServer, read, admin bool
	var rate int
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a key and show it",
		Long: `Creates a key and shows it this once: a write key, unless --server, --read or --admin is given. The
NAME is shown in lists.`,
		Example: "  " + c.host.Name + " keys create web --rate 500\n  " + c.host.Name + " keys create backend --server\n  " + c.host.Name + " keys create ops --admin",
		Args:    takes(1, "one NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, kind := strings.TrimSpace(args[0]), writeKey
			switch {
			case admin:
				kind = adminKey
			case ofServer:
				kind = serverKey
			case read:
				kind = readKey
			}
			switch _, err := strconv.Atoi(name); {
			case name == "":
				return errors.New("the NAME of a key is empty; write what the key is for")
			case err == nil:
				return fmt.Errorf("the NAME of a key is %q, which reads like a key number; write what the key is for", name)
			case rate < 0:
				return fmt.Errorf("--rate is %d; it must be positive, or 0 for no limit", rate)
			}
			return c.withKeys(cmd, func(k keys) error {
				made, err := k.create(cmd.Context(), name, kind, rate)
				if err != nil {
					return err
				}
				if c.asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(made) //nolint:gosec // it is shown this once
				}
				printable.Fprintf(cmd.OutOrStdout(), "%s\n", made.Secret)
				printable.Fprintf(cmd.ErrOrStderr(), "This is %s key %d, %q. It is not shown again.\n", made.Kind, made.No, made.Name)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&ofServer, "server", false, "may send events and merge known users")
	cmd.Flags().BoolVar(&read, "read", false, "may read everything and change nothing")
	cmd.Flags().BoolVar(&admin, "admin", false, "may do everything")
	cmd.MarkFlagsMutuallyExclusive("server", "read", "admin")
	cmd.Flags().IntVar(&rate, "rate", 0, "accept at most `N` events or requests a second; 0 for no limit")
	return cmd
}

func (c *cli) keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List all keys, including revoked ones",
		Long:    `Lists the keys with their names, kinds, limits, and times of creation and revocation.`,
		Example: "  " + c.host.Name + " keys list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withKeys(cmd, func(k keys) error {
				all, err := k.all(cmd.Context())
				if err != nil {
					return err
				}
				return printList(c, cmd, all, func(out io.Writer) error { return printKeys(out, all) })
			})
		},
	}
	return cmd
}

func printKeys(out io.Writer, all []key) error {
	t := newTable(out, "NO", "NAME", "KIND", "RATE", "CREATED", "REVOKED")
	for _, k := range all {
		rate, revoked := "-", "-"
		if k.Rate > 0 {
			rate = strconv.Itoa(k.Rate)
		}
		if k.RevokedAt != nil {
			revoked = k.RevokedAt.Format(time.RFC3339)
		}
		t.row(k.No, k.Name, k.Kind, rate, k.CreatedAt.Format(time.RFC3339), revoked)
	}
	return t.end()
}

func (c *cli) keysRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke NO|NAME",
		Short:   "Revoke a key by its number, or all keys of a name",
		Long:    `Revokes a key by its number, or all keys of a name. Every process refuses it from then on.`,
		Example: "  " + c.host.Name + " keys revoke web",
		Args:    takes(1, "one NO or NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withKeys(cmd, func(k keys) error {
				n, err := k.revoke(cmd.Context(), args[0])
				switch {
				case err != nil:
					return err
				case n == 0:
					return fmt.Errorf("there is no live key %q; see %s keys list", args[0], c.host.Name)
				}
				return c.print(cmd, map[string]int64{"revoked": n}, func(out io.Writer) error {
					return printable.Fprintf(out, "revoked %s\n", count(n, "key"))
				})
			})
		},
	}
}

// withKeys gives the keys of the database of the command line.
func (c *cli) withKeys(cmd *cobra.Command, do func(keys) error) (err error) {
	d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if _, err := store.CheckVersion(cmd.Context(), d.pool, c.schema); err != nil {
		return err
	}
	return do(keys{d.pool, c.schema})
}

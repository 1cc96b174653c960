package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/store"
)

func (c *cli) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Create, list and revoke API keys",
		Long: `The HTTP API requires a key. A write key may only send events, so that it can be used in a browser
or an app. A server key may also merge known users, so it belongs on servers only. A read key may
read everything and change nothing. A support key may read what is about one user or bucket, with
e-mail addresses and most values of properties masked. An admin key may do everything.

Only a hash of the key is stored. The key itself is shown once, when it is created.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(audited(c.keysCreateCommand()), c.keysListCommand(), audited(c.keysRevokeCommand()))
	return cmd
}

func (c *cli) keysCreateCommand() *cobra.Command {
	var ofServer, read, support, admin bool
	var rate int
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a key and show it",
		Long: `Creates a key and shows it this once: a write key, unless another kind is given. The NAME is shown in
lists.`,
		Example: "  " + c.host.Name + " keys create web --rate 500\n  " + c.host.Name + " keys create backend --server\n  " + c.host.Name + " keys create ops --admin",
		Args:    takes(1, "one NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, kind := strings.TrimSpace(args[0]), apikey.Write
			switch {
			case admin:
				kind = apikey.Admin
			case ofServer:
				kind = apikey.Server
			case read:
				kind = apikey.Read
			case support:
				kind = apikey.Support
			}
			switch _, err := strconv.Atoi(name); {
			case name == "":
				return errors.New("the NAME of a key is empty; write what the key is for")
			case err == nil:
				return fmt.Errorf("the NAME of a key is %q, which reads like a key number; write what the key is for", name)
			case rate < 0:
				return fmt.Errorf("--rate is %d; it must be positive, or 0 for no limit", rate)
			}
			return c.withKeys(cmd, func(k apikey.Store) error {
				made, err := k.Create(cmd.Context(), name, kind, rate)
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
	cmd.Flags().BoolVar(&support, "support", false, "may read about one user or bucket at a time, with personal data masked")
	cmd.Flags().BoolVar(&admin, "admin", false, "may do everything")
	cmd.MarkFlagsMutuallyExclusive("server", "read", "support", "admin")
	cmd.Flags().IntVar(&rate, "rate", 0, "accept at most `N` events or requests a second; 0 for no limit")
	return cmd
}

func (c *cli) keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List all keys, including revoked ones",
		Long: `Lists the keys with their names, kinds, limits, and times of creation, last use and revocation. The
last use is right to within a minute or two.`,
		Example: "  " + c.host.Name + " keys list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withKeys(cmd, func(k apikey.Store) error {
				all, err := k.All(cmd.Context())
				if err != nil {
					return err
				}
				return printList(c, cmd, all, func(out io.Writer) error { return printKeys(out, all) })
			})
		},
	}
	return cmd
}

func printKeys(out io.Writer, all []apikey.Key) error {
	t := newTable(out, "NO", "NAME", "KIND", "RATE", "CREATED", "USED", "REVOKED")
	for _, k := range all {
		rate, used, revoked := "-", "-", "-"
		if k.Rate > 0 {
			rate = strconv.Itoa(k.Rate)
		}
		if k.UsedAt != nil {
			used = k.UsedAt.Format(time.RFC3339)
		}
		if k.RevokedAt != nil {
			revoked = k.RevokedAt.Format(time.RFC3339)
		}
		t.row(k.No, k.Name, k.Kind, rate, k.CreatedAt.Format(time.RFC3339), used, revoked)
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
			return c.withKeys(cmd, func(k apikey.Store) error {
				n, err := k.Revoke(cmd.Context(), args[0])
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
func (c *cli) withKeys(cmd *cobra.Command, do func(apikey.Store) error) (err error) {
	d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if _, err := store.CheckVersion(cmd.Context(), d.pool, c.schema); err != nil {
		return err
	}
	return c.record(cmd, d, func() error { return do(apikey.Store{Pool: d.pool, Schema: c.schema}) })
}

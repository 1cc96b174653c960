package server

import (
	"context"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/audit"
	"github.com/bucketgen/bucketgen/internal/store"
)

// auditedKey is the annotation of commands that write the audit log.
const auditedKey = "audited"

// audited makes a command write the audit log: who ran it, and the first of its arguments.
func audited(cmd *cobra.Command) *cobra.Command {
	cmd.Annotations = map[string]string{auditedKey: "yes"}
	return cmd
}

// nameless makes a command write the audit log without its arguments, which name a person.
func nameless(cmd *cobra.Command) *cobra.Command {
	cmd.Annotations = map[string]string{auditedKey: "nameless"}
	return cmd
}

// record makes the change of a command, and writes the audit log if the command is one that does.
func (c *cli) record(cmd *cobra.Command, d *database, change func() error) error {
	if cmd.Annotations[auditedKey] == "" {
		return change()
	}
	if _, err := store.CheckVersion(cmd.Context(), d.pool, c.schema); err != nil {
		return err
	}
	log := audit.Log{Pool: d.pool, Schema: c.schema, Now: time.Now, Log: c.host.Config.Logger}
	e := &bucketgen.AuditEntry{By: operator(), Via: "cli", Action: strings.TrimPrefix(cmd.CommandPath(), c.host.Name+" ")}
	if args := cmd.Flags().Args(); len(args) > 0 && cmd.Annotations[auditedKey] != "nameless" { // a second one may be a URL, which may have a secret in it
		e.Object = args[0]
	}
	return log.Do(context.WithoutCancel(cmd.Context()), e, change)
}

// operator returns the name of the system user who runs the command.
func operator() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return "unknown"
}

package server

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

func (c *cli) eraseCommand() *cobra.Command {
	var o engine.EraseOptions
	var file string
	cmd := &cobra.Command{
		Use: "erase ID...", Short: "Erase persons: everything that the database has about them",
		Long: `Deletes everything about the persons with the given ids: users, users who were merged into them,
ids, properties, events, stays, transitions and deliveries. Nothing is announced, and sizes of
buckets in the past stay as they were. This cannot be undone.

With --suppress, events of these ids are dropped from then on. The ids are not kept, only hashes of
them under the secret in --secret-file or $BUCKETGEN_SUPPRESSION_SECRET. An id that is unknown is
reported, and does not stop the others.`,
		Example: "  " + c.host.Name + " erase ada --ticket GDPR-17\n  " + c.host.Name + " erase --file ids.txt --suppress",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := idsOf(args, file)
			if err != nil {
				return err
			}
			o.By = operator()
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error { return c.erase(cmd, e, ids, o) })
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "read the ids from this `FILE`, one a line")
	cmd.Flags().StringVar(&o.Kind, "kind", "user", "`KIND` of the ids")
	cmd.Flags().BoolVar(&o.Suppress, "suppress", false, "drop events of the ids from now on")
	cmd.Flags().StringVar(&o.Ticket, "ticket", "", "`REFERENCE` of the request, for the list of erasures")
	return cmd
}

// idsOf returns the ids of the arguments and of a file.
func idsOf(args []string, file string) ([]string, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if id := strings.TrimRight(line, "\r\n"); id != "" {
				args = append(args, id)
			}
		}
	}
	if len(args) == 0 {
		return nil, errors.New("erase takes one ID or more, or --file FILE; see erase --help")
	}
	return args, nil
}

func (c *cli) erase(cmd *cobra.Command, e *engine.Engine, ids []string, o engine.EraseOptions) error {
	unknown := int64(0)
	for i, id := range ids {
		out, err := e.People().Erase(cmd.Context(), id, o)
		switch {
		case errors.Is(err, engine.ErrUnknownUser):
			unknown++
			printable.Fprintf(cmd.ErrOrStderr(), "%s %d of %d is unknown\n", o.Kind, i+1, len(ids))
			continue
		case err != nil:
			return err
		}
		err = printList(c, cmd, []engine.Erasure{out}, func(w io.Writer) error {
			return printable.Fprintf(w, "erasure %d: %s and %s deleted\n", out.ID, count(out.Events, "event"), count(out.Rows, "other row"))
		})
		if err != nil {
			return err
		}
	}
	if unknown > 0 {
		return &refusedError{unknown, "id"}
	}
	return nil
}

func (c *cli) erasuresCommand() *cobra.Command {
	size := 0
	cmd := &cobra.Command{
		Use: "erasures", Short: "List erasures of persons",
		Long: `Lists the erasures, the newest first: when, by whom, for which ticket, and how many rows were deleted.
No entry names an id of the person.`,
		Example: "  " + c.host.Name + " erasures --limit 10",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				all, _, err := e.People().Erasures(cmd.Context(), engine.Page{Size: size})
				if err != nil {
					return err
				}
				return printList(c, cmd, all, func(out io.Writer) error { return printErasures(out, all) })
			})
		},
	}
	cmd.Flags().IntVar(&size, "limit", 100, "list at most `N`, up to 1000")
	return cmd
}

func printErasures(out io.Writer, all []engine.Erasure) error {
	t := newTable(out, "NO", "AT", "BY", "TICKET", "SUPPRESSED", "EVENTS", "ROWS", "FINISHED")
	for _, x := range all {
		t.row(x.ID, x.At.Format("2006-01-02T15:04:05Z"), x.By, x.Ticket, x.Suppressed, x.Events, x.Rows, !x.FinishedAt.IsZero())
	}
	return t.end()
}

func (c *cli) exportUserCommand() *cobra.Command {
	kind := ""
	cmd := &cobra.Command{
		Use: "user ID", Short: "Export everything about a person as JSON lines",
		Long: `Prints every row that the database has about a person, as of one moment: a line of JSON each, with
the name of the table and the row.`,
		Example: "  " + c.host.Name + " export user ada > ada.jsonl",
		Args:    takes(1, "one ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				return writeLines(cmd.OutOrStdout(), e.People().Export(cmd.Context(), kind, args[0]))
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "user", "`KIND` of the id")
	return cmd
}

// writeLines writes values as lines of JSON.
func writeLines[T any](out io.Writer, all iter.Seq2[T, error]) error {
	w := json.NewEncoder(out)
	for v, err := range all {
		if err != nil {
			return err
		}
		if err := w.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) suppressionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "suppressions", Short: "Manage ids whose events are dropped",
		Long: `Manages the ids whose events are dropped. Only hashes are stored, under the secret in --secret-file
or $BUCKETGEN_SUPPRESSION_SECRET.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(
		nameless(c.suppressionCommand("add", "Drop events of an id of which there is no user", func(e *engine.Engine, cmd *cobra.Command, kind, id string) error {
			return e.People().SetSuppression(cmd.Context(), kind, id, true)
		})),
		c.suppressionCommand("check", "Show whether events of an id are dropped", func(*engine.Engine, *cobra.Command, string, string) error { return nil }),
		nameless(c.suppressionCommand("remove", "Let an id in again, as that of a new user", func(e *engine.Engine, cmd *cobra.Command, kind, id string) error {
			return e.People().SetSuppression(cmd.Context(), kind, id, false)
		})),
		c.suppressionsExportCommand(), nameless(c.suppressionsImportCommand()),
	)
	return cmd
}

// suppressionCommand returns a command that does something about an id, and shows what is known of
// it.
func (c *cli) suppressionCommand(verb, short string, do func(e *engine.Engine, cmd *cobra.Command, kind, id string) error) *cobra.Command {
	kind := ""
	cmd := &cobra.Command{
		Use: verb + " ID", Short: short, Long: short + ".", Example: "  " + c.host.Name + " suppressions " + verb + " ada",
		Args: takes(1, "one ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				if err := do(e, cmd, kind, args[0]); err != nil {
					return err
				}
				s, err := e.People().Suppression(cmd.Context(), kind, args[0])
				if err != nil {
					return err
				}
				return printList(c, cmd, []engine.Suppression{s}, func(out io.Writer) error {
					return printable.Fprintf(out, "suppressed: %t; erased %s\n", s.Suppressed, count(int64(s.Lives), "time"))
				})
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "user", "`KIND` of the id")
	return cmd
}

func (c *cli) suppressionsExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Export all hashes as JSON lines",
		Long: `Prints all hashes as JSON lines, for suppressions import. Keep them beside the backups of the
database: a backup that is restored has users who were erased since.`,
		Example: "  " + c.host.Name + " suppressions export > suppressions.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				return writeLines(cmd.OutOrStdout(), e.People().Suppressions(cmd.Context()))
			})
		},
	}
}

func (c *cli) suppressionsImportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Import hashes, and erase again who was erased",
		Long: `Adds the hashes of an export to the database, which is the one of the export or a copy of it. Then
erases the users who were erased after the copy was made.`,
		Example: "  " + c.host.Name + " suppressions import suppressions.jsonl",
		Args:    takes(1, "one FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				n, err := e.People().ImportSuppressions(cmd.Context(), suppressionsIn(file))
				if err != nil {
					return err
				}
				return printable.Fprintf(cmd.OutOrStdout(), "%s erased\n", count(int64(n), "user"))
			})
		},
	}
}

// suppressionsIn reads the lines of an export.
func suppressionsIn(in io.Reader) iter.Seq2[engine.Suppression, error] {
	return func(yield func(engine.Suppression, error) bool) {
		lines := bufio.NewScanner(in)
		for n := 1; lines.Scan(); n++ {
			var s engine.Suppression
			err := json.Unmarshal(lines.Bytes(), &s)
			if err != nil {
				err = fmt.Errorf("line %d: %w", n, err)
			}
			if !yield(s, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(engine.Suppression{}, err)
		}
	}
}

// suppressionSecret returns the secret of a file or of the environment.
func (c *cli) suppressionSecret() (string, error) {
	if c.secretFile == "" {
		return os.Getenv("BUCKETGEN_SUPPRESSION_SECRET"), nil
	}
	text, err := os.ReadFile(c.secretFile)
	if err != nil {
		return "", fmt.Errorf("--secret-file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

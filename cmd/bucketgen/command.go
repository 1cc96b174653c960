package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	version "github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/bucketgen"
	"github.com/bucketgen/bucketgen/internal/bucketgen/scaffold"
)

// The exit statuses of the command, those of diff.
const (
	statusOK = iota
	statusStale
	statusTrouble
)

// errStale reports that the generated package is stale. The difference is already printed.
var errStale = errors.New("stale")

// run runs the command and returns the status to exit with.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newCommand()
	cmd.SetArgs(doubleDashes(args))
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	author := (*bucketgen.AuthorError)(nil)
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, errStale):
		return statusStale
	case errors.As(err, &author):
		fmt.Fprintln(stderr, err) // begins with a position, as editors expect it
	default:
		fmt.Fprintln(stderr, "bucketgen:", err)
	}
	return statusTrouble
}

// doubleDashes accepts flags in the form of other Go tools: -out is --out.
func doubleDashes(args []string) []string {
	var out []string
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if len(arg) > 2 && arg[0] == '-' && arg[1] != '-' {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}

func newCommand() *cobra.Command {
	root := generateCommand("bucketgen [flags] [DIR]")
	root.Long = `Bucketgen reads bucket definitions that are written in Go and writes the Go code that runs them.

DIR is the directory of the definitions, by default the working directory. The generated package is
the directory gen beside it, unless -out says otherwise. Without a command, bucketgen generates.
Flags may be written with one dash or two.`
	root.Example = `  bucketgen init                        begin: make buckets/ and cmd/bucketd/
  bucketgen -out ../gen .               in buckets/: write ../gen
  bucketgen ./buckets                   from above: write ./gen
  bucketgen check ./buckets             fail if ./gen is not what generate would write

  //go:generate go tool bucketgen -out ../gen .`
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.AddCommand(generateCommand("generate [flags] [DIR]"), checkCommand(), initCommand(), versionCommand())
	return root
}

func generateCommand(use string) *cobra.Command {
	cfg := &bucketgen.Config{}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Write the generated package (what is done without a command)",
		Args:  directory(cfg),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Stderr = cmd.ErrOrStderr()
			result, err := bucketgen.Generate(cmd.Context(), *cfg)
			if err != nil {
				return err
			}
			unchanged := ""
			if !result.Changed {
				unchanged = ", unchanged"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "bucketgen: %s in %s%s\n", count(result.Buckets, "bucket"), result.Dir, unchanged)
			return nil
		},
	}
	addFlags(cmd, cfg)
	return cmd
}

func checkCommand() *cobra.Command {
	cfg := &bucketgen.Config{}
	cmd := &cobra.Command{
		Use:   "check [flags] [DIR]",
		Short: "Print what generate would change; exit 0 if nothing, 1 if something, 2 in trouble",
		Args:  directory(cfg),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Stderr = cmd.ErrOrStderr()
			diff, err := bucketgen.Check(cmd.Context(), *cfg)
			if err != nil || len(diff) == 0 {
				return err
			}
			if _, err := cmd.OutOrStdout().Write(diff); err != nil {
				return err
			}
			return errStale
		},
	}
	addFlags(cmd, cfg)
	return cmd
}

// nextSteps lists the steps in the only order that works. Tidy needs gen, which cmd/bucketd
// imports. Before tidy, generate ./... fails: the go command also loads cmd/bucketd, whose
// dependencies go.mod lacks.
const nextSteps = `wrote %s

Next:
	go get -tool github.com/bucketgen/bucketgen/cmd/bucketgen    # unless that is done already
	go generate ./buckets                                        # writes gen/; again after every change of buckets/
	go mod tidy
	go test ./...                                                # buckets are tested in memory
	go run ./cmd/bucketd dev                                     # finds or starts PostgreSQL, makes the tables, runs
`

func initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Begin: make definitions, a test of them and a main to run them in this module",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			files, err := scaffold.Write(cmd.Context(), ".")
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), nextSteps, strings.Join(files, ", "))
			return nil
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of bucketgen, and of the Go that compiled it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "bucketgen %s, %s\n", version.Version, runtime.Version())
			return err
		},
	}
}

func addFlags(cmd *cobra.Command, cfg *bucketgen.Config) {
	cmd.Flags().StringVar(&cfg.Out, "out", "", "write the generated package to `DIR`, which names it (default gen beside the definitions)")
	cmd.Flags().DurationVar(&cfg.Timeout, "timeout", bucketgen.DefaultTimeout, "let the definitions run for so long")
}

// directory returns the only argument that the command accepts.
func directory(cfg *bucketgen.Config) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("one directory at a time, but there are %d arguments: %s", len(args), strings.Join(args, " "))
		}
		cfg.Dir = strings.Join(args, "")
		return nil
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

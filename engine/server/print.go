package server

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"
)

// print prints what a command found: as JSON if that is asked for, and else as the text that it writes.
func (c *cli) print(cmd *cobra.Command, v any, text func(out io.Writer) error) error {
	if c.asJSON {
		return printObject(cmd.OutOrStdout(), v)
	}
	return text(cmd.OutOrStdout())
}

// printList prints what a command found of several things: as a JSON object per line if that is asked for, and else as the
// text that it writes.
func printList[T any](c *cli, cmd *cobra.Command, all []T, text func(out io.Writer) error) error {
	if !c.asJSON {
		return text(cmd.OutOrStdout())
	}
	w := json.NewEncoder(cmd.OutOrStdout())
	for i := range all {
		if err := w.Encode(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// printObject prints one object, for people to read as well.
func printObject(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

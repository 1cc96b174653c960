// Package child is for tests that run their own binary again, as a process that they kill. Such a
// process ends with the one that started it, however that ends: also after a SIGKILL, none is left
// that goes on writing to the database of a test that is over.
package child

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Command returns a command that runs this binary as a child. The variable of the environment says
// to [Main] what the child does, and by which configuration. It may not be empty. The child is
// killed when ctx ends.
func Command(ctx context.Context, variable, config string) (*exec.Cmd, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = append(os.Environ(), variable+"="+config)
	// The child reads from a pipe into which nothing is written. It ends with this process.
	_, err = cmd.StdinPipe()
	return cmd, err
}

// Main does what this process is for and exits, if it is a child. Otherwise it returns at once. It
// is for TestMain; works are the works of children, by their variables.
func Main(works map[string]func(config string) error) {
	for variable, work := range works {
		config := os.Getenv(variable)
		if config == "" {
			continue
		}
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		if err := work(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"

	"github.com/bucketgen/bucketgen/internal/picture"
)

// progress is what a terminal overwrites: lines that end in a carriage return.
var progress = regexp.MustCompile(`(?m)^[^\n]*\r|\x1b\[[0-9;?]*[a-zA-Z]`)

// demo runs make demo and draws what it prints.
func demo(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "demo")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, os.Stderr, append(os.Environ(), "DATABASE_URL=")
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return picture.Terminal("make demo", "$ make demo\n"+progress.ReplaceAllString(out.String(), "")), nil
}

package child_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// The works of the processes of this test.
const (
	parentVar     = "BUCKETGEN_TEST_PARENT"
	grandchildVar = "BUCKETGEN_TEST_GRANDCHILD"
)

func TestMain(m *testing.M) {
	child.Main(map[string]func(string) error{parentVar: parent, grandchildVar: grandchild})
	os.Exit(m.Run())
}

// parent starts a grandchild and never ends.
func parent(string) error {
	cmd, err := child.Command(context.Background(), grandchildVar, "x")
	if err != nil {
		return err
	}
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Wait()
}

// grandchild says that it runs and never ends by itself.
func grandchild(string) error {
	if _, err := os.Stdout.WriteString("."); err != nil {
		return err
	}
	<-time.After(time.Hour)
	return nil
}

// TestEndsWithParent kills a process that has a child. The output of both ends when both have
// ended.
func TestEndsWithParent(t *testing.T) {
	t.Parallel()
	cmd, err := child.Command(t.Context(), parentVar, "x")
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, out)
		ended <- err
	}()
	if err := waitfor.Next(t, ended); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
}

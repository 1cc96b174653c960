package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// thenSilence reads a text, calls a function, and then reads nothing more for as long as the test
// lasts.
type thenSilence struct {
	io.Reader
	call func()
	done <-chan struct{}
}

func (r *thenSilence) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err == nil {
		return n, nil
	}
	r.call()
	<-r.done
	return 0, io.EOF
}

// TestReplayInterrupted interrupts a replay while it waits for more input, and runs it again.
func TestReplayInterrupted(t *testing.T) {
	t.Parallel()
	const lines = 3000
	var input strings.Builder
	for i := range lines {
		fmt.Fprintf(&input, `{"type":"identify","userId":"user-%d","traits":{"plan":"pro"},"timestamp":"2026-01-01T00:00:00Z","messageId":"%d"}`+"\n", i%500, i)
	}
	h, url := server.Host{Registry: pro(t), Name: "shopd"}, pgtest.NewURL(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stdout, stderr bytes.Buffer
	code := server.Run(ctx, h, []string{"replay", "-", "--database", url}, &thenSilence{strings.NewReader(input.String()), interrupt, t.Context().Done()}, &stdout, &stderr)
	said := regexp.MustCompile(`^shopd: interrupted after ([0-9]+) events?, which stay in the database; run it again to continue: a line with a messageId is ingested once\n$`).FindStringSubmatch(stderr.String())
	if code != 2 || said == nil || stdout.Len() > 0 {
		t.Fatalf("exit code %d\n%s%s", code, &stdout, &stderr)
	}
	taken, err := strconv.Atoi(said[1])
	if err != nil {
		t.Fatal(err)
	}

	stderr.Reset()
	if code := server.Run(t.Context(), h, []string{"replay", "-", "--database", url}, strings.NewReader(input.String()), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, &stdout, &stderr)
	}
	got := regexp.MustCompile(`(?m)^([0-9]+) events?(?: and ([0-9]+) duplicates?)? until`).FindStringSubmatch(stdout.String())
	if got == nil {
		t.Fatalf("the replay printed\n%s", &stdout)
	}
	if got[2] == "" {
		got[2] = "0"
	}
	if want := []string{strconv.Itoa(lines - taken), strconv.Itoa(taken)}; got[1] != want[0] || got[2] != want[1] {
		t.Errorf("the second replay took in %s events and %s duplicates, want %s and %s", got[1], got[2], want[0], want[1])
	}
}

// TestInterruptedBeforeItBegins sees that any command says that it was interrupted.
func TestInterruptedBeforeItBegins(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stderr bytes.Buffer
	code := server.Run(ctx, server.Host{Registry: pro(t), Name: "shopd"}, []string{"migrate", "--database", pgtest.NewURL(t)}, strings.NewReader(""), io.Discard, &stderr)
	if code != 2 || !strings.HasPrefix(stderr.String(), "shopd: interrupted: ") {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
}

package doctest_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// mailbox is a mail server that keeps what it is sent.
type mailbox struct {
	address string
	mu      sync.Mutex
	mails   []string
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{address: l.Addr().String()}
	var calls sync.WaitGroup
	calls.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			calls.Go(func() {
				m.talk(conn)
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); calls.Wait() })
	return m
}

// talk speaks as much of SMTP as net/smtp needs.
func (m *mailbox) talk(conn net.Conn) {
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 mailbox")
	data, mail := false, ""
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		line := lines.Text()
		switch {
		case data && line == ".":
			m.mu.Lock()
			m.mails = append(m.mails, mail)
			m.mu.Unlock()
			data, mail = false, ""
			say("250 kept")
		case data:
			mail += line + "\n"
		case strings.HasPrefix(line, "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(line, "QUIT"):
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}

var expected = regexp.MustCompile(`<!-- mail: (.+) -->`)

// check checks that each text that a page expects in a mail came, and that nothing came that none
// expects.
func (m *mailbox) check(t *testing.T, page string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	want := expected.FindAllStringSubmatch(string(text), -1)
	waitfor.That(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.mails) >= len(want)
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(want) != len(m.mails) {
		t.Errorf("%s: got the mails %q, want %q", page, m.mails, want)
		return
	}
	for i, w := range want {
		if !strings.Contains(m.mails[i], w[1]) {
			t.Errorf("%s: got the mail %q, want one with %q", page, m.mails[i], w[1])
		}
	}
}

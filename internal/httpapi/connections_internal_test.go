package httpapi

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// bounded is a server whose connections are bounded. At /key it takes a request for one with a
// valid key.
type bounded struct {
	*httptest.Server

	all *connections
}

func newBounded(t *testing.T, most, keyless int) bounded {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/key" {
			trust(r.Context())
		}
	}))
	all := newConnections(Config{Connections: most, KeylessConnections: keyless})
	all.watch(s.Config)
	s.Start()
	t.Cleanup(s.Close)
	return bounded{s, all}
}

// connect opens a connection and sends a request on it, if path is not empty.
func (s bounded) connect(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if path != "" && !asks(conn, path) {
		t.Fatalf("%s: no answer", path)
	}
	waitfor.That(t, func() bool { return s.has(conn, path != "") })
	return conn
}

// has reports whether the server has a connection, which is idle or not.
func (s bounded) has(conn net.Conn, idle bool) bool {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	for _, c := range s.all.open {
		if c.conn.RemoteAddr().String() == conn.LocalAddr().String() {
			return c.idle == idle
		}
	}
	return false
}

// asks reports whether a request on a connection is answered.
func asks(conn net.Conn, path string) bool {
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	_ = got.Body.Close()
	return got.StatusCode == http.StatusOK
}

// isClosed reads until the server has closed a connection.
func isClosed(t *testing.T, name string, conn net.Conn) {
	t.Helper()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%s: it is open, want it closed", name)
	}
}

func TestConnectionsWithoutKeyAreBounded(t *testing.T) {
	t.Parallel()
	s := newBounded(t, 100, 2)
	known := s.connect(t, "/key")
	first, second := s.connect(t, "/"), s.connect(t, "/")
	third := s.connect(t, "/")
	isClosed(t, "the one that was idle for longest", first)
	silent := s.connect(t, "")
	fourth := s.connect(t, "/") // there is room for it once silent was accepted, in order
	isClosed(t, "the one that was idle for longest", second)
	isClosed(t, "the next", third)
	for name, conn := range map[string]net.Conn{"with a key": known, "the newest": fourth} {
		if !asks(conn, "/") {
			t.Errorf("%s: it is closed, want an answer", name)
		}
	}
	fifth := s.connect(t, "/")
	isClosed(t, "an idle one before one that is older and silent", fourth)
	if !asks(silent, "/") || !asks(fifth, "/") {
		t.Error("got no answer on those that are left")
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	s := newBounded(t, 2, 2)
	first, second := s.connect(t, "/key"), s.connect(t, "/key")
	third := s.connect(t, "/")
	isClosed(t, "the one with a key that was idle for longest", first)
	fourth := s.connect(t, "/key")
	isClosed(t, "the one without a key", third)
	if !asks(second, "/") || !asks(fourth, "/") {
		t.Error("got no answer on those that are left")
	}
}

func TestConnectionsAreForgotten(t *testing.T) {
	t.Parallel()
	all := newConnections(Config{Connections: 4, KeylessConnections: 2})
	ends := make([]net.Conn, 10)
	for i := range ends {
		ends[i], _ = net.Pipe()
		ctx := context.WithValue(t.Context(), connectionKey{}, all.add(ends[i]))
		if i%2 == 0 {
			trust(ctx)
		}
	}
	if got := len(all.open); got != 4 {
		t.Errorf("got %d open, want 4", got)
	}
	for _, conn := range ends {
		all.change(conn, http.StateClosed)
	}
	if got := len(all.open) + all.strangers.Len() + all.trusted.Len(); got != 0 {
		t.Errorf("got %d after all are closed, want none", got)
	}
}

//go:build hatchet

package hatchettest_test

import (
	"net"
	"testing"

	"github.com/bucketgen/bucketgen/internal/hatchettest"
)

// TestHatchetServer starts a server, kills it, and starts it again at its address.
func TestHatchetServer(t *testing.T) {
	t.Parallel()
	s, err := hatchettest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	var dialer net.Dialer
	for range 2 {
		conn, err := dialer.DialContext(t.Context(), "tcp", s.Address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		s.Kill()
		if conn, err := dialer.DialContext(t.Context(), "tcp", s.Address); err == nil {
			_ = conn.Close()
			t.Fatal("the server was killed, and still answers")
		}
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

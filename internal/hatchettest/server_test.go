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
	for range 2 {
		conn, err := net.Dial("tcp", s.Address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		s.Kill()
		if conn, err := net.Dial("tcp", s.Address); err == nil {
			_ = conn.Close()
			t.Fatal("the server was killed, and still answers")
		}
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// certificate is a certificate for TLS in files, which are read again after they have changed. Safe
// for concurrent use.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	changed [2]time.Time // of the files, as they were loaded
	checked time.Time
}

// certificatePace is how often the files are checked for changes, at most.
const certificatePace = 10 * time.Second

// loadCertificate reads a certificate, or returns nil if there are no files.
func loadCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	if certFile == "" {
		return nil, nil //nolint:nilnil // TLS is not asked for
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("--tls-cert %s, --tls-key %s: %w", certFile, keyFile, err)
	}
	return c, nil
}

// load reads the files.
func (c *certificate) load() error {
	changed, err := c.stat()
	if err != nil {
		return err
	}
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.loaded, c.changed, c.checked = &loaded, changed, time.Now()
	return nil
}

func (c *certificate) stat() ([2]time.Time, error) {
	var changed [2]time.Time
	for i, file := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(file)
		if err != nil {
			return changed, err
		}
		changed[i] = info.ModTime()
	}
	return changed, nil
}

// get returns the certificate for a handshake. Files that have changed and cannot be read leave it
// as it was.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < certificatePace {
		return c.loaded, nil
	}
	c.checked = time.Now()
	changed, err := c.stat()
	if err == nil && changed != c.changed {
		err = c.load()
	}
	if err != nil {
		c.log.WarnContext(context.Background(), "certificate reload failed, the previous one stays", "component", "tls", "error", err)
	}
	return c.loaded, nil
}

// scheme is that of the URLs of a server with the certificate.
func (c *certificate) scheme() string {
	if c == nil {
		return "http"
	}
	return "https"
}

// on lets a listener speak TLS, if there is a certificate.
func (c *certificate) on(at net.Listener) net.Listener {
	if c == nil {
		return at
	}
	return tls.NewListener(at, &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
}

// Package pgproxy is a network between a program and PostgreSQL, for tests: it can be cut, swallow
// what is sent, and lead to another server.
package pgproxy

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Proxy passes connections on to a server. It may be used from several goroutines.
type Proxy struct {
	listener net.Listener
	trigger  []byte // what is swallowed, and all that follows on its connection

	mu        sync.Mutex
	network   string
	address   string
	pairs     map[*pair]struct{}
	swallow   bool
	mute      bool
	swallowed int
}

// pair is a connection of a client, and that to the server.
type pair struct {
	client, server net.Conn
	dead           bool // nothing passes any more, and neither side knows
	muted          bool // nothing that the server sends passes any more
}

// New starts a proxy before the server of a URL. It ends with the test. Messages of clients that
// contain the trigger can be swallowed.
func New(t testing.TB, database string, trigger []byte) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, trigger: trigger, pairs: map[*pair]struct{}{}}
	p.Lead(t, database)
	go p.accept()
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
	})
	return p
}

// Lead makes new connections lead to the server of a URL.
func (p *Proxy) Lead(t testing.TB, database string) {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.network, p.address = network(config.Host, config.Port)
}

func network(host string, port uint16) (network, address string) {
	address = net.JoinHostPort(host, itoa(port))
	if strings.HasPrefix(host, "/") {
		return "unix", host + "/.s.PGSQL." + itoa(port)
	}
	return "tcp", address
}

func itoa(n uint16) string { return strconv.Itoa(int(n)) }

// URL returns the URL of a database through the proxy.
func (p *Proxy) URL(t testing.TB, database string) string {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: p.listener.Addr().String(), Path: "/" + config.Database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		_ = c.client.Close()
		_ = c.server.Close()
	}
	clear(p.pairs)
}

// Swallow makes the proxy swallow messages that contain the trigger, or pass them.
func (p *Proxy) Swallow(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swallow = on
}

// Mute makes the proxy pass messages that contain the trigger, and swallow the answer and all that
// the server sends after it, or pass both.
func (p *Proxy) Mute(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = on
}

// Swallowed returns how many messages or answers were swallowed.
func (p *Proxy) Swallowed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.swallowed
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		kind, address := p.network, p.address
		p.mu.Unlock()
		server, err := net.Dial(kind, address) //nolint:noctx // it ends with the test
		if err != nil {
			_ = client.Close()
			continue
		}
		c := &pair{client: client, server: server}
		p.mu.Lock()
		p.pairs[c] = struct{}{}
		p.mu.Unlock()
		go p.pass(c, client, server, true)
		go p.pass(c, server, client, false)
	}
}

// pass copies what one side sends to the other. When a side ends, the other does too, unless
// nothing passes any more.
func (p *Proxy) pass(c *pair, from, to net.Conn, fromClient bool) {
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !p.lost(c, buffer[:n], fromClient) {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = io.ErrClosedPipe
			}
		}
		if err == nil {
			continue
		}
		p.mu.Lock()
		dead := c.dead
		p.mu.Unlock()
		if !dead {
			_ = to.Close()
		}
		_ = from.Close()
		return
	}
}

// lost reports whether something is swallowed.
func (p *Proxy) lost(c *pair, sent []byte, fromClient bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if (p.swallow || p.mute) && fromClient && len(p.trigger) > 0 && bytes.Contains(sent, p.trigger) {
		c.dead, c.muted = p.swallow, true
		p.swallowed++
	}
	return c.dead || c.muted && !fromClient
}

package httpapi

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connections bounds the connections of an HTTP server, because each takes memory before its first
// request: all of them, and those on which no request had a valid key yet. A further connection
// replaces an older one, so that hostile clients cannot keep others from connecting. Safe for
// concurrent use.
type connections struct {
	most, keyless int

	mu   sync.Mutex
	open map[net.Conn]*connection

	// strangers and trusted have the *connection of either kind. The one that changed its state
	// longest ago is in front.
	strangers, trusted list.List
}

// connection is one of an HTTP server.
type connection struct {
	of   *connections
	conn net.Conn
	in   *list.List // that has it; nil once it was closed
	at   *list.Element
	idle bool // between two requests
}

// connectionKey is the key of a context for the connection of a request.
type connectionKey struct{}

func newConnections(c Config) *connections {
	return &connections{most: c.Connections, keyless: c.KeylessConnections, open: map[net.Conn]*connection{}}
}

// watch bounds the connections of a server, before it is started.
func (all *connections) watch(s *http.Server) {
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, all.add(conn))
	}
	s.ConnState = all.change
}

// add adds a connection, and closes those for which there is no room beside it.
func (all *connections) add(conn net.Conn) *connection {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.strangers.Len() >= all.keyless {
		all.replace(&all.strangers)
	}
	if len(all.open) >= all.most && !all.replace(&all.strangers) {
		all.replace(&all.trusted)
	}
	c := &connection{of: all, conn: conn, in: &all.strangers}
	c.at = c.in.PushBack(c)
	all.open[conn] = c
	return c
}

// replace closes a connection of a list: the one that has been idle for longest, or else the
// oldest. It reports whether there was one.
func (all *connections) replace(in *list.List) bool {
	at := in.Front()
	for e := at; e != nil; e = e.Next() {
		if e.Value.(*connection).idle { //nolint:forcetypeassert // nothing else is in a list
			at = e
			break
		}
	}
	if at == nil {
		return false
	}
	c := at.Value.(*connection) //nolint:forcetypeassert // as above
	all.remove(c)
	conn := c.conn
	if secure, is := conn.(*tls.Conn); is {
		conn = secure.NetConn() // its own Close says goodbye, for which it may wait
	}
	_ = conn.Close()
	return true
}

func (all *connections) remove(c *connection) {
	if c.in != nil {
		c.in.Remove(c.at)
		c.in = nil
		delete(all.open, c.conn)
	}
}

// change notes the state of a connection.
func (all *connections) change(conn net.Conn, state http.ConnState) {
	all.mu.Lock()
	defer all.mu.Unlock()
	c := all.open[conn]
	if c == nil {
		return
	}
	if state == http.StateClosed || state == http.StateHijacked {
		all.remove(c)
		return
	}
	c.idle = state == http.StateIdle
	c.in.MoveToBack(c.at)
}

// trust notes that a request with a valid key came on the connection that a context is of, if it is
// watched.
func trust(ctx context.Context) {
	c, watched := ctx.Value(connectionKey{}).(*connection)
	if !watched {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.in == &c.of.strangers {
		c.in.Remove(c.at)
		c.in = &c.of.trusted
		c.at = c.in.PushBack(c)
	}
}

// WatchConnections bounds the connections of a server, before it is started.
func WatchConnections(c Config, s *http.Server) { newConnections(c.WithDefaults()).watch(s) }

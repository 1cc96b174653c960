package webhook

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// privateError says that a webhook was to go where not everybody may reach.
type privateError struct{ address string }

func (e *privateError) Error() string {
	return fmt.Sprintf("leads to %s, which is private: webhooks go to public addresses only, unless private ones are allowed", e.address)
}

// public reports whether an address is one that everybody may reach: none that is special, none
// with a zone, which belongs to a link, and of IPv6 none that is not assigned. An IPv4 address in
// the form of IPv6 is special: a dialer asks about it in its own form.
func public(a netip.Addr) bool {
	return a.IsValid() && a.Zone() == "" && (a.Is4() || assigned.Contains(a)) &&
		!slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// refusePrivate ends a connection before it begins if it leads to a private address. It is called
// with the address itself, so it makes no difference what name stood for it, or what that stands
// for a moment later.
func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr()) {
		return &privateError{address}
	}
	return nil
}

// newClient returns a client that follows no redirects and uses no proxy: both would lead elsewhere
// than where it was checked.
func newClient(allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		dialer.ControlContext = refusePrivate
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns: 256, MaxIdleConnsPerHost: atOnce, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

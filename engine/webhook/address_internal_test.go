package webhook

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"testing"
)

// listed are the registries of IANA as they are, entries within others included.
var listed = []string{
	"0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32",
	"::1/128", "::/128", "::ffff:0.0.0.0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32",
	"2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28",
	"2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7",
	"fe80::/10",
	"224.0.0.0/4", "ff00::/8", "::/96", "fec0::/10",
}

// TestSpecial asks about the first, the last and a middle address of every prefix, and about those
// just outside.
func TestSpecial(t *testing.T) {
	t.Parallel()
	all := slices.Clone(special)
	for _, text := range listed {
		all = append(all, netip.MustParsePrefix(text))
	}
	inside := func(a netip.Addr) bool {
		return a.Is6() && !assigned.Contains(a) || slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	beside := 0
	for _, p := range all {
		if p != p.Masked() {
			t.Errorf("%s is no prefix", p)
		}
		first, end := p.Addr(), last(p)
		for _, a := range []netip.Addr{first, end, middle(p)} {
			if public(a) {
				t.Errorf("%s of %s is public", a, p)
			}
			if mapped := netip.AddrFrom16(a.As16()); public(mapped) {
				t.Errorf("%s of %s is public as %s", a, p, mapped)
			}
			if err := refusePrivate(t.Context(), "tcp", netip.AddrPortFrom(a, 443).String(), nil); !isPrivate(err) {
				t.Errorf("%s is dialled: %v", a, err)
			}
		}
		for _, a := range []netip.Addr{first.Prev(), end.Next()} {
			if !a.IsValid() || inside(a) {
				continue
			}
			if beside++; !public(a) {
				t.Errorf("%s, just outside of %s, is not public", a, p)
			}
		}
	}
	if beside < 30 {
		t.Errorf("only %d addresses just outside were asked about", beside)
	}
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < p.Addr().BitLen(); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func middle(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	if n := p.Bits(); n < p.Addr().BitLen() {
		b[n/8] |= 0x80 >> (n % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func isPrivate(err error) bool {
	_, is := errors.AsType[*privateError](err)
	return is
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for want, addresses := range map[bool][]string{
		true: {"1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111", "2a00::1", "2001:4860:4860::8888"},
		false: {
			"0.0.0.0", "169.254.169.254", "127.1.2.3", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1",
			"2002:7f00:1::", "fd00:ec2::254", "fe80::1%eth0", "2606:4700::1111%eth0", "4000::1", "::2:0:0:0",
		},
	} {
		for _, text := range addresses {
			if got := public(netip.MustParseAddr(text)); got != want {
				t.Errorf("%s: got %t, want %t", text, got, want)
			}
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// TestGuard dials by a name and by addresses in unusual forms. All lead to this machine, and no
// connection begins.
func TestGuard(t *testing.T) {
	t.Parallel()
	var listening net.ListenConfig
	l, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::"} {
		dialer := net.Dialer{ControlContext: refusePrivate}
		conn, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if conn != nil {
			_ = conn.Close()
		}
		if !isPrivate(err) {
			t.Errorf("%s: got %v, want it to be refused", host, err)
		}
	}
}

// FuzzAddress checks that a URL with an address in it is accepted only if the dialer accepts the
// address, too.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{
		"https://crm.example.com/hooks", "http://[::1]:80/", "http://127.0.0.1", "http://[::ffff:8.8.8.8]/", "http://[fe80::1%25eth0]/", "http://8.8.8.8#",
		"http://LOCALHOST./", "http://0x7f.1/", "http://2130706433/", "ftp://a", "http://a:b@c", "http://[3fff::1]/", "http://1.1.1.1:99999/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkURL(text, false) != nil {
			return
		}
		if err := checkURL(text, true); err != nil {
			t.Fatalf("%q is accepted, but not where private addresses are allowed: %v", text, err)
		}
		host := hostOf(t, text)
		a, err := netip.ParseAddr(host)
		if err != nil {
			return // a name, which is asked about when it is dialled
		}
		if err := refusePrivate(context.Background(), "tcp", netip.AddrPortFrom(a, 443).String(), nil); err != nil {
			t.Fatalf("%q is accepted, and its address is refused: %v", text, err)
		}
	})
}

func hostOf(t *testing.T, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatalf("%q is accepted, and is no URL: %v", text, err)
	}
	return u.Hostname()
}

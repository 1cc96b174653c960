package webhook

import "net/netip"

// special are the addresses that no webhook may be posted to, with the RFC that reserves them. It
// is the whole of the IANA registries of special-purpose addresses of IPv4 and IPv6, both as last
// updated on 2025-10-09:
//
//	https://www.iana.org/assignments/iana-ipv4-special-registry
//	https://www.iana.org/assignments/iana-ipv6-special-registry
//
// Entries within another one of the table are left out. Those that the registries call globally
// reachable are refused as well: what answers there is a service of the network (AS112, AMT, PCP),
// never an endpoint. At the end stands what IANA keeps in other registries: multicast, and forms of
// addresses that are out of use.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network, RFC 791
	netip.MustParsePrefix("10.0.0.0/8"),      // private use, RFC 1918
	netip.MustParsePrefix("100.64.0.0/10"),   // shared behind the NAT of a carrier or of a cloud, RFC 6598
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback, RFC 1122
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, and metadata of clouds, RFC 3927
	netip.MustParsePrefix("172.16.0.0/12"),   // private use, RFC 1918
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments: DS-Lite, PCP, TURN, NAT64 discovery, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
	netip.MustParsePrefix("192.31.196.0/24"), // AS112, RFC 7535
	netip.MustParsePrefix("192.52.193.0/24"), // AMT, RFC 7450
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4, deprecated, RFC 7526
	netip.MustParsePrefix("192.168.0.0/16"),  // private use, RFC 1918
	netip.MustParsePrefix("192.175.48.0/24"), // direct delegation of AS112, RFC 7534
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarking, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"), // documentation, RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation, RFC 5737
	netip.MustParsePrefix("240.0.0.0/4"),     // future use, and limited broadcast, RFC 1112

	netip.MustParsePrefix("::/128"),            // unspecified, RFC 4291
	netip.MustParsePrefix("::1/128"),           // loopback, RFC 4291
	netip.MustParsePrefix("::ffff:0.0.0.0/96"), // IPv4-mapped, RFC 4291
	netip.MustParsePrefix("64:ff9b::/96"),      // IPv4 behind a translator, RFC 6052
	netip.MustParsePrefix("64:ff9b:1::/48"),    // the same within a network, RFC 8215
	netip.MustParsePrefix("100::/64"),          // discard only, RFC 6666
	netip.MustParsePrefix("100:0:0:1::/64"),    // dummy, RFC 9780
	netip.MustParsePrefix("2001::/23"),         // protocol assignments: Teredo, benchmarking, AMT, ORCHID, drones, RFC 2928
	netip.MustParsePrefix("2001:db8::/32"),     // documentation, RFC 3849
	netip.MustParsePrefix("2002::/16"),         // 6to4, RFC 3056
	netip.MustParsePrefix("2620:4f:8000::/48"), // direct delegation of AS112, RFC 7534
	netip.MustParsePrefix("3fff::/20"),         // documentation, RFC 9637
	netip.MustParsePrefix("5f00::/16"),         // segment routing identifiers, RFC 9602
	netip.MustParsePrefix("fc00::/7"),          // unique local, RFC 4193
	netip.MustParsePrefix("fe80::/10"),         // link-local, RFC 4291

	netip.MustParsePrefix("224.0.0.0/4"), // multicast, RFC 5771
	netip.MustParsePrefix("ff00::/8"),    // multicast, RFC 4291
	netip.MustParsePrefix("::/96"),       // IPv4-compatible, deprecated, RFC 4291
	netip.MustParsePrefix("fec0::/10"),   // site-local, deprecated, RFC 3879
}

// assigned is all of IPv6 that IANA assigns. What is outside is special, or will be.
var assigned = netip.MustParsePrefix("2000::/3")

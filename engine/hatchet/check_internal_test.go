package hatchet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
)

// checked connects with the server that the variables name and returns what was found wrong.
func checked(t *testing.T) error {
	t.Helper()
	c, err := newClient(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return c.check(t.Context())
}

// certificate returns one that no client trusts.
func certificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name     string
		server   fake
		strategy string // of TLS, of the client
		away     bool
		want     []string // what the error says; none if no error is expected
	}{
		{name: "good", server: fake{version: "v0.104.7"}, strategy: "none"},
		{name: "unversioned", server: fake{version: "main"}, strategy: "none"},
		{name: "too old", server: fake{version: "v0.79.9"}, strategy: "none", want: []string{"too old: it is v0.79.9", "v0.80.0 or later", "update it"}},
		{name: "ancient", server: fake{err: refusal(codes.Unimplemented)}, strategy: "none", want: []string{"too old", "update it"}},
		{name: "another's token", server: fake{err: refusal(codes.Unauthenticated)}, strategy: "none", want: []string{"HATCHET_CLIENT_TOKEN: ", "does not accept the token", "set it to one that this server has made"}},
		{name: "TLS, but not of the server", server: fake{version: "v0.104.7"}, strategy: "tls", want: []string{"HATCHET_CLIENT_TLS_STRATEGY: ", "does not speak TLS; set it to none"}},
		{name: "TLS of the server only", server: fake{version: "v0.104.7", tls: certificate(t)}, strategy: "none", want: []string{"HATCHET_CLIENT_TLS_STRATEGY: ", "speaks TLS; set it to tls"}},
		{name: "TLS that is not trusted", server: fake{version: "v0.104.7", tls: certificate(t)}, strategy: "tls", want: []string{"HATCHET_CLIENT_TLS_ROOT_CA_FILE: ", "not trusted"}},
		{name: "busy", server: fake{err: refusal(codes.Unavailable)}, strategy: "none", away: true, want: []string{"HATCHET_CLIENT_HOST_PORT", "Unavailable"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			address := tc.server.start(t)
			t.Setenv("HATCHET_CLIENT_TLS_STRATEGY", tc.strategy)
			err := checked(t)
			if err == nil {
				if len(tc.want) > 0 {
					t.Fatalf("got no error, want one that says %q", tc.want)
				}
				return
			}
			if len(tc.want) == 0 {
				t.Fatal(err)
			}
			for _, want := range append(tc.want, address) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if away(err) != tc.away {
				t.Errorf("%v: away is %v, want %v", err, away(err), tc.away)
			}
		})
	}
}

func TestCheckNobodyThere(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	setToken(t, l.Addr().String())
	_ = l.Close()
	if err := checked(t); err == nil || !away(err) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v, want an error that may pass and that names the address", err)
	}
}

func TestSettings(t *testing.T) {
	setToken(t, "127.0.0.1:1")
	for _, tc := range []struct{ name, variable, value, want string }{
		{"no token", "HATCHET_CLIENT_TOKEN", "", "HATCHET_CLIENT_TOKEN: it is not set"},
		{"half a token", "HATCHET_CLIENT_TOKEN", "eyJhbGciOi", "HATCHET_CLIENT_TOKEN: it is no API token"},
		{"no claims", "HATCHET_CLIENT_TOKEN", "e30.e30.e30", "HATCHET_CLIENT_TOKEN: it is no API token"},
		{"no such strategy", "HATCHET_CLIENT_TLS_STRATEGY", "maybe", "HATCHET_CLIENT_TLS_STRATEGY: "},
		{"no address", "HATCHET_CLIENT_HOST_PORT", "https://hatchet.example", "HATCHET_CLIENT_HOST_PORT: \"https://hatchet.example\" is no address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv(tc.variable, tc.value)
			if err := checked(t); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

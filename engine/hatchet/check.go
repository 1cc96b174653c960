package hatchet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	sdk "github.com/hatchet-dev/hatchet/sdks/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// check asks the server for its version, and says what is wrong if that fails.
func (c *client) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	version, err := c.push.Dispatcher().GetVersion(ctx)
	switch status.Code(err) {
	case codes.OK:
		if recent, err := sdk.SupportsDurableEviction(version); err == nil && !recent {
			return tooOld(c.address, version)
		}
		return nil
	case codes.Unimplemented:
		return tooOld(c.address, "older still")
	case codes.Unauthenticated, codes.PermissionDenied:
		return &settingError{"HATCHET_CLIENT_TOKEN", fmt.Sprintf(
			"the server at %s does not accept the token: %v; set it to one that this server has made and that has not expired", c.address, err)}
	default:
		if problem := c.diagnose(ctx); problem != nil {
			return problem
		}
		return &awayError{fmt.Errorf("ask Hatchet at %s (HATCHET_CLIENT_HOST_PORT, or the token) for its version: %w", c.address, err)}
	}
}

func tooOld(address, version string) error {
	return fmt.Errorf("the Hatchet server at %s is too old: it is %s, and sleeping tasks need %s or later; update it, or set HATCHET_CLIENT_HOST_PORT to another",
		address, version, sdk.MinEngineVersion.DurableEviction)
}

// diagnose finds out whether the server speaks TLS where the client does not, or the other way
// round. It returns nil if that is not what is wrong.
func (c *client) diagnose(ctx context.Context) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil // it is away, then
	}
	defer conn.Close()
	if c.tls == nil {
		anyone := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}} //nolint:gosec // nothing is said to it
		if tls.Client(conn, anyone).HandshakeContext(ctx) == nil {
			return &settingError{"HATCHET_CLIENT_TLS_STRATEGY", fmt.Sprintf("it is none, but the server at %s speaks TLS; set it to tls", c.address)}
		}
		return nil
	}
	own := c.tls.Clone()
	own.NextProtos = []string{"h2"}
	err = tls.Client(conn, own).HandshakeContext(ctx)
	var plain tls.RecordHeaderError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &plain):
		return &settingError{"HATCHET_CLIENT_TLS_STRATEGY", fmt.Sprintf("the server at %s does not speak TLS; set it to none", c.address)}
	case errors.As(err, &untrusted):
		return &settingError{"HATCHET_CLIENT_TLS_ROOT_CA_FILE", fmt.Sprintf(
			"the certificate of the server at %s is not trusted: %v; name the authority that signed it, or the server's name in HATCHET_CLIENT_TLS_SERVER_NAME", c.address, err)}
	default:
		return nil
	}
}

package hatchet

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// fake is a server that answers as a real one cannot be made to.
type fake struct {
	version string
	err     error             // of every call
	tls     *tls.Certificate  // nil for none
	push    func(n int) error // answers the n-th push, from 1; nil takes all
	pushes  int
}

// start runs the server and sets the variables of clients to it. It returns its address.
func (f *fake) start(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := []grpc.ServerOption{grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error { return f.answer(s) })}
	if f.tls != nil {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(f.tls)))
	}
	server := grpc.NewServer(options...)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	setToken(t, l.Addr().String())
	return l.Addr().String()
}

// answer answers any call. The answers that are read have a text as their first field, or nothing.
func (f *fake) answer(s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	if f.err != nil {
		return f.err
	}
	var request emptypb.Empty // what it has is kept as unknown fields
	if err := s.RecvMsg(&request); err != nil {
		return err
	}
	if method != "/Dispatcher/GetVersion" {
		f.pushes++
		if f.push != nil {
			if err := f.push(f.pushes); err != nil {
				return err
			}
		}
		return s.SendMsg(&emptypb.Empty{})
	}
	return s.SendMsg(wrapperspb.String(f.version))
}

// setToken sets a token that names a server, as its own would.
func setToken(t *testing.T, address string) {
	t.Helper()
	claims, err := json.Marshal(map[string]any{
		"sub": "707d0855-80ab-4e1f-a156-f1c4546cbf52", "server_url": "http://" + address,
		"grpc_broadcast_address": address, "exp": time.Now().Add(time.Hour).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HATCHET_CLIENT_TOKEN", "e30."+base64.RawURLEncoding.EncodeToString(claims)+".e30")
	t.Setenv("HATCHET_CLIENT_TLS_STRATEGY", "none")
	for _, variable := range []string{"HATCHET_CLIENT_HOST_PORT", "HATCHET_CLIENT_SERVER_URL", "HATCHET_CLIENT_NAMESPACE", "HATCHET_CLIENT_TLS_ROOT_CA_FILE"} {
		t.Setenv(variable, "")
	}
}

// refusal is an error as servers send it.
func refusal(code codes.Code) error { return status.Error(code, fmt.Sprintf("no: %v", code)) }

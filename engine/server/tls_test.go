package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// selfSigned writes a certificate for this machine, and returns its files and those who trust it.
func selfSigned(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	pool = x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret), pool
}

// TestServeTLS takes events in by TLS, and says nothing to those who do not speak it.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile, pool := selfSigned(t)
	url := pgtest.NewURL(t)
	s := serveWithFlags(t, url, []string{"--tls-cert", certFile, "--tls-key", keyFile})
	defer s.stop()
	logged := make(chan string)
	go func() {
		all, _ := io.ReadAll(s.log)
		logged <- string(all)
	}()
	key := command(t, "keys", "create", "web", "--database", url)
	if !strings.HasPrefix(s.URL, "https://") || !strings.HasPrefix(s.AdminURL, "https://") {
		t.Errorf("it is at %s and %s", s.URL, s.AdminURL)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/track", strings.NewReader(`{"userId":"ada","event":"order"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(key, "")
	got, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if got.StatusCode != http.StatusOK {
		t.Errorf("got %d", got.StatusCode)
	}
	if status, body := ask(t, http.MethodGet, strings.Replace(s.URL, "https", "http", 1)+"/healthz", "", ""); status != http.StatusBadRequest {
		t.Errorf("without TLS: got %d %s", status, body)
	}
	s.stop()
	if all := <-logged; strings.Contains(all, `"level":"ERROR"`) {
		t.Errorf("errors are logged: %s", all)
	}
}

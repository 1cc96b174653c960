package studio

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// newClient returns a client whose calls are answered by a handler of this process. The person in
// the context of a call takes the place of a key.
func newClient(api http.Handler) (*client.Client, error) {
	return client.New("http://studio.internal", "none", client.Options{HTTP: &http.Client{Transport: inProcess{api}}})
}

// inProcess is a transport that calls a handler.
type inProcess struct{ handler http.Handler }

// RoundTrip answers a request. An answer is held in memory: the API bounds it.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.URL.Host
	in.RemoteAddr = "studio"
	in.Header.Del("Authorization")
	if in.Body == nil {
		in.Body = http.NoBody
	}
	kept := &kept{header: http.Header{}}
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		t.handler.ServeHTTP(kept, in)
	}()
	select {
	case why := <-done:
		if why != nil && !kept.begun() {
			return nil, errBroke
		}
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return kept.response(r), nil
}

// kept is an answer in memory.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) begun() bool { return k.status != 0 }

// Header returns the headers.
func (k *kept) Header() http.Header { return k.header }

// WriteHeader keeps the status.
func (k *kept) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
}

// Write keeps a part of the body.
func (k *kept) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	return k.body.Write(b)
}

// response returns the answer in the form of a transport.
func (k *kept) response(r *http.Request) *http.Response {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	return &http.Response{
		Status: http.StatusText(k.status), StatusCode: k.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: k.header, Body: io.NopCloser(&k.body), ContentLength: int64(k.body.Len()), Request: r,
	}
}

// forward hands a request of the page's own scripts to the API, under the path that the API knows.
// The API finds the session of a person who signed in on the page by itself, and ends a stream with
// its session.
func (p *Page) forward(w http.ResponseWriter, r *http.Request) {
	ctx := identity.WithPrefix(r.Context(), p.config.Prefix)
	if p.config.Authenticate != nil {
		person, err := p.person(r)
		switch {
		case errors.Is(err, identity.ErrUnknown):
			http.Error(w, "not signed in", http.StatusUnauthorized)
			return
		case err != nil:
			http.Error(w, "the person is not known", http.StatusServiceUnavailable)
			return
		}
		ctx = identity.With(ctx, person)
	}
	r = r.Clone(ctx)
	r.URL.Path = strings.TrimPrefix(r.URL.Path, p.config.Prefix)
	r.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, p.config.Prefix)
	r.Header.Del("Authorization")
	p.api.ServeHTTP(w, r)
}

// Package client calls the management API of a server. What it offers is generated from the API's
// OpenAPI document, docs/openapi.yaml. It needs nothing but the standard library.
//
//	c, err := client.New("http://localhost:8080", key, client.Options{})
//	for m, err := range c.Members(ctx, "power-users", client.ListMembersParams{}) {
//		…
//	}
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

//go:generate go tool -modfile=../../../tools/openapi/go.mod oapi-codegen -config generate.yaml -o client_gen.go ../../../docs/openapi.yaml

// Client calls a server. It may be used by several goroutines.
type Client struct {
	url  string
	key  string
	http *http.Client
}

// Options are what a client can do without.
type Options struct {
	// HTTP makes the calls. Defaults to a client that gives up a call after a minute.
	HTTP *http.Client
}

// New returns a client of the server at a URL, like http://localhost:8080, which shows a key: a
// read key for calls that change nothing, an admin key for all. See bucketd keys create.
func New(server, key string, o Options) (*Client, error) {
	u, err := url.Parse(server)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the URL of the server: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the URL of the server is %q; write it like http://localhost:8080", server)
	case key == "":
		return nil, errors.New("the key is empty; make one by bucketd keys create")
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: time.Minute}
	}
	return &Client{strings.TrimSuffix(server, "/"), key, o.HTTP}, nil
}

// Error says what is wrong, and what to do. Every call that is refused returns a *Problem;
// errors.AsType finds it.
func (p *Problem) Error() string {
	parts := []string{fmt.Sprintf("%d %s", p.Status, p.Title), p.Field, p.Detail}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ": ")
}

// userAgent names the client and its version, which is that of bucketgen.
const userAgent = "bucketgen-client/0.1.0"

// maxAnswer is how many bytes an answer may have.
const maxAnswer = 64 << 20

// call makes a call and reads its answer.
func call[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (answer T, err error) {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answer, fmt.Errorf("%s %s: %w", method, path, err)
		}
		content = bytes.NewReader(text)
	}
	where := c.url + path
	if len(query) > 0 {
		where += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, where, content)
	if err != nil {
		return answer, fmt.Errorf("%s %s: %w", method, path, err)
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := c.http.Do(r)
	if err != nil {
		return answer, err // which says the method and the URL
	}
	defer got.Body.Close()
	in := json.NewDecoder(io.LimitReader(got.Body, maxAnswer))
	if got.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("%s %s: %w", method, path, refusal(got, in))
	}
	if err := in.Decode(&answer); err != nil {
		return answer, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return answer, nil
}

// refusal is what a call is refused for. What is between here and the server may answer in another
// form than it does.
func refusal(got *http.Response, in *json.Decoder) *Problem {
	p := &Problem{}
	kind, _, _ := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if kind != "application/problem+json" || in.Decode(p) != nil {
		p = &Problem{Title: http.StatusText(got.StatusCode)}
	}
	p.Status = int64(got.StatusCode)
	return p
}

// put puts a parameter into a path. Dots are escaped where they would be taken for directions.
func put(path, name string, parameter any) string {
	value := fmt.Sprint(parameter)
	segment := url.PathEscape(value)
	if value == "." || value == ".." {
		segment = strings.ReplaceAll(value, ".", "%2E")
	}
	return strings.ReplaceAll(path, "{"+name+"}", segment)
}

// set sets a parameter of a query, unless it is zero: then it has its default.
func set[T comparable](query url.Values, name string, value T) {
	var zero T
	if value == zero {
		return
	}
	text := fmt.Sprint(value)
	if at, ok := any(value).(time.Time); ok {
		text = at.Format(time.RFC3339Nano)
	}
	query.Set(name, text)
}

package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// maxAttempts is how often what is refused is tried: for about three days.
const maxAttempts = 68

// mirror is a receiver of joins and leaves.
type mirror struct {
	client *http.Client
	url    string
	user   string // of Basic authentication; empty: none

	// body returns the request for deliveries.
	body func([]engine.Delivery) any

	// refused notes what was refused of a request that was taken, by the answer to it. Nil: nothing
	// ever is.
	refused func(answer []byte, errs []error)
}

// register has the engine forward the joins and leaves of some buckets, or of all, under a name,
// and the notices of merges if they are asked for.
func (m *mirror) register(e *engine.Engine, name string, buckets []registry.BucketRef, merges bool) error {
	f := engine.Forwarder{Name: name, MaxAttempts: maxAttempts, Func: m.forward}
	kinds := []engine.Kind{engine.Entered, engine.Left}
	if len(buckets) == 0 {
		f.Subscriptions = []engine.Subscription{{Name: name, Kinds: kinds}}
	}
	for _, b := range buckets {
		s := engine.Subscription{Name: name, Bucket: b, Kinds: kinds}
		if b != nil {
			s.Name += ":" + b.ID()
		}
		f.Subscriptions = append(f.Subscriptions, s)
	}
	if merges {
		f.Subscriptions = append(f.Subscriptions, engine.Subscription{Name: name + "::notices", Kinds: []engine.Kind{engine.Merged}})
	}
	return e.Forward(context.Background(), f) // an engine that is not started waits for nothing
}

// forward sends a batch.
func (m *mirror) forward(ctx context.Context, batch []engine.Delivery) ([]error, error) {
	errs := make([]error, len(batch))
	return errs, m.send(ctx, batch, errs)
}

// send sends deliveries, and notes the outcome of each. A batch that is refused for its content is
// sent in halves, down to the one that is not taken. It returns an error if the mirror is away:
// whatever was not taken bears it, too.
func (m *mirror) send(ctx context.Context, batch []engine.Delivery, errs []error) error {
	status, answer, err := m.post(ctx, batch)
	if err == nil {
		if m.refused != nil {
			m.refused(answer, errs)
		}
		return nil
	}
	if half := len(batch) / 2; half > 0 && refuses(status) {
		away := m.send(ctx, batch[:half], errs[:half])
		if away == nil {
			return m.send(ctx, batch[half:], errs[half:])
		}
		fill(errs[half:], away)
		return away
	}
	fill(errs, err)
	if status == 0 || status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return err
	}
	return nil
}

// distinctID returns the id by which a mirror knows a person: the user id, the anonymous id, or an
// id of another kind with the kind before it, which could be a user id as well.
func distinctID(id engine.ID) string {
	if id.Kind == engine.KindAnonymous || id.Kind == engine.KindUser {
		return id.Value
	}
	return id.Kind + ":" + id.Value
}

// identity returns a text that is the same at every delivery of a transition, and another for every
// other transition. The key of a transition comes again after a failover that lost commits, so its
// instant belongs to it.
func identity(t engine.Transition) string {
	return t.Key() + " " + t.At.UTC().Format(time.RFC3339Nano)
}

// refuses reports whether a status blames the content of the request, or some of it, and not the
// sender.
func refuses(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity
}

func fill(errs []error, err error) {
	for i := range errs {
		errs[i] = err
	}
}

// post makes one request. The status is 0 if there was no answer.
func (m *mirror) post(ctx context.Context, batch []engine.Delivery) (status int, answer []byte, err error) {
	body, err := json.Marshal(m.body(batch))
	if err != nil {
		return http.StatusBadRequest, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "bucketgen-mirror/"+bucketgen.Version)
	if m.user != "" {
		request.SetBasicAuth(m.user, "")
	}
	response, err := m.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, _ = io.ReadAll(io.LimitReader(response.Body, 256<<10)) // an answer that breaks off says as much as none
	if response.StatusCode/100 == 2 {
		return response.StatusCode, answer, nil
	}
	return response.StatusCode, nil, fmt.Errorf("answered %s: %s", response.Status, shortened(string(answer)))
}

// shortened returns the beginning of a text on one line.
func shortened(text string) string {
	const most = 200
	line := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " "))
	if len(line) > most {
		line = append(line[:most], '…')
	}
	return string(line)
}

// newClient returns the client that is used if the host gives none. It follows no redirects, after
// which a POST may be a GET.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// at returns the URL of a path of a host, which is a URL itself.
func at(host, path string) (string, error) {
	u, err := url.Parse(host)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", fmt.Errorf("is %q; it must be a URL, like https://us.i.posthog.com", host)
	}
	return u.JoinPath(path).String(), nil
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
)

// atOnce is how many webhooks are on their way to an endpoint at once from one process.
const atOnce = 16

// headerFence is the header with the number of the lease by which a transition is delivered.
const headerFence = "Bucketgen-Fence"

// Answer is what an endpoint said to a webhook.
type Answer struct {
	Status int    `json:"status,omitempty"` // of HTTP; 0: there was no answer
	Text   string `json:"text,omitempty"`   // the beginning of its body, or why there was no answer

	retryAfter string
}

// Taken reports whether the endpoint has taken the webhook.
func (a Answer) Taken() bool { return a.Status/100 == 2 }

// String returns the answer in a line.
func (a Answer) String() string {
	if a.Status == 0 {
		return a.Text
	}
	s := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if a.Text != "" {
		s += ": " + a.Text
	}
	return s
}

// errGone says that an endpoint does not want any more webhooks.
var errGone = errors.New("answered 410 Gone")

// mostRetryAfter is for how long an endpoint may ask to be left alone.
const mostRetryAfter = 24 * time.Hour

// err returns nil if the webhook was taken, and why not otherwise.
func (a Answer) err(now time.Time) error {
	switch {
	case a.Taken():
		return nil
	case a.Status == http.StatusGone:
		return errGone
	case a.Status/100 == 3:
		return fmt.Errorf("answered %s; redirects are not followed", a)
	}
	err := fmt.Errorf("answered %s", a)
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		if after := retryAfter(a.retryAfter, now); after > 0 {
			return engine.RetryAfter(min(after, mostRetryAfter), err)
		}
	}
	return err
}

// retryAfter reads the header of that name: seconds, or a time.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now)
	}
	return 0
}

// target is where webhooks of an endpoint go, and what they are signed with.
type target struct {
	no       int
	url      string
	secrets  []string
	batch    int // how many transitions one webhook carries at most
	disabled bool
}

// atOnce returns how many transitions are on their way at once: in one webhook, or each in its own.
func (t target) atOnce() int {
	if t.batch > 1 {
		return t.batch
	}
	return atOnce
}

// poster posts messages.
type poster struct {
	client  *http.Client
	timeout time.Duration
}

// post posts a message and returns the answer, or why there was none.
func (p poster) post(ctx context.Context, to target, m message, now time.Time) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(m.body))
	if err != nil {
		return Answer{}, err
	}
	signature, err := m.sign(to.secrets, now)
	if err != nil {
		return Answer{}, err
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"bucketgen-webhooks/" + bucketgen.Version}}
	request.Header.Set(standard.HeaderWebhookID, m.id)
	request.Header.Set(standard.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standard.HeaderWebhookSignature, signature)
	if m.fence > 0 {
		request.Header.Set(headerFence, strconv.FormatInt(m.fence, 10))
	}
	response, err := p.client.Do(request)
	if err != nil {
		return Answer{}, p.explain(err)
	}
	defer response.Body.Close()
	return Answer{Status: response.StatusCode, Text: beginning(response.Body), retryAfter: response.Header.Get("Retry-After")}, nil
}

// explain says why there was no answer, without the URL, which may have a secret of its own.
func (p poster) explain(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	if private, ok := errors.AsType[*privateError](err); ok {
		return private
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", p.timeout)
	}
	return err
}

// beginning returns the first characters of a body, on one line, whatever it is, and reads no more
// than a little.
func beginning(body io.Reader) string {
	const most = 200
	text, _ := io.ReadAll(io.LimitReader(body, 4<<10)) // a body that breaks off is as good as any
	line := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "\uFFFD")), " "))
	if len(line) > most {
		line = append(line[:most], '…')
	}
	return string(line)
}

package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// SegmentConfig configures a mirror in Segment, RudderStack, or whatever else takes the calls of
// Segment. Only WriteKey must be given.
type SegmentConfig struct {
	// WriteKey is that of the source.
	WriteKey string

	// Host is where the calls are taken, at /v1/batch. Defaults to https://api.segment.io.
	Host string

	// Buckets are those that are mirrored. Defaults to all, also those that this program does not
	// have.
	Buckets []registry.BucketRef

	// Name is what the mirror is called in the log, and its subscriptions in the database: that
	// name, or the name, a colon and the id for each of Buckets. [engine.Outbox.Unsubscribe] ends
	// one that is not wanted any more. Defaults to segment.
	Name string

	// Merges has the mirror call alias when a contact became another, so that what is known there
	// of the one becomes the other's. Defaults to false.
	Merges bool

	// Client makes the requests. Defaults to one that waits for 15 s.
	Client *http.Client
}

// Segment tracks "Audience Entered" when a user joins a bucket and "Audience Exited" when they
// leave, with the properties audience_id and audience_name. It is called before the engine starts.
// A repeated delivery has the same messageId.
func Segment(e *engine.Engine, config SegmentConfig) error {
	def(&config.Host, "https://api.segment.io")
	def(&config.Name, "segment")
	if config.Client == nil {
		config.Client = newClient()
	}
	if config.WriteKey == "" {
		return errors.New("mirror.SegmentConfig.WriteKey is empty; it is that of a source")
	}
	url, err := at(config.Host, "v1/batch")
	if err != nil {
		return fmt.Errorf("mirror.SegmentConfig.Host %w", err)
	}
	m := &mirror{
		client: config.Client, url: url + "?results=1", user: config.WriteKey, refused: segmentRefused,
		body: func(batch []engine.Delivery) any { return segmentBatch(batch, e.Now()) },
	}
	return m.register(e, config.Name, config.Buckets, config.Merges)
}

// call is a call that something happened, or that two ids are of one person.
type call struct {
	Type       string            `json:"type"`
	Event      string            `json:"event,omitempty"`
	UserID     string            `json:"userId,omitempty"`
	Anonymous  string            `json:"anonymousId,omitempty"`
	PreviousID string            `json:"previousId,omitempty"`
	MessageID  string            `json:"messageId"`
	Timestamp  time.Time         `json:"timestamp"`
	Properties map[string]string `json:"properties,omitempty"`
}

func segmentBatch(deliveries []engine.Delivery, now time.Time) any {
	batch := make([]call, len(deliveries))
	for i := range deliveries {
		batch[i] = segmentCall(&deliveries[i])
	}
	return map[string]any{"batch": batch, "sentAt": now.UTC()}
}

func segmentCall(d *engine.Delivery) call {
	t := &d.Transition
	c := call{Type: "track", Event: "Audience Entered", MessageID: messageIDOf(identity(*t)), Timestamp: t.At}
	if d.Notice != nil {
		c.Type, c.Event, c.UserID, c.PreviousID = "alias", "", distinctID(*d.Notice.Into), distinctID(*d.Notice.From)
		return c
	}
	if t.Kind == engine.Left {
		c.Event = "Audience Exited"
	}
	if c.UserID = t.UserID; c.UserID == "" {
		c.Anonymous = distinctID(t.Who())
	}
	c.Properties = map[string]string{"audience_id": t.BucketID, "audience_name": t.BucketName}
	return c
}

// segmentRefused reads what became of each call: a server of this project says so when it is asked
// by results=1, and does not let those that it refuses keep the others out. Elsewhere there is
// nothing of the kind.
func segmentRefused(answer []byte, errs []error) {
	var said struct {
		Results []struct {
			Status  string `json:"status"`
			Field   string `json:"field"`
			Problem string `json:"problem"`
		} `json:"results"`
	}
	if json.Unmarshal(answer, &said) != nil || len(said.Results) != len(errs) {
		return
	}
	for i, r := range said.Results {
		if r.Status == "refused" {
			errs[i] = fmt.Errorf("refused: %s %s", r.Field, r.Problem)
		}
	}
}

// messageIDOf returns a messageId that is the same for the same text: with a prefix of its own,
// because ids that begin like the key of a transition are for transitions where such calls are
// taken in, and of a hash if it would be longer than Segment takes.
func messageIDOf(text string) string {
	const prefix, most = "mirror:", 100
	if len(prefix)+len(text) <= most {
		return prefix + text
	}
	sum := sha256.Sum256([]byte(text))
	return prefix + hex.EncodeToString(sum[:])
}

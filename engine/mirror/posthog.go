package mirror

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// PostHogConfig configures a mirror in PostHog. Only Key must be given.
type PostHogConfig struct {
	// Key is the project's API key, phc_….
	Key string

	// Host is where PostHog takes events. Defaults to https://us.i.posthog.com; that of Europe is
	// https://eu.i.posthog.com.
	Host string

	// Buckets are those that are mirrored. Defaults to all, also those that this program does not
	// have.
	Buckets []registry.BucketRef

	// Prefix begins the names of properties: a person who is in the bucket power-users has the
	// property <prefix>_bucket_power-users, which is true. Defaults to bucketgen.
	Prefix string

	// Properties are the properties of buckets, by their ids, where another name is wanted.
	// Defaults to none.
	Properties map[string]string

	// Name is what the mirror is called in the log, and its subscriptions in the database: that
	// name, or the name, a colon and the id for each of Buckets. [engine.Outbox.Unsubscribe] ends
	// one that is not wanted any more. Defaults to posthog.
	Name string

	// Merges has the mirror merge persons when a contact became another, so that what is known
	// there of the one becomes the other's. Defaults to false.
	Merges bool

	// Client makes the requests. Defaults to one that waits for 15 s.
	Client *http.Client
}

// PostHog sets a property of a person when the user of that distinct id joins a bucket, and removes
// it when they leave. It is called before the engine starts. A repeated delivery is stored once, by
// its UUID.
func PostHog(e *engine.Engine, config PostHogConfig) error {
	def(&config.Host, "https://us.i.posthog.com")
	def(&config.Prefix, "bucketgen")
	def(&config.Name, "posthog")
	if config.Client == nil {
		config.Client = newClient()
	}
	if config.Key == "" {
		return errors.New("mirror.PostHogConfig.Key is empty; it is the API key of a project")
	}
	for id, property := range config.Properties {
		if property == "" {
			return fmt.Errorf("mirror.PostHogConfig.Properties has an empty name for bucket %q", id)
		}
		if _, known := e.Registry().Tables().Bucket(id); !known {
			return fmt.Errorf("mirror.PostHogConfig.Properties has %q, which is no bucket", id)
		}
	}
	url, err := at(config.Host, "batch/")
	if err != nil {
		return fmt.Errorf("mirror.PostHogConfig.Host %w", err)
	}
	m := &mirror{client: config.Client, url: url, body: config.body}
	return m.register(e, config.Name, config.Buckets, config.Merges)
}

// personEvent is an event that only changes the properties of a person.
type personEvent struct {
	Event      string         `json:"event"`
	DistinctID string         `json:"distinct_id"` //nolint:tagliatelle // PostHog's
	UUID       string         `json:"uuid"`
	Timestamp  time.Time      `json:"timestamp"`
	Properties map[string]any `json:"properties"`
}

func (c PostHogConfig) body(deliveries []engine.Delivery) any {
	batch := make([]personEvent, len(deliveries))
	for i := range deliveries {
		d := &deliveries[i]
		batch[i] = personEvent{Event: "$set", DistinctID: distinctID(d.Transition.Who()), UUID: uuidOf(identity(d.Transition)), Timestamp: d.Transition.At}
		if d.Notice != nil {
			batch[i].merge(d.Notice)
		} else {
			batch[i].Properties = c.change(&d.Transition)
		}
	}
	return map[string]any{"api_key": c.Key, "batch": batch}
}

// change returns what a transition changes of a person.
func (c PostHogConfig) change(t *engine.Transition) map[string]any {
	property, named := c.Properties[t.BucketID]
	if !named {
		property = c.Prefix + "_bucket_" + t.BucketID
	}
	if t.Kind == engine.Left {
		return map[string]any{"$unset": []string{property}}
	}
	return map[string]any{"$set": map[string]bool{property: true}}
}

// merge makes an event one that merges persons: PostHog has one way for those who were anonymous,
// and another for all others.
func (e *personEvent) merge(n *engine.Notice) {
	from := distinctID(*n.From)
	e.DistinctID = distinctID(*n.Into)
	e.Event, e.Properties = "$merge_dangerously", map[string]any{"alias": from}
	if n.From.Kind == engine.KindAnonymous {
		e.Event, e.Properties = "$identify", map[string]any{"$anon_distinct_id": from}
	}
}

// uuidOf returns a UUID that is the same for the same text.
func uuidOf(text string) string {
	u := sha256.Sum256([]byte(text))
	u[6] = u[6]&0x0f | 0x80 // version 8: made in a way of our own
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

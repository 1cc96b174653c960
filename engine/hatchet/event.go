package hatchet

import (
	"errors"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// Event is a kind of event that is pushed to Hatchet, and triggers the workflows that name its key.
type Event struct {
	key          string // empty: that of each transition
	subscription engine.Subscription
	err          error
}

// Entered are joins of a bucket: bucket:entered:<id>.
func Entered(bucket registry.BucketRef) Event {
	if bucket == nil {
		return Event{err: errNoBucket}
	}
	return event("bucket:entered:"+bucket.ID(), engine.Subscription{Bucket: bucket, Kinds: []engine.Kind{engine.Entered}})
}

// Left are leaves of a bucket: bucket:left:<id>.
func Left(bucket registry.BucketRef) Event {
	if bucket == nil {
		return Event{err: errNoBucket}
	}
	return event("bucket:left:"+bucket.ID(), engine.Subscription{Bucket: bucket, Kinds: []engine.Kind{engine.Left}})
}

// Ticked are ticks of stays: bucket:dwell:<id>:<label>.
func Ticked(tick registry.TickRef) Event {
	return event(tick.Event(), engine.Subscription{Bucket: tick.Bucket(), Kinds: []engine.Kind{engine.Dwell}, Tick: tick.Label()})
}

// AnyEntered are joins of all buckets, under the generic key bucket:entered.
func AnyEntered() Event {
	return event("bucket:entered", engine.Subscription{Kinds: []engine.Kind{engine.Entered}})
}

// AnyLeft are leaves of all buckets, under the generic key bucket:left.
func AnyLeft() Event {
	return event("bucket:left", engine.Subscription{Kinds: []engine.Kind{engine.Left}})
}

// Merged are notices that a contact became another, or got an id of a higher rank, under the key
// person:merged. Their payload has from, into and at. [Everything] does not include them.
func Merged() Event {
	return event("person:merged", engine.Subscription{Kinds: []engine.Kind{engine.Merged}})
}

// Erased are notices that a person was erased, under the key person:erased. Their payload has ids
// and at. [Everything] does not include them.
func Erased() Event {
	return event("person:erased", engine.Subscription{Kinds: []engine.Kind{engine.Erased}})
}

// Everything are all transitions of all buckets, each under its own key, as if every bucket and
// tick were listed. It takes the place of [Entered], [Left] and [Ticked].
func Everything() Event {
	e := event("bucket:*", engine.Subscription{Kinds: []engine.Kind{engine.Entered, engine.Left, engine.Dwell}})
	e.key = ""
	return e
}

var errNoBucket = errors.New("an event has no bucket; pass one that is generated, like gen.PowerUsers")

func event(key string, s engine.Subscription) Event {
	s.Name = subscriptionPrefix + key
	return Event{key: key, subscription: s}
}

// subscriptionPrefix and a key are the name under which transitions wait to be pushed.
const subscriptionPrefix = "hatchet:"

// distinct returns the events without those that would be pushed twice.
func distinct(events []Event) ([]Event, error) {
	everything := false
	for _, e := range events {
		everything = everything || e.key == "" && e.err == nil
	}
	var out []Event
	seen := map[string]bool{}
	for _, e := range events {
		if e.err != nil {
			return nil, e.err
		}
		specific := e.key != "" && e.subscription.Bucket != nil
		if seen[e.subscription.Name] || everything && specific {
			continue
		}
		seen[e.subscription.Name] = true
		out = append(out, e)
	}
	return out, nil
}

package view

import (
	"fmt"
	"net/url"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// backlogsOf returns what waits for an endpoint, by subscription: one, or one for each of its
// buckets.
func backlogsOf(o client.Outbox, e client.Endpoint) []client.Backlog {
	name := fmt.Sprintf("webhook:%d", e.No)
	all := []client.Backlog{{Subscription: name}}
	if len(e.Buckets) > 0 {
		all = all[:0]
	}
	for _, id := range e.Buckets {
		all = append(all, client.Backlog{Subscription: name + ":" + id, BucketID: id})
	}
	for _, b := range o.Subscriptions {
		for i := range all {
			if all[i].Subscription == b.Subscription {
				all[i] = b
			}
		}
	}
	return all
}

// sumOfBacklogs adds up what waits for an endpoint.
func sumOfBacklogs(o client.Outbox, e client.Endpoint) (sum client.Backlog) {
	for _, b := range backlogsOf(o, e) {
		sum.Waiting += b.Waiting
		sum.Dead += b.Dead
	}
	return sum
}

// letters returns the address of the dead letters of a subscription.
func (s Site) letters(subscription string) string {
	return s.To("/outbox", url.Values{"subscription": {subscription}}) + "#dead"
}

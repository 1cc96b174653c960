package view

import (
	"strings"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// kindsOf says what a subscription gets.
func kindsOf(s client.Subscription) string {
	text := strings.Join(s.Kinds, ", ")
	if s.Tick != "" {
		text += " " + s.Tick
	}
	if len(s.Reasons) > 0 {
		text += " by " + strings.Join(s.Reasons, ", ")
	}
	if s.FirstOnly {
		text += ", of the first stay only"
	}
	return text
}

// backlogOf returns what waits for a subscription.
func backlogOf(o client.Outbox, s client.Subscription) client.Backlog {
	for _, b := range o.Subscriptions {
		if b.Subscription == s.Name && (b.BucketID == s.BucketID || b.BucketID == "") {
			return b
		}
	}
	return client.Backlog{}
}

// listed writes names one after the other.
func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

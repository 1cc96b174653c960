// Package outbox delivers committed transitions to handlers and forwarders, at least once and in
// order for each subscription, user and bucket.
//
// A transaction that decides a transition writes a row of the table deliveries for each
// subscription to it. A [Dispatcher] leases the rows that are the heads of their keys
// (subscription, user and bucket), makes the calls without holding a connection, and then completes
// the deliveries and leases the next ones in one transaction, its exchange. Completing a head makes
// its successor claimable.
package outbox

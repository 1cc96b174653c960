package bucketgen

import "time"

// Stats is what an engine has done since it was started, and how far behind it is.
type Stats struct {
	Events      int64 // taken in
	Duplicates  int64 // recognised by their key
	Refused     int64 // by the database
	Batches     int64 // in which events were written
	Transitions int64 // decided, ticks included
	Settled     int64 // users that the clock evaluated
	Candidates  int64 // buckets that the indexes found for events
	Evaluations int64 // of criteria, whatever for
	Repaired    int64 // memberships that a reconciliation found to be wrong

	// ClockLag is how long the earliest due instant has been waiting, as of the clock's last poll.
	// 0 if nothing was overdue.
	ClockLag time.Duration

	// TimersWaiting is the number of stays in buckets with FastExpiry that wait for the function of
	// OnExpiryTimer.
	TimersWaiting int64

	// TimersDropped is the number of stays for which it was not called, because there were too
	// many, or because it or the database failed.
	TimersDropped int64

	Delivered  int64 // to handlers and forwarders of this process
	Returned   int64 // to the outbox, because the target of their forwarder was away
	Failed     int64 // attempts
	DeadLetter int64 // deliveries that were given up

	// DeadForgotten is the number of dead letters that were deleted by this process, because they
	// had become too old.
	DeadForgotten int64
}

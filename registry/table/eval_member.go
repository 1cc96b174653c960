package table

// Memberships answers which buckets the user is in, for criteria that ask about other buckets.
type Memberships interface {
	// Membership returns whether the user is in the bucket, and the earliest instant at which that
	// may change.
	Membership(b BucketIndex) Verdict
}

// SetMemberships sets the source of memberships. Every evaluation asks it anew, because memberships
// change while a user's buckets are evaluated one after the other.
func (f *Facts) SetMemberships(m Memberships) { f.members = m }

// InBucket holds while the user is in the bucket.
func (f *Facts) InBucket(b BucketIndex) Verdict {
	if f.members == nil {
		return fixed(false)
	}
	return f.members.Membership(b)
}

package registry

// SetMembership lets criteria ask whether the user is in a bucket, and until when at least nothing changes about that. It
// is asked anew each time, because memberships change while a user is looked at.
func (f *Facts) SetMembership(membership func(Index) Verdict) { f.membership = membership }

// InBucket holds while the user is in the bucket.
func (f *Facts) InBucket(b Index) Verdict {
	if f.membership == nil {
		return fixed(false)
	}
	return f.membership(b)
}

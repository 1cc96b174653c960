package table

import "time"

// Before holds while the property is an instant before t.
func (f *Facts) Before(p PropertyIndex, t Instant) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Time && v.Time < t)
}

// After holds while the property is an instant after t.
func (f *Facts) After(p PropertyIndex, t Instant) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Time && v.Time > t)
}

// TimeBetween holds while the property is an instant from first to last, both included.
func (f *Facts) TimeBetween(p PropertyIndex, first, last Instant) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Time && v.Time >= first && v.Time <= last)
}

// InTheLast holds while the property is an instant in (now-d, now].
func (f *Facts) InTheLast(p PropertyIndex, d time.Duration) Verdict {
	v := f.value(p)
	return f.between(v.Kind == Time, v.Time, v.Time.Add(d))
}

// MoreThanAgo holds while the property is an instant at least d ago.
func (f *Facts) MoreThanAgo(p PropertyIndex, d time.Duration) Verdict {
	v := f.value(p)
	return f.between(v.Kind == Time, v.Time.Add(d), Never)
}

// InTheNext holds while the property is an instant in (now, now+d].
func (f *Facts) InTheNext(p PropertyIndex, d time.Duration) Verdict {
	v := f.value(p)
	return f.between(v.Kind == Time, v.Time.Add(-d), v.Time)
}

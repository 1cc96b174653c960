package refeval

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// expiry returns when an anonymous user expires if nothing happens: some time after the last event,
// or after the user came to be. It is zero for others.
func (u *user) expiry() time.Time {
	if age := u.world.rules.AnonymousAge; age > 0 && u.visitor() {
		last := u.created
		if u.heard.After(last) {
			last = u.heard
		}
		return last.Add(age)
	}
	return time.Time{}
}

// end ends all stays of a user, and then the user: their ids are those of no user.
func (u *user) end(t time.Time) {
	for _, bucket := range slices.Sorted(maps.Keys(u.stays)) {
		if s := u.active(bucket); s != nil && !u.deleted {
			s.left, s.reason = t, "expired"
			u.happen(Transition{Bucket: bucket, Kind: "left", EntryCount: s.entryCount, At: t, Source: "clock", Reason: "expired"})
		}
	}
	w := u.world
	delete(w.users, u.name)
	maps.DeleteFunc(w.aliases, func(_, name string) bool { // an id that users share stays so
		return name == u.name && !strings.HasPrefix(name, sharedPrefix)
	})
	w.gone = append(w.gone, u)
	w.free(u.name)
	u.expired = true
}

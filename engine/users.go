package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
)

// CanonicalID returns the id by which a user goes: the one given, unless that is one that they had
// before they were merged. It is the same for a user who is unknown.
func (g *Users) CanonicalID(ctx context.Context, userID string) (string, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return "", err
	}
	merged, err := e.store.ReadMerged(ctx, e.pool, []string{userID})
	if err != nil {
		return "", fmt.Errorf("canonical id of user %q: %w", userID, err)
	}
	into, found := merged[userID]
	if !found {
		return userID, nil
	}
	e.store.SetMerged(userID, into)
	return into.Name, nil
}

// name returns the name by which a user goes, as far as this process knows, and the contact if that
// is by a merge, or 0.
func (e *Engine) name(user string) (name string, contact int64) {
	if e.phase.Load() == fresh {
		return user, 0
	}
	return e.store.Canonical(user)
}

// The kinds of ids that every program has, for [By].
const (
	KindUser      = resolve.User
	KindEmail     = resolve.Email
	KindAnonymous = resolve.Anonymous
)

// By returns a text that stands for the user with an id of a kind, which every call takes in place
// of a user id but [Event].UserID: eng.Has(ctx, gen.Leads, engine.By(engine.KindEmail, "a@b.c")).
// [Transition.Who] returns the kind and the id of a user who has no user id.
func By(kind, id string) string { return event.Clean(kind, id) }

// AliasOptions say what an alias may do.
type AliasOptions struct {
	// Trusted says that the caller may make two users one. Defaults to false.
	Trusted bool

	// Force gives an anonymous id to the user that users share, or that was unlinked. It takes a
	// trusted caller. Defaults to false.
	Force bool
}

// Alias says that a user was known by another id before.
//
// If that is an anonymous id, or no id at all as yet, it becomes the user's, with what was done by
// it, as by an [Event] with both ids. If it is a user id, both users become one as by
// [Engine.Merge], by a caller who is trusted to do that; else it gives [ErrMergeNotAllowed]. An id
// that is new becomes a further user id by a trusted caller, and an anonymous id by others.
//
// An anonymous id that users share stays shared. A trusted caller gets [ErrShared] then, unless
// they force it: the contact of the id merges into the user, and the id is the user's.
func (g *Users) Alias(ctx context.Context, previousID, userID string, o AliasOptions) error {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return err
	}
	previousID, userID = event.CleanName(previousID), event.CleanName(userID)
	if err := checkMerge(previousID, userID); err != nil {
		return err
	}
	if resolve.IsReserved(previousID) || resolve.IsReserved(userID) {
		return fmt.Errorf("alias: %w", &InvalidError{Field: "user_id", Problem: "begins with U+0001, which no user id does; send user ids and anonymous ids as they are"})
	}
	anonymous := By(KindAnonymous, previousID)
	rows, err := e.store.Queries(e.pool).IdentitiesUsers(ctx, []string{previousID, anonymous, userID})
	if err != nil {
		return fmt.Errorf("find the users of an alias: %w", err)
	}
	known := map[string]db.IdentitiesUsersRow{}
	for _, row := range rows {
		known[row.Name] = row
	}
	before, isUser := known[previousID]
	visitor, isVisitor := known[anonymous]
	shared := isVisitor && resolve.IsShared(visitor.UserID)
	user, exists := known[userID]
	switch {
	case previousID == userID || isUser && exists && before.ID == user.ID:
		return nil
	case isUser && !o.Trusted:
		return ErrMergeNotAllowed
	case exists && user.Deleted:
		return ErrDeleted
	case !isUser && shared && o.Trusted:
		return e.reclaim(ctx, anonymous, userID, o.Force)
	case isUser || o.Trusted && !isVisitor:
		_, err := e.Merge(ctx, previousID, userID)
		return err
	}
	_, err = e.Ingest(ctx, Event{UserID: userID, AnonymousID: previousID, TraitsJSON: []byte("{}"), Untrusted: !o.Trusted})
	return err
}

// reclaim gives a shared id to a user, if that is forced.
func (e *Engine) reclaim(ctx context.Context, id, userID string, force bool) error {
	if !force {
		return ErrShared
	}
	release, err := e.merges.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("alias: %w", err)
	}
	defer release()
	if err := e.merger().Reclaim(ctx, e.attempts("merge"), id, userID); err != nil {
		return fmt.Errorf("alias: %w", err)
	}
	return nil
}

// checkMerge refuses ids that cannot be those of a merge.
func checkMerge(from, into string) error {
	for _, named := range [...]struct{ field, id string }{{"from", from}, {"into", into}} {
		if invalid, ok := errors.AsType[*InvalidError](event.UserID(named.id)); ok {
			return fmt.Errorf("merge users: %w", &InvalidError{Field: named.field, Problem: invalid.Problem})
		}
	}
	return nil
}

// BucketStay is a stay in one of several buckets.
type BucketStay struct {
	Stay
	BucketID     string `json:"bucketId"`
	BucketName   string `json:"bucketName"`
	MembershipID int64  `json:"membershipId"`
}

// Stays returns the stays of a user that last: one for each bucket that they are in, by the ids of
// the buckets. Buckets that this engine's registry does not have are left out. An unknown user
// gives [ErrUnknownUser], a deleted one [ErrDeleted].
func (g *Users) Stays(ctx context.Context, userID string) ([]BucketStay, error) {
	_, all, err := g.NamedStays(ctx, userID)
	return all, err
}

// NamedStays is [Users.Stays] with the id by which the user goes, which is another one if the user
// was merged.
func (g *Users) NamedStays(ctx context.Context, userID string) (name string, all []BucketStay, err error) {
	e := (*Engine)(g)
	if err := e.checkUserID(userID); err != nil {
		return "", nil, fmt.Errorf("stays: %w", err)
	}
	rows, err := e.store.Queries(e.pool).MembershipsOf(ctx, userID)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("stays: %w", err)
	case len(rows) == 0:
		return "", nil, fmt.Errorf("stays: %w", ErrUnknownUser)
	case rows[0].DeletedAt.Valid:
		return "", nil, fmt.Errorf("stays: %w", ErrDeleted)
	case rows[0].BucketNo == nil:
		return rows[0].UserID, []BucketStay{}, nil
	}
	all = []BucketStay{}
	for _, row := range rows {
		b, known := e.store.Index(*row.BucketNo)
		if !known {
			continue
		}
		all = append(all, BucketStay{
			BucketID: e.registry.Buckets[b].ID, BucketName: e.registry.Buckets[b].Name, MembershipID: *row.ID,
			Stay: Stay{EntryCount: int(*row.EntryCount), EnteredAt: row.EnteredAt.Time.UTC(), Source: Source(*row.Source), EnteredAs: store.EnteredAs(row.EnteredAs)},
		})
	}
	slices.SortFunc(all, func(a, b BucketStay) int { return cmp.Compare(a.BucketID, b.BucketID) })
	return rows[0].UserID, all, nil
}

// LatestStay returns the latest stay of a user in a bucket, whether it lasts or not, and whether
// there ever was one. A user who is unknown gives [ErrUnknownUser], one who is deleted
// [ErrDeleted].
func (g *Users) LatestStay(ctx context.Context, bucket registry.BucketRef, userID string) (Stay, bool, error) {
	e := (*Engine)(g)
	b, err := e.lookup(bucket)
	if err == nil {
		err = e.checkUserID(userID)
	}
	if err != nil {
		return Stay{}, false, fmt.Errorf("latest stay: %w", err)
	}
	row, err := e.store.Queries(e.pool).MembershipsLatest(ctx, db.MembershipsLatestParams{UserID: userID, BucketNo: e.store.Bucket(b)})
	switch {
	case noRow(err):
		return Stay{}, false, fmt.Errorf("latest stay: %w", ErrUnknownUser)
	case err != nil:
		return Stay{}, false, fmt.Errorf("latest stay: %w", err)
	case row.DeletedAt.Valid:
		return Stay{}, false, fmt.Errorf("latest stay: %w", ErrDeleted)
	case row.ID == nil:
		return Stay{}, false, nil
	}
	s := Stay{
		EntryCount: int(*row.EntryCount), EnteredAt: row.EnteredAt.Time.UTC(), Source: Source(*row.Source), Reason: Reason(deref(row.Reason)),
		EnteredAs: store.EnteredAs(row.EnteredAs),
	}
	if row.LeftAt.Valid {
		s.LeftAt = row.LeftAt.Time.UTC()
	}
	return s, true, nil
}

// checkUserID returns an error if nothing can be said about a user, whatever is in the database.
func (e *Engine) checkUserID(userID string) error {
	if err := e.ready(); err != nil {
		return err
	}
	return event.UserID(userID)
}

// requireUser returns an error if a user is unknown or deleted.
func (e *Engine) requireUser(ctx context.Context, userID string) error {
	switch deleted, err := e.store.Queries(e.pool).ContactsDeleted(ctx, userID); {
	case noRow(err):
		return ErrUnknownUser
	case err != nil:
		return fmt.Errorf("read the user: %w", err)
	case deleted:
		return ErrDeleted
	}
	return nil
}

// FoundUser is a user that a search found.
type FoundUser = bucketgen.FoundUser

// User is what is known of a user.
type User = bucketgen.User

// EventPage is a page of the events of a user.
type EventPage = bucketgen.EventPage

// ActivityPage is a page of the events and transitions of a user in one order.
type ActivityPage = bucketgen.ActivityPage

// TimelineQuery says which transitions of a user a timeline has, and in which order.
type TimelineQuery = bucketgen.TimelineQuery

// Search returns users whose id, former id, anonymous id, e-mail address or property name begins
// with a text: up to a number of them, those who are found by their id first. Letter case counts in
// ids only. A size of 0 is 100; more than 1000 are 1000.
func (g *Users) Search(ctx context.Context, text string, size int) ([]FoundUser, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("search users: %w", err)
	}
	return e.inspecting().Search(ctx, text, size)
}

// Get returns what is known of a user, but for what they did. Of a deleted user it returns ids and
// times. An unknown user gives [ErrUnknownUser].
func (g *Users) Get(ctx context.Context, userID string) (User, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(userID); err != nil {
		return User{}, fmt.Errorf("get user: %w", err)
	}
	u, err := e.inspecting().User(ctx, userID)
	if err != nil {
		return User{}, fmt.Errorf("get user: %w", err)
	}
	return u, nil
}

// Events returns a page of what a user did, the newest first: all events and traits, or the events
// of a name. A size of 0 is 100; more than 1000 are 1000. An unknown user gives [ErrUnknownUser], a
// deleted one [ErrDeleted].
func (g *Users) Events(ctx context.Context, userID, name string, after *bucketgen.TimeKey, size int) (EventPage, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(userID); err != nil {
		return EventPage{}, fmt.Errorf("events: %w", err)
	}
	page, err := e.inspecting().Events(ctx, userID, name, after, size)
	if err != nil {
		return EventPage{}, fmt.Errorf("events: %w", err)
	}
	return page, nil
}

// Activity returns a page of the events of a user and of their transitions, in one order, the
// newest first. A size of 0 is 100; more than 1000 are 1000. An unknown user gives
// [ErrUnknownUser], a deleted one [ErrDeleted].
func (g *Users) Activity(ctx context.Context, userID string, after *bucketgen.ActivityKey, size int) (ActivityPage, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(userID); err != nil {
		return ActivityPage{}, fmt.Errorf("activity: %w", err)
	}
	page, err := e.inspecting().Activity(ctx, userID, after, size)
	if err != nil {
		return ActivityPage{}, fmt.Errorf("activity: %w", err)
	}
	return page, nil
}

// Timeline returns a page of the transitions of a user, in the order of decision, and the After of
// the next page: 0 if there is none. Transitions of buckets that the engine's registry does not
// have are among them. A bucket that was never defined gives [ErrUnknownBucket], an unknown user
// [ErrUnknownUser], a deleted one [ErrDeleted].
func (g *Users) Timeline(ctx context.Context, userID string, q TimelineQuery) ([]Transition, int64, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(userID); err != nil {
		return nil, 0, fmt.Errorf("timeline: %w", err)
	}
	bucketNo := int32(0)
	if q.BucketID != "" {
		numbers, err := e.store.Queries(e.pool).BucketsNumbers(ctx, []string{q.BucketID})
		switch {
		case err != nil:
			return nil, 0, fmt.Errorf("timeline: find the bucket: %w", err)
		case len(numbers) == 0:
			return nil, 0, fmt.Errorf("timeline: bucket %q: %w", q.BucketID, ErrUnknownBucket)
		}
		bucketNo = numbers[0].No
	}
	all, next, err := e.inspecting().Timeline(ctx, userID, bucketNo, q)
	if err != nil {
		return nil, 0, fmt.Errorf("timeline: %w", err)
	}
	return all, next, nil
}

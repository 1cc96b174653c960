package transact

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/internal/store"
)

// Names are the names by which users go now, by those that they had before they were merged.
type Names map[string]string

// Of returns the name by which a user goes.
func (n Names) Of(user string) string {
	if name, merged := n[user]; merged {
		return name
	}
	return user
}

// mergedError says that users who were named were merged into others. Nothing was done; it can be
// tried again by those names.
type mergedError struct{ names Names }

// Error returns how many they are.
func (m *mergedError) Error() string {
	return fmt.Sprintf("%d users were merged into others meanwhile", len(m.names))
}

// IsMerged reports whether an error says that users who were named were merged into others.
func IsMerged(err error) bool {
	_, merged := errors.AsType[*mergedError](err)
	return merged
}

// Canonical calls do until it meets no named user who was merged, and returns its error. In between
// it calls rename with the names of those users, by which do goes the next time.
func Canonical(do func() error, rename func(Names)) error {
	for {
		err := do()
		merged, ok := errors.AsType[*mergedError](err)
		if !ok {
			return err
		}
		rename(merged.names)
	}
}

// checkMerged returns a [*mergedError] if users who were named were merged. The lock of the user
// says that, and only then the name is looked up: users who were never merged cost nothing.
func (r *Runner) checkMerged(ctx context.Context, conn store.Conn, mode store.LoadMode, loaded *store.Loaded, tasks []*Task) error {
	var merged []string
	for _, t := range tasks {
		if t.replaced(loaded) {
			return ErrReplaced
		}
		if t.Named && loaded.Merged(t.Want.User) {
			merged = append(merged, t.Want.User)
		}
	}
	if len(merged) == 0 {
		return nil
	}
	into, err := r.Store.ReadMerged(ctx, conn, merged)
	if err != nil {
		return err
	}
	names := Names{}
	for _, user := range merged {
		names[user] = into[user].Name
		switch {
		case names[user] != "":
		case r.Store.Forget(user): // the contact is that of a person who was erased: the cache knew it by its id
			names[user] = user
			continue
		default:
			return fmt.Errorf("user %q was merged, and bucketgen.identities does not say into whom; was it changed by hand?", user)
		}
		if !mode.Provisional() { // else the merge may be one of this transaction, and rolled back with it
			r.Store.SetMerged(user, into[user])
		}
	}
	return &mergedError{names}
}

// ErrReplaced says that the user of a task was erased and came back, so that what was known of
// other ids is no longer true.
var ErrReplaced = errors.New("the user has another contact by now")

func (t *Task) replaced(loaded *store.Loaded) bool {
	return t.Known != 0 && loaded.Locked(t.Want.User) && t.Known != loaded.Contact(t.Want.User)
}

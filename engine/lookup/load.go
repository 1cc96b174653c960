package lookup

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// each returns the buckets of users. Callers must not change them.
func (l *Lookup) each(ctx context.Context, users []string) ([][]table.BucketIndex, error) {
	all := make([][]table.BucketIndex, len(users))
	if !l.Fresh() {
		l.fallbacks.Add(int64(len(users)))
		return all, l.read(ctx, users, func(i int, _ string, in []table.BucketIndex) { all[i] = in })
	}
	var missing []string
	var places []int
	for i, user := range users {
		in, known := l.memory.get(user)
		if all[i] = in; !known {
			missing, places = append(missing, user), append(places, i)
		}
	}
	if len(missing) == 0 {
		return all, nil
	}
	loaded, err := l.load(ctx, missing...)
	for n, in := range loaded {
		all[places[n]] = in
	}
	return all, err
}

// load reads users, and remembers those who have not changed meanwhile.
func (l *Lookup) load(ctx context.Context, users ...string) ([][]table.BucketIndex, error) {
	all, before := make([][]table.BucketIndex, len(users)), make([]uint64, len(users))
	for i, user := range users {
		before[i] = l.memory.drops(user)
	}
	err := l.read(ctx, users, func(i int, name string, in []table.BucketIndex) {
		all[i] = in
		if name == users[i] { // the feed names users by their canonical ids
			l.memory.put(name, in, before[i])
		}
	})
	return all, err
}

func (l *Lookup) read(ctx context.Context, users []string, each func(i int, name string, in []table.BucketIndex)) error {
	all, err := l.engine.BucketsOf(ctx, users...)
	if err != nil {
		return fmt.Errorf("lookup: %w", err)
	}
	for i, user := range all {
		in := make([]table.BucketIndex, len(user.Buckets))
		for n, ref := range user.Buckets {
			in[n], _ = l.registry.ResolveRef(ref)
		}
		each(i, user.UserID, in)
	}
	return nil
}

func holds(in []table.BucketIndex, b table.BucketIndex) bool {
	_, found := slices.BinarySearch(in, b)
	return found
}

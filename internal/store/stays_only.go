package store

import (
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// StaysOnly returns a store of buckets whose stays can be changed, as if they were manual, whatever
// their definitions are. It also takes buckets that are no longer defined. It caches no users.
func StaysOnly(schema string, buckets []db.BucketgenBucket) *Store {
	r := &table.Registry{Buckets: make([]table.Bucket, len(buckets))}
	s := &Store{
		registry: r, schema: schema, buckets: make([]int32, len(buckets)), indexes: make(map[int32]table.BucketIndex, len(buckets)),
		cache: usercache.New(r, 0),
	}
	for i, b := range buckets {
		r.Buckets[i] = table.Bucket{ID: b.ID, Name: b.Name, Kind: table.Manual}
		s.buckets[i], s.indexes[b.No] = b.No, table.BucketIndex(i)
	}
	s.needs = needsOf(r)
	return s
}

// Registry returns the registry of the store.
func (s *Store) Registry() *table.Registry { return s.registry }

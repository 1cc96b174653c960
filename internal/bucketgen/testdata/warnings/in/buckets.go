package buckets

import "github.com/bucketgen/bucketgen/bucket"

// Seeded comes from elsewhere, where people had to say what follows from the criteria.
var Seeded = bucket.Define(bucket.Spec{
	ID:        "seeded",
	Criteria:  bucket.Event("visit").Within(bucket.Week).Exists(),
	TimeBased: bucket.On,
})

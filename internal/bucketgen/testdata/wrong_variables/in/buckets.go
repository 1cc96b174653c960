package buckets

import "github.com/bucketgen/bucketgen/bucket"

func def(id string) bucket.Definition {
	return bucket.Define(bucket.Spec{ID: id, Criteria: bucket.Event("visit").Exists()})
}

// Definitions that are not visible are not lost silently.
var (
	hidden    = def("hidden")
	hiddenToo = []bucket.Definition{def("hidden-too")}
	_         = def("blank")

	Pointer = pointer(def("pointer"))
	Array   = [1]bucket.Definition{def("array")}
	Map     = map[string]bucket.Definition{"map": def("map")}
)

func pointer(d bucket.Definition) *bucket.Definition { return &d }

// They are reported together with what is wrong in others.
var Wrong = def("Wrong")

// Other variables do not matter.
var (
	Visit    = bucket.Event("visit")
	Criteria = Visit.Exists()
	plan     = bucket.Text("plan")
	Nested   []Nested2
)

type Nested2 []Nested2

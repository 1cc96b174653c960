package buckets

import "github.com/bucketgen/bucketgen/bucket"

var ok = bucket.Event("visit").Exists()

func def(id string) bucket.Spec { return bucket.Spec{ID: id, Criteria: ok} }

var (
	None       = bucket.Define(def(""))
	Upper      = bucket.Define(def("Power Users"))
	Edges      = bucket.Define(def("-edges_"))
	Symbols    = bucket.Define(def("!!!"))
	Long       = bucket.Define(def("a23456789-123456789-123456789-123456789-123456789-123456789-12345"))
	First      = bucket.Define(def("twice"))
	Second     = bucket.Define(def("twice"))
	Dashed     = bucket.Define(def("power-users"))
	Scored     = bucket.Define(def("power_users"))
	Registry   = bucket.Define(def("registry"))
	Properties = bucket.Define(def("properties"))
	Ticking    = bucket.Define(bucket.Spec{ID: "ticking", Criteria: ok, Dwell: []bucket.Tick{bucket.After(bucket.Day)}})
	Ticked     = bucket.Define(def("ticking-after1-day"))

	Undefined bucket.Definition
)

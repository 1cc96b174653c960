// Package bucket is the vocabulary in which buckets are written.
//
// A bucket is a named set of users that is true at every instant: a user is a member from the
// moment their events and properties match the criteria until the moment they stop, also when only
// the clock moved. Properties and events are declared once, conditions are built from them, and
// [Define] turns criteria and policy into a [Definition]:
//
//	var (
//		Plan      = bucket.Text("plan")
//		AppActive = bucket.Event("app.active")
//	)
//
//	// PowerUsers pay and come back.
//	var PowerUsers = bucket.Define(bucket.Spec{
//		ID: "power-users",
//		Criteria: bucket.All(
//			Plan.Is("pro"),
//			AppActive.Within(7*bucket.Day).AtLeast(5),
//		),
//	})
//
// Definitions are inert values. The bucketgen command reads the exported variables of type
// [Definition] (or []Definition) of a package and writes static Go code for them, which a program
// hands to the engine. Nothing here panics and nothing returns an error: mistakes travel with the
// value, and bucketgen reports all of them at once, each with its file and line.
//
// Every value of this package is immutable and may be used from several goroutines; a method never
// changes its receiver. What is not finished is not a [Criteria]: an [EventName] has to be asked
// something, like Exists or AtLeast, before it can stand in one.
package bucket

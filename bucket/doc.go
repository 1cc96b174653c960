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
// # Properties
//
// [Text], [Number], [Bool], [Time] and [List] declare a property of users. Its methods are
// conditions on the present value, such as [TextOf.Is], and its HasBeen and Changed look back.
//
// # Events
//
// [Event] declares an event. What is asked about it goes from left to right: which ones, by Where
// and Within, and then how many, by [Occurrences.Exists], Never or AtLeast, or what their values
// come to, by Sum, Distinct or First. [Occurrences.Then] begins a sequence.
//
// # Combining
//
// [All], [Any], [Not] and [AtLeastOf] combine conditions. [InBucket] and [NotInBucket] ask about
// another bucket, and [Sample] takes a part of all users. docs/reference/criteria.md lists every
// condition, when it changes and what it costs.
//
// # Policies
//
// The fields of [Spec] say the rest: how often a join is announced ([Once], [OncePer]), how long a
// stay lasts at least and at most, and when ticks announce that it lasts ([After], [Every]). A
// bucket of kind [Manual] has no criteria: the program adds and removes users.
//
// # Definitions are values
//
// The bucketgen command reads the exported variables of type [Definition] (or []Definition) of a
// package and writes static Go code for them, which a program hands to the engine. Nothing here
// panics and nothing returns an error: mistakes travel with the value, and bucketgen reports all of
// them at once, each with its file and line.
//
// Every value of this package is immutable and may be used from several goroutines; a method never
// changes its receiver. What is not finished is not a [Criteria]: an [EventName] has to be asked
// something, like Exists or AtLeast, before it can stand in one.
package bucket

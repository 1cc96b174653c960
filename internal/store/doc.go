// Package store is the border to PostgreSQL. It loads what is known of users, under their locks,
// into the states that package decide works on, and writes the changes that come out.
//
// [Store.Load] and [Write.Send] each take one round trip, whatever the number of users, and the
// number of statements does not depend on what is in them. Statements that read are in load_*.go,
// statements that write in write*.go. What is cached of users between transactions is in package
// usercache.
package store

// Package store is the border to PostgreSQL: it reads what is known of users under their locks into the states that
// package decide works on, and writes the changes that come out. Each takes one round trip, whatever number of users
// it is about, and the number of statements does not depend on what they say.
package store

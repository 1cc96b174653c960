// Package usercache remembers the users whom an engine wrote about lately. The next transaction
// about such a user takes the lock and reads nothing else.
//
// # Protocol
//
// A transaction uses the cache in this order:
//
//  1. [Cache.View] returns what is cached of a user, before the lock. The caller reads the rest.
//  2. The statement that locks the user reads the contact's version and cache owner.
//  3. [Cache.Trusts] compares the owner and the view, with the lock held. If it returns false, the
//     caller reads everything from the database.
//  4. [Cache.Claim] takes the history out of the cache, with the lock held and before COMMIT. All
//     views of the user become invalid.
//  5. The caller puts the user's state after the transaction into the claim, and commits.
//  6. [Claim.Commit] puts that state into the cache, unless another transaction has claimed the
//     user since step 4.
//
// A claim comes before COMMIT because the next transaction gets the lock as soon as COMMIT takes
// effect. Its view is from before, and must not pass step 3. A transaction that rolls back drops
// its claims: the cache has no history of those users then, and the next transaction reads it.
//
// # Ownership
//
// Other engines write, too. The contact therefore bears a number that says which engine owns the
// cached history of the user: the last one that wrote about them. A transaction that writes about a
// user of another owner replaces the number by its own, or by none. The row is locked anyway, so an
// owner that stays the same costs no write.
//
// A server that restarted may have lost commits. [Cache.ServerStarted] then clears the cache and
// draws a new number, which no contact bears. While commits are not durable, the cache owns no
// history.
//
// Properties need no owner: the contact counts their versions, and the statement that takes the
// lock compares the version.
package usercache

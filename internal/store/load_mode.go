package store

import (
	"time"
)

// LoadMode says in what transaction users are loaded, and how their locks are taken:
// [BeginAndLock], [InTx], [ReadOnly] or [AlreadyLocked].
type LoadMode struct {
	begin, wait, free, provisional, rebuild, replan bool

	timeout time.Duration
	token   CommitToken
	view    *Deployment
}

// Begin says how a transaction of the engine begins.
type Begin struct {
	// Wait says to wait for users who are locked. Otherwise they are passed over.
	Wait bool

	// Timeout is how long a statement waits for a lock.
	Timeout time.Duration

	// Token is written by the transaction, for [Store.CommitStatus].
	Token CommitToken

	// Replan makes the plans of the connection's statements anew. See the function [Replan].
	Replan bool

	// View is what is deployed, for the caller. Nil: the deployment in the database.
	View *Deployment
}

// BeginAndLock begins a transaction by the same round trip and takes the locks of the users.
func BeginAndLock(b Begin) LoadMode {
	return LoadMode{begin: true, wait: b.Wait, timeout: b.Timeout, token: b.Token, replan: b.Replan, view: b.View}
}

// InTx takes the locks of the users, however long that takes, in a transaction that was begun
// before and may be rolled back: nothing of it is cached, and nothing cached is used.
func InTx(view *Deployment) LoadMode { return LoadMode{wait: true, provisional: true, view: view} }

// ReadOnly begins a transaction that reads everything as it was committed at one moment, takes no
// lock and cannot write.
func ReadOnly(view *Deployment, replan bool) LoadMode {
	return LoadMode{begin: true, free: true, view: view, replan: replan}
}

// AlreadyLocked loads users whose locks the transaction has taken by [Store.LockDue].
func AlreadyLocked() LoadMode { return LoadMode{} }

// Provisional reports whether what is loaded may be rolled back.
func (m LoadMode) Provisional() bool { return m.provisional }

// Rebuild also derives all that is kept of the users anew from the log.
func (m LoadMode) Rebuild() LoadMode {
	m.rebuild = true
	return m
}

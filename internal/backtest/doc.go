// Package backtest runs definitions over the log of events: in memory, in virtual time, user by
// user. It reads the database and writes nothing.
package backtest

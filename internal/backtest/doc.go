// Package backtest runs definitions over the logs of users: in memory, in virtual time, one user
// after the other. It reads no database.
package backtest

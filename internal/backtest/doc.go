// Package backtest works out what definitions would have come to, from what is logged of users: in memory, in virtual time,
// one user after the other. It reads no database.
package backtest

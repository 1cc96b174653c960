package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// cpu is how much processor time this process and the server have used. Where there is no /proc, or
// the server is on another machine, it is nothing.
type cpu struct{ client, server time.Duration }

func (c cpu) since(before cpu) cpu { return cpu{c.client - before.client, c.server - before.server} }

// cpuNow reads it. The server is given by the number of its first process, the parent of all
// others.
func cpuNow(server int) cpu {
	var c cpu
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		s, err := readStat(file)
		switch {
		case err != nil: // it has ended
		case s.pid == os.Getpid():
			c.client += s.own
		case s.pid == server:
			c.server += s.own + s.ended
		case s.parent == server:
			c.server += s.own
		}
	}
	return c
}

// serverOf returns the number of the first process of a server, or 0 if it is not to be seen.
func serverOf(ctx context.Context, pool *pgxpool.Pool) (int, error) {
	var pid int
	if err := pool.QueryRow(ctx, "select pg_backend_pid()").Scan(&pid); err != nil {
		return 0, err
	}
	if s, err := readStat("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && s.name == "postgres" {
		return s.parent, nil
	}
	return 0, nil // it is on another machine
}

// stat is what /proc says of a process.
type stat struct {
	pid, parent int
	name        string
	own, ended  time.Duration // that it has used itself, and those of its children that have ended
}

func readStat(file string) (stat, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return stat{}, err
	}
	name, rest, _ := strings.Cut(string(text), ") ")
	pid, name, _ := strings.Cut(name, " (")
	fields := strings.Fields(rest)
	const parent, user, last = 1, 11, 14 // places after the name: of four times, its own and those of its children
	if len(fields) <= last {
		return stat{}, os.ErrInvalid
	}
	const tick = 10 * time.Millisecond // what /proc counts in
	var times [last - user + 1]time.Duration
	for i := range times {
		n, _ := strconv.Atoi(fields[user+i])
		times[i] = time.Duration(n) * tick
	}
	s := stat{name: name, own: times[0] + times[1], ended: times[2] + times[3]}
	s.pid, _ = strconv.Atoi(pid)
	s.parent, _ = strconv.Atoi(fields[parent])
	return s, nil
}

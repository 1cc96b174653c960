package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cpu is how much processor time this process and all of PostgreSQL on this machine have used. Where there is no /proc it
// is nothing.
type cpu struct{ client, server time.Duration }

func cpuNow() cpu {
	const tick = 10 * time.Millisecond // what /proc counts in
	var c cpu
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	self := "/proc/" + strconv.Itoa(os.Getpid()) + "/stat"
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		name, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		const user, system = 11, 12 // places after the name
		if len(fields) <= system {
			continue
		}
		u, _ := strconv.Atoi(fields[user])
		s, _ := strconv.Atoi(fields[system])
		switch {
		case file == self:
			c.client += time.Duration(u+s) * tick
		case strings.HasSuffix(name, "(postgres"):
			c.server += time.Duration(u+s) * tick
		}
	}
	return c
}

func (c cpu) since(before cpu) cpu { return cpu{c.client - before.client, c.server - before.server} }

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processor is processor time: of the program and of the database server. Unlike a rate it does not
// depend on what else runs on the machine.
type processor struct{ program, server time.Duration }

func (p processor) minus(before processor) processor {
	return processor{p.program - before.program, p.server - before.server}
}

// of returns the time for each 1,000 events, in milliseconds.
func (p processor) of(events float64) (program, server float64) {
	return 1000 * ms(p.program) / events, 1000 * ms(p.server) / events
}

// processor returns the processor time since the start. That of the server is known on Linux, and 0
// elsewhere.
func (s *site) processor(ctx context.Context) (processor, error) {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return processor{}, err
	}
	p := processor{program: time.Duration(own.Utime.Nano() + own.Stime.Nano())}
	var backend int
	if err := s.pool.QueryRow(ctx, "select pg_backend_pid()").Scan(&backend); err != nil {
		return processor{}, err
	}
	postmaster, _, err := statOf(strconv.Itoa(backend))
	if err != nil {
		return p, nil //nolint:nilerr // there is no /proc
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return p, err
	}
	for _, path := range all {
		if parent, ticks, err := statOf(filepath.Base(path)); err == nil && parent == postmaster {
			p.server += time.Duration(ticks) * (time.Second / ticksPerSecond)
		}
	}
	return p, nil
}

// ticksPerSecond is the unit of /proc.
const ticksPerSecond = 100

// statOf returns the parent of a process, and its processor time in ticks.
func statOf(pid string) (parent, ticks int, err error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, 0, err
	}
	_, after, _ := bytes.Cut(text, []byte(") ")) // the name before may have blanks
	fields := strings.Fields(string(after))
	const ppid, utime, stime = 1, 11, 12
	if len(fields) <= stime {
		return 0, 0, fmt.Errorf("/proc/%s/stat has %d fields", pid, len(fields))
	}
	if parent, err = strconv.Atoi(fields[ppid]); err != nil {
		return 0, 0, err
	}
	for _, field := range []string{fields[utime], fields[stime]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, 0, err
		}
		ticks += n
	}
	return parent, ticks, nil
}

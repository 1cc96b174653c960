package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// process is a worker that runs.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended, once it has

	mu   sync.Mutex
	last sample
}

// start starts a worker of the present version.
func (s *soak) start(ctx context.Context, id int) error {
	text, err := json.Marshal(&worker{URL: s.url, ID: id, Workers: workers, Rate: s.rate, Version: s.version, Begin: s.begin})
	if err != nil {
		return fmt.Errorf("write %s: %w", workerVar, err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	p := &process{cmd: exec.CommandContext(ctx, program), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), workerVar+"="+string(text)), os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	s.workers[id] = p
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var is sample
			if json.Unmarshal(lines.Bytes(), &is) == nil {
				p.mu.Lock()
				p.last = is
				p.mu.Unlock()
			}
		}
		p.err = p.cmd.Wait()
	}()
	return nil
}

// sample returns what the worker said last.
func (p *process) sample() sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// running returns an error if the worker ended by itself.
func (p *process) running() error {
	select {
	case <-p.ended:
		return fmt.Errorf("a worker ended by itself: %w", cmp.Or(p.err, errors.New("exit code 0")))
	default:
		return nil
	}
}

// next makes the worker deploy the next version of the definitions.
func (p *process) next() error { return p.signal(syscall.SIGHUP) }

func (p *process) signal(s syscall.Signal) error {
	if err := p.running(); err != nil {
		return err
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal a worker: %w", err)
	}
	return nil
}

// stop ends the worker as a deployment does.
func (p *process) stop() error {
	if err := p.signal(syscall.SIGINT); err != nil {
		return err
	}
	<-p.ended
	if state, is := p.cmd.ProcessState.Sys().(syscall.WaitStatus); is && state.Signaled() && state.Signal() == syscall.SIGINT {
		return nil // it had not begun to listen for interrupts
	}
	if p.err != nil {
		return fmt.Errorf("a worker that was interrupted: %w", p.err)
	}
	return nil
}

// kill ends the worker with whatever it is doing.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// resident returns how much memory of the worker is in the machine's, in bytes.
func (p *process) resident() (int64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/statm")
	if err != nil {
		return 0, fmt.Errorf("read the memory of a worker: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("the memory of a worker is %q", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the memory of a worker: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// stop ends all workers.
func (s *soak) stop() error {
	var errs []error
	for _, p := range s.workers {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

// kill ends what still runs.
func (s *soak) kill() {
	for _, p := range s.workers {
		if p != nil {
			p.kill()
		}
	}
}

package postgres

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server process. A thread that lives as long as the process starts it, so that the
// system can end it when this program dies without stopping it.
type process struct {
	path    string
	args    []string
	owner   owner
	sockets string
	cmd     *exec.Cmd
	exited  chan struct{}
	err     error // of the process, once it has exited
}

func startProcess(path string, args []string, log string, owner owner) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{path: path, args: args, owner: owner, cmd: exec.Command(path, args...), exited: make(chan struct{})} //nolint:noctx // it outlives every call
	p.cmd.Stdout, p.cmd.Stderr = out, out
	owner.run(p.cmd)
	endWithParent(p.cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
		_ = out.Close()
		close(p.exited)
	}()
	return p, <-started
}

// stop asks the server to end its sessions and waits until it has ended, for a bounded time.
func (p *process) stop() error { return p.end(syscall.SIGINT) }

// end sends a signal that ends the server and waits until it has ended, for a bounded time.
func (p *process) end(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		p.kill()
	}
	return nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// owner is the user of the server. PostgreSQL refuses to run as root.
type owner struct {
	uid, gid int
	other    bool // than this process
}

func findOwner() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return owner{uid, gid, true}, nil
		}
	}
	return owner{}, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// give changes the owner of a directory.
func (o owner) give(dir string) error {
	if !o.other {
		return nil
	}
	return os.Chown(dir, o.uid, o.gid)
}

// claimData makes the data directory in a claimed one. The server may be another user: the path to
// its data is open and stays with this user, the data belong to the server.
func (o owner) claimData(dir string) error {
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(data)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return &untrustedError{data, "is no directory"}
	}
	if why := foreign(info, o.trusted()); why != "" {
		return &untrustedError{data, why}
	}
	return o.give(data)
}

func (o owner) run(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if o.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
		cmd.Dir = "/"
	}
}

// reachable returns a directory as a server can use it: its full path or, if the server's user
// cannot reach it, a replacement.
func reachable(dir string) (string, error) {
	full, err := filepath.Abs(dir)
	if err != nil || os.Geteuid() != 0 {
		return full, err
	}
	if hidden(filepath.Dir(full)) {
		return filepath.Join(standIns, strings.ReplaceAll(strings.Trim(full, "/"), "/", "-")), nil
	}
	return full, nil
}

// tempDir makes a temporary directory for the server, where the server can reach it.
func tempDir(prefix string) (string, error) {
	parent, err := filepath.Abs(os.TempDir())
	if err != nil {
		return "", err
	}
	if os.Geteuid() == 0 && hidden(parent) {
		parent = "/var/tmp"
	}
	return os.MkdirTemp(parent, prefix)
}

// hidden reports whether other users than the owner cannot reach the files in a directory.
func hidden(dir string) bool {
	for ; dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			return true
		}
	}
	return false
}

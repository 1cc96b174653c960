package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// standIns is the parent of data directories for private servers whose own directory the server
// cannot reach. Only root writes there, so no other user can have planted files.
const standIns = "/var/lib/bucketgen"

// trusted are the users whose files a private server may depend on: root, the user of this process,
// and that of the server.
func (o owner) trusted() []int {
	uids := []int{0, os.Geteuid()}
	if o.other {
		uids = append(uids, o.uid)
	}
	return uids
}

// untrustedError says why a path is not safe for data.
type untrustedError struct{ path, why string }

func (e *untrustedError) Error() string {
	return fmt.Sprintf("%s %s, so another user may control what is in it; remove it if it is not needed, work in a directory of your own, or set DATABASE_URL", e.path, e.why)
}

// claim makes a directory with its parents, and checks that its files come from trusted users only.
// Where others may write, they may have planted the next element of the path: that must not be a
// link, and the directory itself must belong to a trusted user, who alone writes in it.
func claim(dir string, trusted []int) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	const most = 40 // links, as in the kernel
	for range most {
		target, err := walk(dir, trusted)
		if err != nil || target == "" {
			return err
		}
		dir = target
	}
	return &untrustedError{dir, "leads through too many links"}
}

// walk goes down a path and makes missing directories. At a link that can be trusted, it returns
// the target.
func walk(dir string, trusted []int) (target string, err error) {
	at, open := "/", false // open: others may write there
	names := strings.Split(strings.Trim(dir, "/"), "/")
	for i, name := range names {
		at = filepath.Join(at, name)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			info, err = makeDir(at, open)
		}
		if err != nil {
			return "", err
		}
		switch {
		case info.Mode().Type() == fs.ModeSymlink && open:
			return "", &untrustedError{at, "is a link in a directory that others write in"}
		case info.Mode().Type() == fs.ModeSymlink:
			to, err := os.Readlink(at)
			if err != nil {
				return "", err
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(at), to)
			}
			return filepath.Join(append([]string{to}, names[i+1:]...)...), nil
		case !info.IsDir():
			return "", fmt.Errorf("%s is no directory", at)
		}
		last := i == len(names)-1
		if why := foreign(info, trusted); why != "" && last {
			return "", &untrustedError{at, why}
		}
		open = foreign(info, trusted) != ""
	}
	return "", nil
}

// makeDir makes a directory that others may pass through, as a server with another user must,
// unless they could exchange it meanwhile.
func makeDir(dir string, open bool) (fs.FileInfo, error) {
	err := os.Mkdir(dir, 0o755)
	if err == nil && !open {
		err = os.Chmod(dir, 0o755) // whatever the umask
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.Lstat(dir)
}

// foreign says why untrusted users may have made the file at a path, or is empty.
func foreign(info fs.FileInfo, trusted []int) string {
	uid := -1
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		uid = int(stat.Uid)
	}
	const others = 0o022
	switch {
	case !slices.Contains(trusted, uid):
		return "belongs to " + nameOf(uid)
	case info.Mode().Perm()&others != 0:
		return fmt.Sprintf("has mode %04o", info.Mode().Perm())
	}
	return ""
}

func nameOf(uid int) string {
	number := strconv.Itoa(uid)
	if u, err := user.LookupId(number); err == nil {
		return "user " + u.Username
	}
	return "user " + number
}

// readOwn reads a small file that a trusted user wrote, and follows no link.
func readOwn(path string, trusted []int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &untrustedError{path, "is no file"}
	}
	if why := foreign(info, trusted); why != "" {
		return nil, &untrustedError{path, why}
	}
	text := make([]byte, 4<<10)
	n, err := f.Read(text)
	return text[:n], err
}

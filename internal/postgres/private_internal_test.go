package postgres

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// room is a directory that every user may write in, like /var/tmp.
func room(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bgroom") //nolint:usetesting // t.TempDir is in a directory of its own, which would be checked as well
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// TestClaim plants files in a directory that every user may write in. claim distinguishes other
// users by the list of trusted ones: it is empty here, so the files of this test are foreign.
func TestClaim(t *testing.T) {
	t.Parallel()
	mine, others := owner{}.trusted(), []int{-2}
	for _, test := range []struct {
		name    string
		trusted []int
		plant   func(t *testing.T, room string)
		want    string // part of the error; empty: none
	}{
		{"nothing", mine, func(*testing.T, string) {}, ""},
		{"a directory of ours", mine, func(t *testing.T, room string) {
			t.Helper()
			must(t, os.MkdirAll(filepath.Join(room, "pg"), 0o700))
		}, ""},
		{"a directory of another user", others, func(t *testing.T, room string) {
			t.Helper()
			must(t, os.MkdirAll(filepath.Join(room, "pg"), 0o755))
		}, "pg belongs to user"},
		{"a directory that others write in", mine, func(t *testing.T, room string) {
			t.Helper()
			must(t, os.Mkdir(filepath.Join(room, "pg"), 0o700), os.Chmod(filepath.Join(room, "pg"), 0o777))
		}, "pg has mode 0777"},
		{"a link", mine, func(t *testing.T, room string) {
			t.Helper()
			must(t, os.Mkdir(filepath.Join(room, "real"), 0o700), os.Symlink(filepath.Join(room, "real"), filepath.Join(room, "pg")))
		}, "pg is a link in a directory that others write in"},
		{"a link that leads nowhere yet", mine, func(t *testing.T, room string) {
			t.Helper()
			must(t, os.Symlink(filepath.Join(room, "made"), filepath.Join(room, "pg")))
		}, "pg is a link"},
		{"a file", mine, func(t *testing.T, room string) {
			t.Helper()
			must(t, os.WriteFile(filepath.Join(room, "pg"), nil, 0o600))
		}, "pg is no directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at := room(t)
			test.plant(t, at)
			err := claim(filepath.Join(at, "pg"), test.trusted)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want one with %q", err, test.want)
			}
			if _, err := os.Stat(filepath.Join(at, "made")); err == nil {
				t.Error("a link was followed")
			}
		})
	}
}

// TestClaimOwnLinks follows links where only trusted users write, and refuses those in a loop.
func TestClaimOwnLinks(t *testing.T) {
	t.Parallel()
	own := filepath.Join(room(t), "own")
	must(t, os.Mkdir(own, 0o700), os.Mkdir(filepath.Join(own, "far"), 0o700),
		os.Symlink("far", filepath.Join(own, "near")), os.Symlink("loop", filepath.Join(own, "loop")))
	if err := claim(filepath.Join(own, "near", "pg"), owner{}.trusted()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(own, "far", "pg")); err != nil {
		t.Error(err)
	}
	if err := claim(filepath.Join(own, "loop", "pg"), owner{}.trusted()); err == nil {
		t.Error("a loop of links: got no error")
	}
}

// TestPlantedData plants files of a server's data in a claimed directory.
func TestPlantedData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(room(t), "pg")
	must(t, os.Mkdir(dir, 0o700), os.Symlink("/", filepath.Join(dir, "data")))
	if err := (owner{}).claimData(dir); err == nil || !strings.Contains(err.Error(), "data is no directory") {
		t.Errorf("a link: got %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, "data")), os.Mkdir(filepath.Join(dir, "data"), 0o700))
	if err := (owner{}).claimData(dir); err != nil {
		t.Errorf("a directory of ours: got %v", err)
	}

	// A file with the address of a server is trusted only if it is ours and no link.
	pid, secret := filepath.Join(dir, "data", "postmaster.pid"), filepath.Join(dir, "secret")
	text := "1\n/data\n0\n5432\n/nowhere\n"
	must(t, os.WriteFile(secret, []byte(text), 0o600), os.Symlink(secret, pid))
	if _, err := readOwn(pid, owner{}.trusted()); err == nil {
		t.Error("a link: got no error")
	}
	must(t, os.Remove(pid), os.WriteFile(pid, []byte(text), 0o600))
	if got, err := readOwn(pid, owner{}.trusted()); err != nil || string(got) != text {
		t.Errorf("a file of ours: got %q, %v", got, err)
	}
	if _, err := readOwn(pid, []int{-2}); err == nil {
		t.Error("a file of another user: got no error")
	}
	must(t, os.Remove(pid), syscall.Mkfifo(pid, 0o600))
	if _, err := readOwn(pid, owner{}.trusted()); err == nil {
		t.Error("a pipe: got no error")
	}
	if url, runs := running(t.Context(), dir, owner{}); runs {
		t.Errorf("a server was found at %s", url)
	}
}

// TestStandIn checks that the replacement for a directory out of the server's reach cannot be
// planted.
func TestStandIn(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		dir, err := reachable("pg")
		if err != nil || !filepath.IsAbs(dir) || filepath.Base(dir) != "pg" {
			t.Errorf("got %s, %v; only root needs another directory", dir, err)
		}
		return
	}
	hiding, err := os.MkdirTemp("", "bghidden") //nolint:usetesting // as room
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(hiding) })
	dir, err := reachable(filepath.Join(hiding, "pg"))
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for at := filepath.Dir(dir); at != "/"; at = filepath.Dir(at) {
		if info, err := os.Lstat(at); err == nil && foreign(info, []int{0}) != "" {
			t.Errorf("%s: in %s others may plant it", dir, at)
		}
	}
	if err := claim(dir, owner{}.trusted()); err != nil {
		t.Error(err)
	}
}

// TestAsAnotherUser repeats the tests of this package as another user if they run as root: the
// server then runs as the same user.
func TestAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // they do not run as root
	}
	other, err := findOwner()
	must(t, err)
	at := room(t)
	self, err := os.Executable()
	must(t, err)
	binary, err := os.ReadFile(self)
	must(t, err)
	copied := filepath.Join(at, "test")
	must(t, os.WriteFile(copied, binary, 0o600), os.Chmod(copied, 0o755))
	cmd := exec.CommandContext(t.Context(), copied, "-test.run", "TestPrivateServer|TestClaim|TestPlanted|TestStandIn", "-test.count", "1")
	cmd.Dir, cmd.Env = at, append(os.Environ(), "TMPDIR="+at, "HOME="+at)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(other.uid), Gid: uint32(other.gid)}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestStartPlanted starts a server as root in a directory that another user has planted, with a
// server of theirs in it.
func TestStartPlanted(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // only root can make files of another user; TestClaim covers the rest
	}
	const stranger = 65533
	at := room(t)
	dir := filepath.Join(at, "pg")
	must(t, os.MkdirAll(filepath.Join(dir, "data"), 0o755),
		os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte("1\n/data\n0\n5432\n"+at+"\n"), 0o600),
		os.Chown(dir, stranger, stranger), os.Chown(filepath.Join(dir, "data"), stranger, stranger))
	s, err := Start(t.Context(), Options{Dir: dir})
	if err == nil {
		_ = s.Stop()
	}
	if planted, is := errors.AsType[*untrustedError](err); !is || planted.path != dir {
		t.Errorf("got %v, want %s to be refused", err, dir)
	}
}

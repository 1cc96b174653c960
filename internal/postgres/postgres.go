// Package postgres finds a PostgreSQL server, or starts a private one: for development, the demo
// and tests. A server that it starts is never for data worth keeping.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say which server is wanted. The zero value is a private server with a temporary
// directory.
type Options struct {
	// URL is a server to use instead of starting one. Defaults to none.
	URL string

	// Dir keeps the data of a private server, for the next start. Defaults to a temporary
	// directory, which Stop removes.
	Dir string

	// Durable makes the server write to disk like a real one. Otherwise its data survive its own
	// crash but not that of the machine. Defaults to false.
	Durable bool

	// Settings are additional settings of a private server, like "track_commit_timestamp=on".
	// Defaults to none.
	Settings []string

	// Log receives progress messages. Defaults to nothing.
	Log func(text string)
}

// Server is a running server.
type Server struct {
	// URL connects to the database postgres of the server, as a superuser. It may contain a
	// password: print only [Redact] of it.
	URL string

	// Origin describes in a few words where the server came from.
	Origin string

	process *process
	dir     string
	keep    bool
}

// Start finds or starts a server: the given one; else a private one from the binaries on this
// machine; else one from downloaded binaries.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	if o.URL != "" {
		return &Server{URL: o.URL, Origin: "given by its URL"}, Safe(o.URL, reach(ctx, o.URL, o.Log))
	}
	if o.Dir != "" {
		dir, err := reachable(o.Dir)
		if err != nil {
			return nil, err
		}
		o.Dir = dir
	}
	owner, err := findOwner()
	if err != nil {
		return nil, err
	}
	if o.Dir != "" {
		err := claim(o.Dir, owner.trusted())
		if err == nil {
			err = owner.claimData(o.Dir)
		}
		if err != nil {
			return nil, fmt.Errorf("keep the data of a private PostgreSQL: %w", err)
		}
	}
	if url, runs := running(ctx, o.Dir, owner); runs {
		return &Server{URL: url, Origin: "private, already running on " + o.Dir}, nil
	}
	bin, err := locate()
	switch {
	case errors.Is(err, errBinaries):
		return nil, err
	case err != nil:
		o.Log("no PostgreSQL on this machine, downloading one")
		var download error
		if bin, download = fetch(); download != nil {
			return nil, fmt.Errorf("there is no PostgreSQL to use: %w; %w; install PostgreSQL 15 or later (like apt-get install postgresql), or set DATABASE_URL", err, download)
		}
	}
	s, err := launch(ctx, bin, o, owner, func(data string) error { return initialise(ctx, bin, data, owner) })
	if err != nil {
		return nil, fmt.Errorf("start a private PostgreSQL from %s: %w", bin, err)
	}
	s.Origin = "private, from " + bin
	return s, nil
}

// Database returns the URL of another database of the server.
func (s *Server) Database(name string) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return s.URL
	}
	u.Path = "/" + name
	return u.String()
}

// running returns the URL of the server on a claimed directory, if another process has started one.
// It trusts files only if a trusted user wrote them, and sockets only in a directory of such a
// user.
func running(ctx context.Context, dir string, owner owner) (string, bool) {
	if dir == "" {
		return "", false
	}
	text, err := readOwn(filepath.Join(dir, "data", "postmaster.pid"), owner.trusted())
	lines := strings.Split(string(text), "\n")
	const sockets = 4 // the line, counted from 0
	if err != nil || len(lines) <= sockets || lines[sockets] == "" {
		return "", false
	}
	info, err := os.Lstat(lines[sockets])
	if err != nil || !info.IsDir() || foreign(info, owner.trusted()) != "" {
		return "", false
	}
	url := socketURL(lines[sockets])
	return url, ping(ctx, url) == nil
}

func socketURL(dir string) string {
	return "postgres://postgres@/postgres?" + url.Values{"host": {dir}}.Encode()
}

// launch starts a server on a socket of its own. If there are no data yet, fill creates them.
func launch(ctx context.Context, bin string, o Options, owner owner, fill func(data string) error) (*Server, error) {
	s := &Server{keep: o.Dir != "", dir: o.Dir}
	if !s.keep {
		var err error
		if s.dir, err = tempDir("bucketgen-pg-"); err != nil {
			return nil, err
		}
		if err := os.Chmod(s.dir, 0o755); err != nil {
			return nil, err
		}
		if err := owner.claimData(s.dir); err != nil {
			return nil, err
		}
	}
	// The path of a socket must be short; that of the data may have any length.
	sockets, err := tempDir("bg")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	if err := owner.give(sockets); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil {
		if err := fill(data); err != nil {
			return nil, err
		}
	}
	s.URL = socketURL(sockets)
	if s.process, err = startProcess(filepath.Join(bin, "postgres"), serverArgs(data, sockets, o), filepath.Join(s.dir, "log"), owner); err != nil {
		return nil, err
	}
	s.process.sockets = sockets
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func initialise(ctx context.Context, bin, data string, owner owner) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	owner.run(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func serverArgs(data, sockets string, o Options) []string {
	args := []string{
		"-D", data, "-k", sockets,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB",
		"-c", "timezone=UTC", "-c", "log_timezone=UTC",
	}
	if !o.Durable {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	for _, setting := range o.Settings {
		args = append(args, "-c", setting)
	}
	return args
}

// await waits until the server answers.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ping(ctx, s.URL)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.exited:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("the server ended: %w\n%s", s.process.err, text)
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// reach returns nil once the given server answers. It waits for a server that is starting up.
func reach(ctx context.Context, url string, log func(string)) error {
	const every = 100 * time.Millisecond
	deadline := time.Now().Add(startTime)
	for waiting := false; ; waiting = true {
		err := ping(ctx, url)
		starting, refused := errors.AsType[*pgconn.PgError](err)
		if !refused || starting.Code != "57P03" || time.Now().After(deadline) { // cannot connect now
			return err
		}
		if !waiting {
			log(fmt.Sprintf("the database is starting up, waiting for up to %s: %s", startTime, starting.Message))
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// startTime is how long a server may take to start up.
const startTime = time.Minute

// ping connects to a server. The URL may have parameters of a pool.
func ping(ctx context.Context, url string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	return conn.Close(ctx)
}

// Stop ends a private server, and removes its data unless Dir keeps them. A given server runs on.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	err := s.process.stop()
	err = errors.Join(err, os.RemoveAll(s.process.sockets))
	s.process = nil
	if !s.keep {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// Crash kills a private server like a power failure, and starts it again on the same data.
func (s *Server) Crash(ctx context.Context) error {
	if s.process == nil {
		return errNotPrivate
	}
	s.process.kill()
	if err := os.RemoveAll(filepath.Join(s.dir, "data", "postmaster.pid")); err != nil {
		return err
	}
	return s.Resume(ctx)
}

// Halt ends a private server at once, like pg_ctl stop -m immediate. Its data stay, for Resume.
func (s *Server) Halt() error {
	if s.process == nil {
		return errNotPrivate
	}
	return s.process.end(syscall.SIGQUIT)
}

// Resume starts an ended private server on the same data, and waits until it answers.
func (s *Server) Resume(ctx context.Context) error {
	if s.process == nil {
		return errNotPrivate
	}
	old := s.process
	// The children of a killed postmaster notice that it is gone and end, too. Until then no other
	// server starts on their data.
	for attempt := 0; ; attempt++ {
		next, err := startProcess(old.path, old.args, filepath.Join(s.dir, "log"), old.owner)
		if err != nil {
			return err
		}
		next.sockets, s.process = old.sockets, next
		if err = s.await(ctx); err == nil || attempt == 100 || ctx.Err() != nil {
			return err
		}
	}
}

// Standby starts a private server that follows this one and answers read-only queries. Stop removes
// its data.
func (s *Server) Standby(ctx context.Context, o Options) (*Server, error) {
	if s.process == nil {
		return nil, errNotPrivate
	}
	owner, bin := s.process.owner, filepath.Dir(s.process.path)
	o.Dir = ""
	return launch(ctx, bin, o, owner, func(data string) error {
		// -R writes standby.signal and the connection to this server.
		cmd := exec.CommandContext(ctx, filepath.Join(bin, "pg_basebackup"), "-D", data, "-d", s.URL, "-R", "--checkpoint=fast", "--no-sync")
		owner.run(cmd)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
		}
		return nil
	})
}

var errNotPrivate = errors.New("the server is not a private one")

// locate finds the binaries of an installed server of version 15 or later. POSTGRES_BIN names the
// directory of other binaries than those of the newest.
func locate() (string, error) {
	if dir := os.Getenv("POSTGRES_BIN"); dir != "" {
		if v := version(dir); v < minVersion {
			return "", fmt.Errorf("%w: POSTGRES_BIN is %s, which has no initdb and postgres of version %d or later", errBinaries, dir, minVersion)
		}
		return dir, nil
	}
	var candidates []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/opt/postgresql*/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		found, err := filepath.Glob(pattern)
		if err == nil {
			candidates = append(candidates, found...)
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(resolved))
		}
	}
	best, newest := "", 0
	for _, dir := range candidates {
		if v := version(dir); v >= minVersion && v > newest {
			best, newest = dir, v
		}
	}
	if best == "" {
		return "", fmt.Errorf("no installed PostgreSQL of version %d or later was found", minVersion)
	}
	return best, nil
}

const minVersion = 15

// errBinaries says that the binaries that are asked for cannot be used.
var errBinaries = errors.New("no PostgreSQL is where it is said to be")

// version returns the major version of the server in a directory, or 0.
func version(dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil { //nolint:gosec // the operator may name the directory
		return 0
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output() //nolint:noctx,gosec // it answers at once; the operator may name it
	if err != nil {
		return 0
	}
	var major int
	text := string(out)
	if i := strings.LastIndex(text, "(PostgreSQL) "); i >= 0 {
		_, _ = fmt.Sscanf(text[i:], "(PostgreSQL) %d", &major)
	}
	return major
}

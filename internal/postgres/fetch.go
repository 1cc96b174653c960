package postgres

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// fetch downloads the binaries of a server, unless that was done before, and returns their directory.
func fetch() (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	if err := claim(dir, owner{}.trusted()); err != nil { // what is there is run
		return "", err
	}
	return fetchFrom("", dir)
}

// fetchFrom downloads from a repository of Maven's layout; the empty one is the public one.
func fetchFrom(repository, dir string) (string, error) {
	bin := filepath.Join(dir, "bin")
	if version(bin) >= minVersion {
		return bin, nil
	}
	run, err := os.MkdirTemp("", "bucketgen-fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(run)
	config := embedded.DefaultConfig().Version(embedded.V16).Logger(io.Discard).
		BinariesPath(dir).CachePath(filepath.Join(dir, "download")).RuntimePath(run).Port(freePort())
	if repository != "" {
		config = config.BinaryRepositoryURL(repository)
	}
	// The library only downloads in order to start. It may fail at that, as root for one; the binaries are there then.
	server := embedded.NewDatabase(config)
	if start := server.Start(); start == nil {
		err = server.Stop()
	} else if version(bin) < minVersion {
		err = fmt.Errorf("PostgreSQL could not be downloaded: %w", start)
	}
	return bin, err
}

// cacheDir is where downloads are kept: where whoever runs the server can read them.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/bucketgen/postgres", nil
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", errors.Join(errors.New("there is no place to keep a downloaded PostgreSQL"), err)
	}
	return filepath.Join(base, "bucketgen", "postgres"), nil
}

// freePort returns a port that nobody listens on.
func freePort() uint32 {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it waits for nobody
	if err != nil {
		return 0
	}
	defer l.Close()
	return uint32(l.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // of a TCP listener
}

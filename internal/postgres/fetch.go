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

// fetch downloads the binaries of a server, unless that was done before, and returns their
// directory.
func fetch() (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	if err := claim(dir, owner{}.trusted()); err != nil { // its files are executed
		return "", err
	}
	return fetchFrom("", dir)
}

// fetchFrom downloads from a repository with Maven's layout; the empty URL is the public one.
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
	// The library only downloads in order to start a server. The start may fail, for example as
	// root; the binaries are there then.
	server := embedded.NewDatabase(config)
	if start := server.Start(); start == nil {
		err = server.Stop()
	} else if version(bin) < minVersion {
		err = fmt.Errorf("PostgreSQL could not be downloaded: %w", start)
	}
	return bin, err
}

// cacheDir is the directory of downloads: the user who runs the server can read it.
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

// freePort returns an unused port.
func freePort() uint32 {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	if err != nil {
		return 0
	}
	defer l.Close()
	return uint32(l.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // of a TCP listener
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/hatchet-dev/hatchet/pkg/encryption"
	"github.com/hatchet-dev/hatchet/pkg/random"
)

// configure sets what the server reads from its environment. What is set there already stays.
func configure(database, address, keys string) error {
	if database == "" {
		return errors.New("-database is missing; it is the URL of a database that the server has for itself")
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("-address: %w", err)
	}
	kept, err := readKeys(keys)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	for _, variable := range [][2]string{
		{"DATABASE_URL", database},
		{"DATABASE_MAX_CONNS", "20"},
		{"DATABASE_LOGGER_LEVEL", "warn"},
		{"SERVER_MSGQUEUE_KIND", "postgres"},
		{"SERVER_URL", "http://127.0.0.1"}, // the API and its pages are not run
		{"SERVER_GRPC_PORT", port},
		{"SERVER_GRPC_BIND_ADDRESS", "127.0.0.1"},
		{"SERVER_GRPC_BROADCAST_ADDRESS", address},
		{"SERVER_GRPC_INSECURE", "true"},
		{"SERVER_HEALTHCHECK", "false"},
		{"SERVER_SECURITY_CHECK_ENABLED", "false"}, // it calls home
		{"SERVER_AUTH_COOKIE_DOMAIN", "127.0.0.1"},
		{"SERVER_AUTH_COOKIE_INSECURE", "true"},
		{"SERVER_LOGGER_LEVEL", "warn"},
		{"SERVER_VERSION_OVERRIDE", version},
		{"SERVER_ENCRYPTION_MASTER_KEYSET", kept.Master},
		{"SERVER_ENCRYPTION_JWT_PRIVATE_KEYSET", kept.Private},
		{"SERVER_ENCRYPTION_JWT_PUBLIC_KEYSET", kept.Public},
		{"SERVER_AUTH_COOKIE_SECRETS", kept.Cookie},
	} {
		if os.Getenv(variable[0]) != "" && variable[0] != "DATABASE_URL" {
			continue
		}
		if err := os.Setenv(variable[0], variable[1]); err != nil {
			return err
		}
	}
	return nil
}

// keySet is what tokens are signed and secrets are encrypted by.
type keySet struct {
	Master  string `json:"master"`
	Private string `json:"private"`
	Public  string `json:"public"`
	Cookie  string `json:"cookie"`
}

// readKeys returns the keys of a file, and makes both where there is none.
func readKeys(file string) (keySet, error) {
	var keys keySet
	text, err := os.ReadFile(file)
	if err == nil {
		return keys, json.Unmarshal(text, &keys)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	master, private, public, _, err := encryption.GenerateLocalKeys()
	if err != nil {
		return keys, err
	}
	cookies := make([]string, 2) // one to sign by, one to encrypt by
	for i := range cookies {
		if cookies[i], err = random.Generate(16); err != nil {
			return keys, err
		}
	}
	keys = keySet{string(master), string(private), string(public), cookies[0] + " " + cookies[1]}
	if text, err = json.Marshal(keys); err != nil {
		return keys, err
	}
	return keys, os.WriteFile(file, text, 0o600)
}

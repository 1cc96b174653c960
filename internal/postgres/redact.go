package postgres

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// masked replaces a secret.
const masked = "xxxxx"

var (
	// userPassword is the password before a host. A URL with an unescaped @ in it is invalid, so
	// nothing is lost.
	userPassword = regexp.MustCompile(`(://[^\s:/@]*:)[^\s/]*@`)

	// keyedSecret is a secret in the query of a URL, or among the settings of a connection string.
	keyedSecret = regexp.MustCompile(`(?i)\b((?:ssl)?password)(\s*=\s*)('(?:\\.|[^'\\])*'|[^\s&'"` + "`" + `]*)`)
)

// Redact returns a URL, or a connection string of settings, with its passwords masked: what may be
// printed or logged of it.
func Redact(text string) string {
	text = userPassword.ReplaceAllString(text, "${1}"+masked+"@")
	return keyedSecret.ReplaceAllString(text, "${1}${2}"+masked)
}

// Safe returns an error about a database without the passwords of its URL, whatever put them there.
func Safe(databaseURL string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	safe := strings.ReplaceAll(text, databaseURL, Redact(databaseURL))
	safe = Redact(safe)
	for _, secret := range secrets(databaseURL) {
		safe = strings.ReplaceAll(safe, secret, masked)
	}
	if safe == text {
		return err
	}
	return &safeError{safe, err}
}

// safeError is an error whose text had a secret in it.
type safeError struct {
	text string
	err  error
}

func (e *safeError) Error() string { return e.text }
func (e *safeError) Unwrap() error { return e.err }

// secrets returns the passwords of a URL, as they stand in it and as they are. Those of few
// characters are left out: they are found in words that have nothing to do with them.
func secrets(text string) []string {
	var all []string
	if u, err := url.Parse(text); err == nil {
		if password, has := u.User.Password(); has {
			all = append(all, password, url.QueryEscape(password), url.PathEscape(password))
		}
		for _, key := range []string{"password", "sslpassword"} {
			all = append(all, u.Query().Get(key), url.QueryEscape(u.Query().Get(key)))
		}
	}
	for _, found := range keyedSecret.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Trim(found[len(found)-1], "'"))
	}
	const few = 5
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < few })
}

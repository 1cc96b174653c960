package server_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// TestDoctorFindsIDs checks what the doctor says about ids that were stored before events trimmed
// them, contacts that no more contacts become, and shared ids.
func TestDoctorFindsIDs(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	pool := pgtest.Open(t, url)
	e := startOn(t, pool, tracked(t), engine.Config{NoClock: true, NoDelivery: true})
	h := server.Host{Registry: tracked(t), Name: "bucketd"}
	h.Services = func(*engine.Engine) ([]server.Service, error) { return []server.Service{lost{}}, nil }
	ingest := func(user, visitor string) {
		t.Helper()
		if _, err := e.Ingest(t.Context(), engine.Event{UserID: user, AnonymousID: visitor, Name: "order"}); err != nil {
			t.Fatal(err)
		}
	}
	const limit = 100
	for i := range limit + 1 { // the first gets another name, and does not merge
		if i == limit {
			found(t, h, url, "merges", "ok limit of 100 within 24 h")
		}
		ingest("", fmt.Sprint("phone", i))
		ingest("ada", fmt.Sprint("phone", i))
	}
	found(t, h, url, "ids", "ok 100000 oldest")
	found(t, h, url, "shared", "ok no id")
	found(t, h, url, "merges", `warning 1 contact reached 24 h: "ada" bucketd merge`)

	ingest("bob", "phone7")
	ingest("eve", "phone8")
	found(t, h, url, "shared", `ok 2 ids anonymous:"phone7", anonymous:"phone8"`)

	// A stored id is never trimmed again. A no-break space is a blank, and a capital of a user id
	// none.
	for _, name := range []string{"Cy", " cy", "cy\u00a0", "\x01email\x01Cy@example.com", "\x01email\x01cy@example.com", "\x01anonymous\x01cy\t", "\x01anonymous\x01gone \x017"} {
		if _, err := pool.Exec(t.Context(), "insert into bucketgen.contacts (user_id, created_at, updated_at) values ($1, now(), now())", name); err != nil {
			t.Fatal(err)
		}
	}
	found(t, h, url, "ids", `warning 4 ids " cy", "cy\u00a0", email:"Cy@example.com", anonymous:"cy\t" again`)

	var out bytes.Buffer
	if code := server.Run(t.Context(), h, []string{"doctor", "--database", url}, strings.NewReader(""), &out, io.Discard); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	for _, line := range []string{
		`warn    ids          4 ids with blanks around or an e-mail address with capitals, which no event reaches: " cy", "cy\u00a0", email:"Cy@example.com", anonymous:"cy\t"`,
		`warn    merges       1 contact reached the limit of 100 merges by ids of events within 24 h: "ada"`,
		`ok      shared       2 ids shared or unlinked: anonymous:"phone7", anonymous:"phone8"`,
	} {
		if !strings.Contains(out.String(), "\n"+line+"\n") {
			t.Errorf("no line %q in:\n%s", line, out.String())
		}
	}
}

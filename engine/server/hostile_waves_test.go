package server_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// wave is a kind of request that each of the hostile clients sends at once, on a connection of its
// own that was idle.
type wave struct {
	name string
	send func(client int) string // all that a client sends, as it goes over the network
}

// raw writes a request as it goes over the network.
func raw(path, body string, headers ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
		strings.Join(append(headers, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n") + "\r\n\r\n" + body
}

// bearer is the header of a key.
func bearer(key string) string { return "Authorization: Bearer " + key }

// hostileWaves are requests without a key that is known.
func hostileWaves() []wave {
	const chunked = "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	text := `{"userId":"` + strings.Repeat("x", 60<<10) + `"}`
	items := strings.Repeat("1,", 240_000) + "1"
	bomb := zipped(`{"batch":[` + items + "]}")
	half := text[:40<<10]
	same := func(request string) func(int) string { return func(int) string { return request } }
	return []wave{
		{"no key", same(raw("/v1/track", `{"userId":"ada","event":"order"}`))},
		{"unknown key", func(i int) string { return raw("/v1/track", "{}", bearer(fmt.Sprintf("bg_write_%026d", i))) }},
		{"malformed key", func(i int) string { return raw("/v1/track", "{}", bearer(fmt.Sprintf("\xff%d", i))) }},
		{"long key", same(raw("/v1/track", "{}", bearer(strings.Repeat("k", 10<<10))))},
		{"unknown key, 100 KB", func(i int) string {
			return raw("/v1/batch", `{"batch":[`+items[:100_000]+"]}", bearer(fmt.Sprintf("bg_write_big_%022d", i)))
		}},
		{"Content-Length of 1 GB", same("POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n" + half)},
		{"60 KB without a key", same(raw("/v1/track", text))},
		{"gzip bomb", same(raw("/v1/batch", bomb, "Content-Encoding: gzip"))},
		{"chunks that stop", same(chunked + fmt.Sprintf("%x\r\n%s\r\n", len(half), half))},
		{"headers of 60 KB", same(raw("/v1/track", "{}", "X-Long: "+strings.Repeat("h", 60<<10)))},
		{"unknown path", same(raw("/wp-login.php", "{}"))},
		{"unknown key in a body", func(i int) string {
			return raw("/v1/batch", fmt.Sprintf(`{"writeKey":"bg_write_in_%022d","batch":[]}`, i))
		}},
		{"unknown key in a beacon", func(i int) string {
			return raw("/beacon/v1/batch", fmt.Sprintf(`{"batch":[],"writeKey":"bg_write_be_%022d"}`, i), "Content-Type: text/plain")
		}},
		{"unknown key of PostHog", func(i int) string { return raw("/batch", fmt.Sprintf(`{"api_key":"phc_%d","batch":[]}`, i)) }},
	}
}

// cost is what a wave costs a server.
type cost struct {
	memory

	processor time.Duration
}

func (c cost) String() string {
	return fmt.Sprintf("%.1f ms, %.2f MB (%.2f heap, %.2f stacks)", ms(c.processor), c.heap+c.stacks, c.heap, c.stacks)
}

// crowd is the connections of hostile clients, which are idle before a wave.
type crowd struct {
	conns []net.Conn
	sent  sync.WaitGroup
	done  sync.WaitGroup
}

// connect connects all clients. Each sends a request that needs no key: what a connection takes
// from its first request on is bounded by HTTP.Connections, and is not the cost of a wave.
func (p *process) connect(b *testing.B) *crowd {
	b.Helper()
	c := &crowd{conns: make([]net.Conn, hostileClients)}
	for i := range c.conns {
		conn, err := net.Dial("tcp", p.address()) //nolint:noctx // it has a deadline from here on
		if err != nil {
			b.Fatal(err)
		}
		c.conns[i] = conn
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		got, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
		if err != nil || got.StatusCode != http.StatusOK || got.Close {
			b.Fatalf("the first request: got %v, %v, want the connection to stay", got, err)
		}
		_, _ = io.Copy(io.Discard, got.Body)
		_ = got.Body.Close()
	}
	<-time.After(settles)
	return c
}

// close ends the connections that the server has kept.
func (c *crowd) close() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// lingers is longer than net/http takes to close a connection whose answer it has sent.
const lingers = 600 * time.Millisecond

// settles is how long a server may take to have done with what it has answered.
const settles = 100 * time.Millisecond

// send makes all clients send at once what they have to say.
func (c *crowd) send(b *testing.B, w wave) {
	b.Helper()
	c.sent.Add(len(c.conns))
	start := make(chan struct{})
	for i, conn := range c.conns {
		request := w.send(i)
		c.done.Go(func() {
			said := sync.OnceFunc(c.sent.Done)
			defer said()
			<-start
			if err := one(conn, request, said); err != nil {
				b.Errorf("%s: %v", w.name, err)
			}
		})
	}
	close(start)
}

// one sends a request and waits until the server answers or cuts the connection.
func one(conn net.Conn, request string, said func()) error {
	_, _ = io.WriteString(conn, request) // the server may cut the connection
	said()
	got, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err != nil {
		return nil
	}
	defer got.Body.Close()
	if got.StatusCode < http.StatusBadRequest {
		return fmt.Errorf("got %s", got.Status)
	}
	return nil
}

// idle returns the processor time that the server uses in a second without requests.
func (p *process) idle(b *testing.B) time.Duration {
	b.Helper()
	const span = 3
	before := p.processor(b)
	<-time.After(span * time.Second)
	return (p.processor(b) - before) / span
}

// pay sends a wave and returns the processor time that it costs the server, beyond what it uses
// when it is idle.
func (p *process) pay(b *testing.B, w wave, idle time.Duration) time.Duration {
	b.Helper()
	c := p.connect(b)
	defer c.close()
	began, before := time.Now(), p.processor(b)
	c.send(b, w)
	c.done.Wait()
	<-time.After(lingers)
	return p.processor(b) - before - time.Duration(time.Since(began).Seconds()*float64(idle))
}

// hold sends a wave and returns the memory that the server uses while its requests are in flight,
// beyond what it used before.
func (p *process) hold(b *testing.B, w wave) memory {
	b.Helper()
	c := p.connect(b)
	defer c.close()
	before := p.live(b)
	c.send(b, w)
	c.sent.Wait()
	held := p.live(b).less(before)
	c.done.Wait()
	return held
}

// compare returns what waves of a kind cost two servers. Processor time is the least of some waves,
// because what else the machine does comes on top of it. Memory is the median of others.
func compare(b *testing.B, w wave, bare, p *process, idle time.Duration) (floor, got cost) {
	b.Helper()
	const pays, holds = 5, 3
	floor, got = cost{processor: time.Hour}, cost{processor: time.Hour}
	for range pays {
		floor.processor = min(floor.processor, bare.pay(b, w, 0))
		got.processor = min(got.processor, p.pay(b, w, idle))
	}
	var floors, gots []memory
	for range holds {
		floors, gots = append(floors, bare.hold(b, w)), append(gots, p.hold(b, w))
	}
	floor.memory, got.memory = median(floors), median(gots)
	return floor, got
}

// median returns the one of all that is in the middle.
func median(all []memory) memory {
	slices.SortFunc(all, func(x, y memory) int { return cmp.Compare(x.heap+x.stacks, y.heap+y.stacks) })
	return all[len(all)/2]
}

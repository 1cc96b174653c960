// Command purchases turns the table of CDNOW purchases into events, one JSON object a line, in the
// order of their dates.
//
//	go run ./cmd/purchases data/CDNOW_master.txt.gz |
//	  go run ./cmd/shopd replay - --until 1998-07-01T00:00:00Z
package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/cdnow/gen"
)

// purchase is a line of the table: customer, date, number of CDs, amount in dollars.
type purchase struct {
	line     int
	customer string
	date     time.Time
	cds      float64
	amount   float64
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: purchases FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "purchases:", err)
		os.Exit(1)
	}
}

func run(name string, out io.Writer) error {
	purchases, err := read(name)
	if err != nil {
		return err
	}
	slices.SortStableFunc(purchases, func(a, b purchase) int { return cmp.Compare(a.date.Unix(), b.date.Unix()) })
	buffered := bufio.NewWriter(out)
	lines := json.NewEncoder(buffered)
	for _, p := range purchases {
		ev := gen.PurchaseEvent{CDs: &p.cds, Amount: &p.amount}.By(p.customer)
		if err := lines.Encode(map[string]any{
			"type": "track", "event": ev.Name, "userId": ev.UserID, "messageId": strconv.Itoa(p.line),
			"timestamp": p.date.Format(time.RFC3339), "properties": ev.Properties,
		}); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func read(name string) ([]purchase, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var purchases []purchase
	lines := bufio.NewScanner(unzipped)
	for n := 0; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if n == 0 || len(fields) == 0 { // the headings
			continue
		}
		p, err := parse(n, fields)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		purchases = append(purchases, p)
	}
	return purchases, lines.Err()
}

func parse(n int, fields []string) (purchase, error) {
	p := purchase{line: n}
	if len(fields) != 4 {
		return p, fmt.Errorf("there are %d fields, want 4", len(fields))
	}
	p.customer = fields[0]
	var err error
	if p.date, err = time.Parse("20060102", fields[1]); err != nil {
		return p, err
	}
	if p.cds, err = strconv.ParseFloat(fields[2], 64); err != nil {
		return p, err
	}
	p.amount, err = strconv.ParseFloat(fields[3], 64)
	return p, err
}

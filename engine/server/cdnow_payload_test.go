package server_test

import (
	"math/big"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestCDNOWPayloads asks what the purchases were worth: the numbers are known, and a few loops over
// each customer's purchases say the same of every transition.
func TestCDNOWPayloads(t *testing.T) {
	t.Parallel()
	purchase := bucket.Event("purchase")
	cds, amount := purchase.Number("cds"), purchase.Number("amount")
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "big-spenders", Criteria: purchase.Within(365 * bucket.Day).Sum(amount).AtLeast(250)}),
		bucket.Define(bucket.Spec{ID: "bulk-buyers", Criteria: purchase.Where(cds.AtLeast(5)).Within(180 * bucket.Day).Exists()}))
	lines := readCDNOW(t)
	want := [][]string{
		{"bucket", "entered", "left", "active"},
		{"big-spenders", "2240", "1252", "988"},
		{"bulk-buyers", "4308", "3362", "946"},
	}
	if diff := cmp.Diff(want, replay(t, r, lines, endOfCDNOW, expectedByPayload(lines, endOfCDNOW))); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

func expectedByPayload(lines []purchaseLine, until time.Time) []string {
	var all []string
	byCustomer := map[string][]purchaseLine{}
	for _, l := range lines {
		byCustomer[l.customer] = append(byCustomer[l.customer], l)
	}
	for customer, own := range byCustomer {
		all = append(all, walkThrough("big-spenders", customer, own, 365*day, until, func(own []purchaseLine, now time.Time) bool {
			sum := new(big.Rat)
			for _, l := range own {
				if now.Sub(l.at) < 365*day {
					exact, _ := new(big.Rat).SetString(strconv.FormatFloat(l.amount, 'f', 2, 64))
					sum.Add(sum, exact)
				}
			}
			return sum.Cmp(big.NewRat(250, 1)) >= 0
		})...)
		all = append(all, walkThrough("bulk-buyers", customer, own, 180*day, until, func(own []purchaseLine, now time.Time) bool {
			return slices.ContainsFunc(own, func(l purchaseLine) bool { return l.cds >= 5 && now.Sub(l.at) < 180*day })
		})...)
	}
	return all
}

// walkThrough evaluates a bucket after each purchase of a customer, and whenever one of them gets
// as old as the window is long.
func walkThrough(bucket, customer string, own []purchaseLine, window time.Duration, until time.Time, holds func([]purchaseLine, time.Time) bool) []string {
	var rows []string
	entryCount, member := 0, false
	look := func(bought []purchaseLine, now time.Time) {
		is := holds(bought, now)
		if is == member {
			return
		}
		member = is
		kind := "left"
		if is {
			kind = "entered"
			entryCount++
		}
		rows = append(rows, bucket+","+customer+","+kind+","+strconv.Itoa(entryCount)+","+now.Format(time.RFC3339))
	}
	for i, l := range own {
		look(own[:i+1], l.at)
		next := until.Add(1)
		if i+1 < len(own) {
			next = own[i+1].at
		}
		for _, old := range own[:i+1] {
			if aged := old.at.Add(window); aged.After(l.at) && aged.Before(next) {
				look(own[:i+1], aged)
			}
		}
	}
	return rows
}

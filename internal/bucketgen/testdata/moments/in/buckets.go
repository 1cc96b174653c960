// Package buckets asks about single occurrences, windows that end some time ago, and samples of users.
package buckets

import (
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var (
	purchase = bucket.Event("purchase")
	amount   = purchase.Number("amount")
	product  = purchase.Text("product")
	gift     = purchase.Bool("gift")
	ships    = purchase.Time("ships_at")
	labels   = purchase.List("meta").At("labels")
	newYear  = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// Firsts began with a book.
var Firsts = bucket.Define(bucket.Spec{ID: "firsts", Criteria: bucket.All(
	product.Of(purchase.First()).Is("book"),
	product.Of(purchase.First()).IsNot("bible"),
	bucket.Any(amount.Of(purchase.First()).Between(5, 50), bucket.Not(gift.Of(purchase.First()).IsTrue())),
	labels.Of(purchase.Where(amount.AtLeast(5), gift.IsFalse()).First()).HasAll("new", "red"),
)})

// Lasts have something on its way.
var Lasts = bucket.Define(bucket.Spec{ID: "lasts", Criteria: bucket.Any(
	ships.Of(purchase.Last()).InTheNext(bucket.Week),
	bucket.AtLeastOf(1, ships.Of(purchase.Where(gift.IsTrue()).Last()).Today("Europe/Berlin"), product.Of(purchase.Last()).InFold("book", "toy")),
	amount.Of(purchase.Since(newYear).Last()).MoreThan(100),
)})

// Lapsed have been busier than they are.
var Lapsed = bucket.Define(bucket.Spec{ID: "lapsed", Criteria: bucket.All(
	purchase.Ago(90*bucket.Day, 30*bucket.Day).AtLeast(3),
	purchase.Ago(60*bucket.Day, 30*bucket.Day).Exactly(2),
	bucket.Any(purchase.Where(gift.IsTrue()).Ago(bucket.Week, bucket.Day).Never(), purchase.Ago(bucket.Week, bucket.Day).LessThan(4)),
	bucket.Any(purchase.Ago(90*bucket.Day, 30*bucket.Day).Min(amount).AtLeast(5), purchase.Ago(90*bucket.Day, 30*bucket.Day).Max(amount).MoreThan(50)),
	bucket.Not(purchase.Ago(bucket.Hour, time.Microsecond).MoreThan(1)),
	purchase.Ago(bucket.Day, bucket.Hour).AtMost(7),
	purchase.Since(newYear).Exists(),
)})

// Sampled are some of all.
var Sampled = bucket.Define(bucket.Spec{ID: "sampled", Criteria: bucket.Sample(12.5, "new checkout")})

// Rest are those of the others who buy.
var Rest = bucket.Define(bucket.Spec{ID: "rest", Criteria: bucket.All(bucket.Not(bucket.Sample(50, "b")), purchase.Exists())})

// Single is no combination.
var Single = bucket.Define(bucket.Spec{ID: "single", Criteria: product.Of(purchase.Last()).In("book", "toy")})

package bucket_test

import (
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

// The examples of events in docs/reference/criteria.md.

var (
	Purchase = bucket.Event("purchase")
	Amount   = Purchase.Number("amount")
	Units    = Purchase.Number("units")
	Product  = Purchase.Text("product")
	Paid     = Purchase.Bool("paid")

	year2026 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	year2027 = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

func ExampleOccurrences() {
	const c, d = 30 * bucket.Day, 90 * bucket.Day
	buyers := bucket.Define(bucket.Spec{ID: "buyers", Criteria: bucket.Any(
		bucket.All(Purchase.Exists(), Purchase.Within(d).Never()),
		bucket.All(Purchase.AtLeast(3), Purchase.MoreThan(2), Purchase.AtMost(9), Purchase.LessThan(10)),
		Purchase.Exactly(3),
		Purchase.FirstTimeWithin(d),
		Purchase.Within(d).AtLeast(3),
		bucket.All(Purchase.Ago(d, c).AtLeast(3), Purchase.Within(c).Never()),
		Purchase.Today("Europe/Berlin").Exists(),
		Purchase.ThisWeek("Europe/Berlin").Exists(),
		Purchase.ThisMonth("Europe/Berlin").Exists(),
		Purchase.Between(year2026, year2027).Exists(),
		Purchase.Since(year2026).Exists(),
		Purchase.Before(year2027).Exists(),
	)})
	fmt.Println(buyers.ID())
	// Output: buyers
}

// Any two of the signs suffice.
func ExampleAtLeastOf() {
	engaged := bucket.Define(bucket.Spec{
		ID: "engaged",
		Criteria: bucket.AtLeastOf(2,
			Purchase.Within(90*bucket.Day).AtLeast(3),
			Seats.MoreThan(5),
			Tags.Has("beta"),
		),
	})
	fmt.Println(engaged.ID())
	// Output: engaged
}

// A filter is checked for every occurrence, when it arrives; the window and the count then go by
// those that pass.
func ExampleOccurrences_Where() {
	bulk := bucket.Define(bucket.Spec{
		ID: "bulk-buyers",
		Criteria: Purchase.Where(
			Units.AtLeast(5),
			bucket.Not(Product.HasPrefix("gift-")),
			bucket.Any(Paid.IsTrue(), Amount.Is(0)),
		).Within(180 * bucket.Day).Exists(),
	})
	fmt.Println(bulk.ID())
	// Output: bulk-buyers
}

// A tenth of the buyers, always the same users.
func ExampleSample() {
	trial := bucket.Define(bucket.Spec{
		ID:       "new-checkout",
		Criteria: bucket.All(bucket.Sample(10, "new-checkout"), Purchase.Exists()),
	})
	fmt.Println(trial.ID())
	// Output: new-checkout
}

// Fields of the first purchase ever, and of the last one that was paid.
func ExampleOccurrence() {
	bookworms := bucket.Define(bucket.Spec{ID: "bookworms", Criteria: bucket.All(
		Product.Of(Purchase.First()).Is("book"),
		Product.Of(Purchase.Last()).IsNot("toy"),
		Amount.Of(Purchase.Where(Paid.IsTrue()).Last()).AtLeast(20),
	)})
	fmt.Println(bookworms.ID())
	// Output: bookworms
}

func ExampleOccurrences_Sum() {
	const d = 365 * bucket.Day
	spenders := bucket.Define(bucket.Spec{ID: "spenders", Criteria: bucket.Any(
		Purchase.Within(d).Sum(Amount).AtLeast(250),
		Purchase.Within(d).Avg(Amount).MoreThan(50),
		bucket.All(Purchase.Within(d).Min(Amount).AtLeast(10), Purchase.Within(d).Max(Amount).LessThan(100)),
		Purchase.Within(d).Distinct(Product).AtLeast(5),
		Purchase.Within(d).DistinctDays("Europe/Berlin").AtLeast(5),
	)})
	fmt.Println(spenders.ID())
	// Output: spenders
}

// A bucket may ask about others. The user joins and leaves at the same instant, and in the same
// transaction.
func ExampleInBucket() {
	loyal := bucket.Define(bucket.Spec{ID: "loyal", Criteria: bucket.All(
		bucket.InBucket("bulk-buyers"),
		bucket.Not(bucket.InBucket("complaining")),
	)})
	fmt.Println(loyal.ID())
	// Output: loyal
}

func ExampleNotInBucket() {
	others := bucket.Define(bucket.Spec{ID: "other-buyers", Criteria: bucket.All(
		Purchase.Exists(),
		bucket.NotInBucket("bulk-buyers"),
	)})
	fmt.Println(others.ID())
	// Output: other-buyers
}

var (
	Viewed      = bucket.Event("product_viewed")
	CartUpdated = bucket.Event("cart_updated")
	CartID      = CartUpdated.Text("cart_id")
	BoughtCart  = Purchase.Text("cart_id")
)

// Steps follow each other, within a time for all of them or for each.
func ExampleOccurrences_Then() {
	const d, w = 2 * bucket.Hour, 30 * bucket.Day
	funnel := bucket.Define(bucket.Spec{ID: "funnel", Criteria: bucket.Any(
		Viewed.Then(CartUpdated).Then(Purchase).Within(d).Exists(),
		Viewed.Then(Purchase.Where(Amount.AtLeast(100))).Within(d).InTheLast(w),
		Viewed.ThenWithin(d, CartUpdated).ThenWithin(d, Purchase).Exists(),
		CartUpdated.Then(Purchase).Within(d).By(CartID, BoughtCart).Exists(),
	)})
	fmt.Println(funnel.ID())
	// Output: funnel
}

// A shopper joins exactly two hours after the last change of a cart that was not bought.
func ExampleOccurrences_ThenNot() {
	const d, w = 2 * bucket.Hour, bucket.Week
	abandoned := bucket.Define(bucket.Spec{ID: "abandoned-cart", Criteria: bucket.Any(
		CartUpdated.ThenNot(Purchase).Within(d).Exists(),
		CartUpdated.ThenNot(Purchase).Within(d).InTheLast(w),
		CartUpdated.ThenNot(Purchase).Within(d).By(CartID, BoughtCart).Exists(),
		Viewed.Then(CartUpdated).Within(d).ThenNot(Purchase).Within(d).Exists(),
	)})
	fmt.Println(abandoned.ID())
	// Output: abandoned-cart
}

package buckets

import "github.com/bucketgen/bucketgen/bucket"

/* Comments ends what it can: */

var (
	/*
		Block is in a comment of another kind, with // two slashes.

			and code
	*/
	Block = bucket.Define(bucket.Spec{ID: "block", Criteria: nasty})

	// Listed has what Go comments have:
	//   - a list that ends in */
	//   - and goes on
	//
	// # A heading
	//
	//	if code {
	//		return "*/"
	//	}
	//
	//go:generate echo no
	Listed = bucket.Define(bucket.Spec{ID: "listed", Criteria: nasty})

	//nolint:all
	Directive = bucket.Define(bucket.Spec{
		ID:          "directive",
		Name:        "*/ \"quoted\" `ticked` \\n ü 日本 \u2028 \x00 \ufeff",
		Description: "First line\n// second line */ with \ttab, \x00, \ufeff and \xff!",
		Criteria:    nasty,
	})

	Described = bucket.Define(bucket.Spec{
		ID: "described",
		Description: "This description is much longer than one line of a comment should ever be, because its author " +
			"had a lot to say about the users that are in it, and the author was not stopped in time",
		Criteria: nasty,
	})

	// Deprecated: use [Block], or see https://example.com/a_very_long_link_that_is_not_broken_whatever_its_length_may_be_in_the_end.
	Old = bucket.Define(bucket.Spec{ID: "old", Criteria: nasty})
)

// Properties with names that are no identifiers, and clash when they are made into some.
var (
	Größe = bucket.Text("größe")
	Quote = bucket.Text("\"*/`\n")
)

var nasty = bucket.All(
	bucket.Text("日本").Contains("\x00\u2028`*/\n"),
	bucket.Text("quote").Exists(),
	bucket.Text("9 lives").Exists(),
	Größe.Is("\u202e"),
	Quote.Is("\\"),
	bucket.Event("app.active").Exists(),
	bucket.Event("app_active").Exists(),
	bucket.Event("App Active").Exists(),
	bucket.Event("起動").Exists(),
	bucket.Event("9 lives").Exists(),
	bucket.Event("registry").Exists(),
)

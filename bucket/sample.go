package bucket

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Sample holds for a percentage of all users, chosen by a hash of the salt and the user's id:
// always for the same users, on every machine and in every version. Those in 10 percent are also in
// 20 percent of the same salt; with another salt the choice is independent. percent is more than 0
// and less than 100, and need not be whole.
//
// It is checked when a user is created, and whenever another condition of the bucket is.
func Sample(percent float64, salt string) Criteria {
	n := &ir.Node{Op: ir.OpSample, Pos: callerOf(1), Sample: &ir.SampleCheck{Percent: percent, Salt: salt}}
	problem := func(format string, args ...any) {
		n.Problems = append(n.Problems, ir.Problem{Pos: n.Pos, Text: fmt.Sprintf(format, args...)})
	}
	if math.IsNaN(percent) || math.IsInf(percent, 0) { // JSON has no such numbers
		problem("Sample(%v, ...) is no share of users; write a number of percent between 0 and 100", percent)
		n.Sample.Percent = 50
	}
	if !utf8.ValidString(salt) || strings.ContainsRune(salt, 0) {
		problem("the salt %q is no text; write a name of what the sample is for, like \"new-checkout\"", salt)
		n.Sample.Salt = "unreadable"
	}
	return Criteria{n}
}

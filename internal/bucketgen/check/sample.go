package check

import "github.com/bucketgen/bucketgen/internal/ir"

// sample checks a sample of users.
func (c *checker) sample(d *ir.Definition, n *ir.Node) {
	s := n.Sample
	switch {
	case s.Percent <= 0:
		c.report(n.Pos, d.ID, "Sample(%v, ...) holds for no user; write how many percent of the users, more than 0", s.Percent)
	case s.Percent >= 100:
		c.report(n.Pos, d.ID, "Sample(%v, ...) holds for every user; drop it or write less than 100", s.Percent)
	}
	if s.Salt == "" {
		c.report(n.Pos, d.ID, "Sample(%v, \"\") has no salt, so that it would be the same users wherever that is written; "+
			"write a name of what the sample is for, like \"new-checkout\"", s.Percent)
	}
}

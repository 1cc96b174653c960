package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/printable"
)

// PlanText returns a plan as people read it: a part for each bucket, those that would change first.
func PlanText(p *bucketgen.Plan) string {
	var b strings.Builder
	counts := map[bucketgen.Status]int{}
	for i := range p.Buckets {
		counts[p.Buckets[i].Status]++
	}
	fmt.Fprintf(&b, "Plan for a deployment at %s\n\n", p.At.Format(time.RFC3339))
	fmt.Fprintf(&b, "  buckets    %d new, %d changed, %d removed, %d unchanged\n",
		counts[bucketgen.StatusNew], counts[bucketgen.StatusChanged], counts[bucketgen.StatusRemoved], counts[bucketgen.StatusUnchanged])
	fmt.Fprintf(&b, "  users      %s", number(p.Users))
	if p.Changes() {
		if p.Looked < p.Users {
			fmt.Fprintf(&b, ", %s of them sampled: figures are estimates (95 %% confidence)", number(p.Looked))
		} else {
			b.WriteString(", all evaluated: figures are exact")
		}
	}
	fmt.Fprintf(&b, "\n  announced  %s\n", map[bucketgen.Emit]string{
		bucketgen.EmitSilent: "neither joins nor leaves", bucketgen.EmitLeaves: "leaves; joining users matched all along", bucketgen.EmitAll: "joins and leaves",
	}[p.Emit])
	order := []bucketgen.Status{bucketgen.StatusNew, bucketgen.StatusChanged, bucketgen.StatusRemoved, bucketgen.StatusUnchanged}
	for _, status := range order {
		for i := range p.Buckets {
			if p.Buckets[i].Status == status {
				writeBucket(&b, &p.Buckets[i])
			}
		}
	}
	if !p.Changes() {
		b.WriteString("\nNothing would change.\n")
	}
	return b.String()
}

// writeBucket writes the part of a bucket.
func writeBucket(b *strings.Builder, p *bucketgen.BucketPlan) {
	sign := map[bucketgen.Status]string{bucketgen.StatusNew: "+", bucketgen.StatusChanged: "~", bucketgen.StatusRemoved: "-", bucketgen.StatusUnchanged: "="}[p.Status]
	fmt.Fprintf(b, "\n%s %s, %s", sign, p.ID, p.Status)
	if p.Paused {
		b.WriteString(", paused: memberships are frozen until it is resumed")
	}
	b.WriteByte('\n')
	switch p.Status {
	case bucketgen.StatusUnchanged:
		fmt.Fprintf(b, "    %s\n", amount(bucketgen.Estimate{Count: p.Members}, "member"))
		if p.Joins.Count+p.Leaves.Count == 0 {
			return
		}
	case bucketgen.StatusRemoved:
		fmt.Fprintf(b, "    %s stay; the bucket is frozen and nothing is announced\n", amount(bucketgen.Estimate{Count: p.Members}, "member"))
		return
	case bucketgen.StatusNew:
		for _, line := range p.Words {
			fmt.Fprintf(b, "    + %s\n", line)
		}
	case bucketgen.StatusChanged:
		for _, line := range differences(p.Was, p.Words) {
			fmt.Fprintf(b, "    %s\n", line)
		}
		fmt.Fprintf(b, "    %s now\n", amount(bucketgen.Estimate{Count: p.Members}, "member"))
	}
	fmt.Fprintf(b, "    %s would join%s\n", amount(p.Joins, "user"), named(p.Joining, p.Joins))
	if p.Status != bucketgen.StatusNew || p.Leaves.Count > 0 {
		fmt.Fprintf(b, "    %s would leave%s\n", amount(p.Leaves, "user"), named(p.Leaving, p.Leaves))
	}
	if p.Held.Count > 0 {
		fmt.Fprintf(b, "    %s would stay for the minimum dwell and then leave, unless they match again\n", amount(p.Held, "user"))
	}
	for _, r := range p.Reactions {
		fmt.Fprintf(b, "    %q, subscribed to %s, would receive %s\n", r.Name, strings.Join(r.Kinds, " and "), amount(r.Emissions, "transition"))
	}
}

// amount returns a number of things.
func amount(e bucketgen.Estimate, what string) string {
	text := number(e.Count)
	if e.PlusMinus > 0 {
		text += " ± " + number(e.PlusMinus)
	}
	if e.Count != 1 || e.PlusMinus > 0 {
		what += "s"
	}
	return text + " " + what
}

// named names some users of an estimate.
func named(some []string, of bucketgen.Estimate) string {
	if len(some) == 0 {
		return ""
	}
	more := ""
	if int64(len(some)) < of.Count {
		more = " …"
	}
	names := make([]string, len(some))
	for i, name := range some {
		names[i] = printable.Text(name)
	}
	return ": " + strings.Join(names, ", ") + more
}

// number writes a number with commas between thousands.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	const group = 3
	var parts []string
	for len(digits) > group && digits[len(digits)-group-1] != '-' {
		parts = append(parts, digits[len(digits)-group:])
		digits = digits[:len(digits)-group]
	}
	parts = append(parts, digits)
	slices.Reverse(parts)
	return strings.Join(parts, ",")
}

// differences returns the lines of two texts, each with a sign: those of one alone, of the other
// alone, and of both. A bucket has few lines, so the longest common sequence is found by comparing
// each with each.
func differences(was, is []string) []string {
	common := make([][]int, len(was)+1) // how many lines two rests have in common
	for i := range common {
		common[i] = make([]int, len(is)+1)
	}
	for i, line := range slices.Backward(was) {
		for j, other := range slices.Backward(is) {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); line == other {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var lines []string
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			lines = append(lines, "  "+was[i])
			i, j = i+1, j+1
		case j == len(is) || i < len(was) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, "- "+was[i])
			i++
		default:
			lines = append(lines, "+ "+is[j])
			j++
		}
	}
	return lines
}

// PreviewText returns a preview as people read it.
func PreviewText(p *bucketgen.Preview) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s", p.ID, map[bucketgen.Status]string{
		bucketgen.StatusNew: "not deployed", bucketgen.StatusChanged: "deployed with another definition", bucketgen.StatusUnchanged: "deployed unchanged",
	}[p.Status])
	fmt.Fprintf(&b, ", as of %s\n", p.At.Format(time.RFC3339))
	for _, line := range p.Words {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	fmt.Fprintf(&b, "%s of %s would be members%s\n", number(p.Members.Count)+plusMinus(p.Members), amount(bucketgen.Estimate{Count: p.Users}, "user"), named(p.Some, p.Members))
	if p.Status != bucketgen.StatusNew {
		fmt.Fprintf(&b, "%s are members now\n", number(p.Now))
	}
	return b.String()
}

func plusMinus(e bucketgen.Estimate) string {
	if e.PlusMinus == 0 {
		return ""
	}
	return " ± " + number(e.PlusMinus)
}

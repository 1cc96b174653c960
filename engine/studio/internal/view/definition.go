package view

import (
	"slices"
	"strings"
)

// line is a line of a definition. mark is "ins" if the definition before has no such line, "del" if
// only that one has it, and empty if both have it.
type line struct{ text, mark string }

// marked returns lines that all have the same mark.
func marked(words []string, mark string) []line {
	all := make([]line, len(words))
	for i, w := range words {
		all[i] = line{w, mark}
	}
	return all
}

// changed compares two definitions line by line. Lines that were removed stand where they were.
func changed(was, is []string) []line {
	common := commonLines(was, is)
	var all []line
	for i, j := 0, 0; i < len(was) || j < len(is); {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			all = append(all, line{is[j], ""})
			i, j = i+1, j+1
		case j == len(is) || i < len(was) && common[i+1][j] >= common[i][j+1]:
			all = append(all, line{was[i], "del"})
			i++
		default:
			all = append(all, line{is[j], "ins"})
			j++
		}
	}
	return all
}

// commonLines returns how many lines of was from i on and of is from j on are common to both in the
// same order, for each i and j.
func commonLines(was, is []string) [][]int {
	common := make([][]int, len(was)+1)
	for i := range common {
		common[i] = make([]int, len(is)+1)
	}
	for i := range slices.Backward(was) {
		for j := range slices.Backward(is) {
			if was[i] == is[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}

// branch is a line with the lines that are indented below it.
type branch struct {
	line
	parts []branch
}

// indent is by how many spaces a line stands below another one.
const indent = 2

// nested makes a tree of lines that are indented.
func nested(lines []line) []branch {
	all, _ := branches(lines, 0)
	return all
}

// branches takes lines of a depth or deeper, and returns the lines that follow them.
func branches(lines []line, depth int) (all []branch, rest []line) {
	for len(lines) > 0 && depthOf(lines[0]) >= depth {
		b := branch{line: line{strings.TrimLeft(lines[0].text, " "), lines[0].mark}}
		b.parts, lines = branches(lines[1:], depthOf(lines[0])+1)
		all = append(all, b)
	}
	return all, lines
}

func depthOf(l line) int { return (len(l.text) - len(strings.TrimLeft(l.text, " "))) / indent }

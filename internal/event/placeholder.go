package event

import (
	"fmt"
	"slices"
	"strings"
)

// placeholders are texts that programs send in place of an id: a variable without a value, an
// example in documentation, a name for all visitors who have not signed in. Segment and PostHog
// refuse most of them for the same reason.
var placeholders = []string{
	"-1", "null", "nil", "none", "undefined", "nan", "true", "false", "anonymous", "guest", "unknown", "id", "email", "distinct_id",
	"[object object]", "test@test.com", "test@example.com",
}

// longest is how many bytes the longest placeholder has; blanks around it may make it longer.
const longest = 16

// IsPlaceholder reports whether an id names no particular user, in any letter case and with blanks
// around it. Users who are merged because their browsers sent such an id could not be separated
// again. An empty id is none.
func IsPlaceholder(id string) bool {
	if len(id) > 2*longest && strings.Trim(id, "0-") != "" {
		return false
	}
	id = strings.ToLower(strings.TrimSpace(id))
	return id != "" && (strings.Trim(id, "0-") == "" || slices.Contains(placeholders, id))
}

// Placeholder explains the refusal of a placeholder.
func Placeholder(id string) string {
	return fmt.Sprintf("is %q, which stands for no user in particular; send the id of the user", id)
}

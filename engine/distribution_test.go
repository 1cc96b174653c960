package engine_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestEveryQueryIsLookedAt finds the statements on tables that grow: each is among those whose
// plans are tested, or it is said why it may take its time.
func TestEveryQueryIsLookedAt(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../queries/*.sql")
	must(t, err)
	grows := regexp.MustCompile(`bucketgen\.(` + strings.Join(growing, "|") + `)\b`)
	comment := regexp.MustCompile(`(?m)^--.*$`)
	hot, cold := hotQueries(), coldQueries()
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, query := range strings.Split(string(text), "-- name: ")[1:] {
			name, body, _ := strings.Cut(query, " ")
			_, isHot := hot[name]
			_, isCold := cold[name]
			delete(hot, name)
			delete(cold, name)
			if grows.MatchString(comment.ReplaceAllString(body, "")) && isHot == isCold {
				t.Errorf("%s in %s reads a table that grows; put it into hotQueries or, with the reason, into coldQueries", name, filepath.Base(file))
			}
		}
	}
	for _, name := range append(slices.Collect(maps.Keys(hot)), slices.Collect(maps.Keys(cold))...) {
		t.Errorf("there is no query %s", name)
	}
}

// TestKeysHoldTheContact checks that users can be distributed over several databases by the ids of
// their contacts: whatever is unique among the rows of a table that grows is so among those of one
// contact.
func TestKeysHoldTheContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	exceptions := map[string]string{
		"contacts_pkey":        "it is the id of the contact",
		"contacts_user_id_key": "who comes by name is looked up here first: a directory, or an id that is made from the name, has to say where",
		"identities_pkey":      "as contacts_user_id_key, by further names",
		"hidings_pkey":         "it goes by transactions, as who reads it does: each database has its own",
		"rollups_pkey":         "what happened to all users of a bucket in an hour: each database has its own, and who asks adds them up",
	}
	rows, err := w.pool.Query(t.Context(), `select c.relname, k.relname, array(select a.attname::text from pg_attribute a where a.attrelid = k.oid order by a.attnum)
		from pg_index i join pg_class c on c.oid = i.indrelid join pg_class k on k.oid = i.indexrelid
		where c.relnamespace = 'bucketgen'::regnamespace and i.indisunique`)
	must(t, err)
	var table, key string
	var columns []string
	_, err = pgx.ForEachRow(rows, []any{&table, &key, &columns}, func() error {
		_, excepted := exceptions[key]
		delete(exceptions, key)
		if slices.Contains(growing, table) && !excepted && columns[0] != "contact_id" {
			t.Errorf("the key %s of %s begins with %s, not with contact_id", key, table, columns[0])
		}
		return nil
	})
	must(t, err)
	for key := range exceptions {
		t.Errorf("there is no key %s", key)
	}
}

// TestTablesGrowOrDoNot checks that every table is known to grow, or to be small wherever it is:
// the same in every database.
func TestTablesGrowOrDoNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	small := []string{
		"event_names", "event_name_counts", "catalog", "catalog_hours", "buckets", "signals", "sequences", "properties", // names of things, by their numbers
		"deployments", "generation", "definitions", "derived", "reconciliations", "rollup_progress", "sizes", "audit", "jobs", "job_users", // what goes on
		"erasures", "suppressions", "suppressed_events", // what was erased
		"writers", "processes", // one row for each connection or process
		"compatibility",                                                                    // one row
		"endpoint_attempts",                                                                // some for each endpoint
		"subscriptions", "endpoints", "endpoint_secrets", "keys", "sessions", "migrations", // what operators set up
	}
	rows, err := w.pool.Query(t.Context(), `select relname::text from pg_class where relnamespace = 'bucketgen'::regnamespace and relkind in ('r', 'p')`)
	must(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	slices.Sort(tables)
	equal(t, "tables", tables, slices.Sorted(slices.Values(append(small, growing...))))
}

// TestHotQueriesGoByContact has PostgreSQL explain what runs for every batch. Each table that grows
// must be entered by the contact, so that a database that has some of the users answers for them.
// contact_of must be inlined.
func TestHotQueriesGoByContact(t *testing.T) {
	t.Parallel()
	exceptions := map[string]string{
		"ContactsLockDue":       "each database has a clock of its own",
		"DueNext":               "each database has a clock of its own",
		"DeliveriesClaim":       "each database has an outbox of its own",
		"TransitionsSnapshot":   "each database has a feed of its own, which goes by transactions",
		"TransitionsBetween":    "each database has a feed of its own, which goes by transactions",
		"HidingsBetween":        "each database has a feed of its own, which goes by transactions",
		"ContactsBehind":        "each database takes its users through a deployment",
		"ContactsNext":          "each database takes its users through a deployment",
		"MembershipsPage":       "lists members of a bucket: who asks merges the pages of all databases",
		"MembershipsPageAt":     "lists members of a bucket: who asks merges the pages of all databases",
		"MembershipsNewest":     "lists members of a bucket: who asks merges the pages of all databases",
		"TransitionsForward":    "lists the log of a bucket: who asks merges the pages of all databases",
		"TransitionsBackward":   "lists the log of a bucket: who asks merges the pages of all databases",
		"SizesNow":              "each database keeps its own sizes: who asks adds them up",
		"SizesTrend":            "each database keeps its own sizes: who asks adds them up",
		"SummaryNow":            "each database has a clock and an outbox of its own",
		"RollupsOf":             "each database adds up its own: who asks adds up all of them",
		"RollupsAdd":            "each database adds up its own log",
		"IdempotencyKeysForget": "each database forgets what is old",
	}
	w := grown(t)
	for name, q := range hotQueries() {
		plan := explain(t, w, q.sql, "force_generic_plan", q.args)
		entered, wrong := readsOf(plan)
		if _, excepted := exceptions[name]; excepted == (len(wrong) == 0) {
			t.Errorf("%s: want it to go by contact_id unless it is an exception (%t), got it otherwise at %q:\n%s", name, excepted, wrong, plan)
		}
		if strings.Contains(plan, "contact_of") {
			t.Errorf("%s calls contact_of for each row; want it inlined:\n%s", name, plan)
		}
		if inserts := strings.Count(q.sql, "insert into bucketgen."); entered == 0 && inserts != len(insertsByContact.FindAllString(q.sql, -1)) {
			t.Errorf("%s inserts something without contact_id:\n%s", name, q.sql)
		}
	}
}

var (
	insertsByContact = regexp.MustCompile(`insert into bucketgen\.\w+( as \w+)? \((contact_id|user_id)`)
	scan             = regexp.MustCompile(`(?:Scan(?: Backward)? using \w+ on|Bitmap Heap Scan on|Seq Scan on) (\w+)`)
	byContact        = regexp.MustCompile(`(Index|Recheck) Cond: .*\bcontact_id = `)
	byName           = regexp.MustCompile(`(Index|Recheck) Cond: .*\bname = `)
	byContactItself  = regexp.MustCompile(`(Index|Recheck) Cond: \(+(id|user_id) = `)
)

// readsOf returns how many tables that grow a plan reads, and how it does so where it is not by the
// contact.
func readsOf(plan string) (entered int, wrong []string) {
	lines := strings.Split(plan, "\n")
	for i, line := range lines {
		found := scan.FindStringSubmatch(line)
		if found == nil || !slices.Contains(growing, found[1]) {
			continue
		}
		entered++
		cond := ""
		if i+1 < len(lines) {
			cond = lines[i+1]
		}
		if byContact.MatchString(cond) || found[1] == "contacts" && byContactItself.MatchString(cond) || found[1] == "identities" && byName.MatchString(cond) {
			continue
		}
		wrong = append(wrong, strings.TrimSpace(line)+" "+strings.TrimSpace(cond))
	}
	return entered, wrong
}

package engine_test

import "github.com/bucketgen/bucketgen/gen/db"

type hotQuery struct{ sql, args string }

// hotQueries are the statements that run for every batch, or again and again, with arguments.
func hotQueries() map[string]hotQuery {
	const users, contacts, buckets = "array['h1', 'h2', 'h3']", "array[1, 2, 3]::bigint[]", "array[1, 1, 1]"
	const times = "array[now(), now(), now()]"
	return map[string]hotQuery{
		"ContactsCreate":      {db.ContactsCreate, users + ", " + times},
		"ContactsLock":        {db.ContactsLock, users + ", " + contacts + ", " + contacts},
		"ContactsLockKnown":   {db.ContactsLockKnown, contacts + ", " + contacts},
		"ContactsLockWaiting": {db.ContactsLockWaiting, users + ", " + contacts + ", " + contacts},
		"ContactsLockDue":     {db.ContactsLockDue, "now(), " + buckets + ", array[0, 0, 0], 500"},
		"DeliveriesClaim":     {db.DeliveriesClaim, buckets + ", now(), array[7], 16, now(), gen_random_uuid()"},
		"DeliveriesFail":      {db.DeliveriesFail, contacts + ", " + buckets + ", " + buckets + ", " + contacts + ", array['dead','dead','dead'], " + times + ", array['','',''], gen_random_uuid()"},
		"ContactsPatch":       {db.ContactsPatch, contacts + ", array['{}','{}','{}'], array['[]','[]','[]'], array['','',''], array[true,true,true], " + times + ", " + contacts + ", " + contacts + ", " + buckets + ", array['1','1','1'], " + times},
		"ContactsHold":        {db.ContactsHold, contacts + ", " + contacts},
		"ChangesOf":           {db.ChangesOf, users + ", " + contacts + ", " + contacts + ", " + buckets},
		"MembershipsStanding": {db.MembershipsStanding, users + ", " + contacts},
		"MembershipsAll":      {db.MembershipsAll, contacts + ", 256"},
		"EventsRecent":        {db.EventsRecent, contacts + ", 512"},
		"TotalsAll":           {db.TotalsAll, contacts},
		"MembershipsPrior":    {db.MembershipsPrior, users + ", " + contacts + ", " + buckets},
		"MembershipsLeave":    {db.MembershipsLeave, contacts + ", " + buckets + ", array[1,1,1], " + times + ", array['a','a','a'], " + times + ", array[false,false,false]"},
		"MembershipsAmend":    {db.MembershipsAmend, contacts + ", " + buckets + ", array[1,1,1], " + times + ", array[false,false,false]"},
		"MembershipsHas":      {db.MembershipsHas, "'h1', 1"},
		"MembershipsPage":     {db.MembershipsPage, "1, 100, 100"},
		"MembershipsHadAt":    {db.MembershipsHadAt, "1, now(), 'h1'"},
		"MembershipsPageAt":   {db.MembershipsPageAt, "now() - interval '1 hour', 1, 100, 100"},
		"TalliesOf":           {db.TalliesOf, "interval '1 hour', '2026-01-02T00:00:00Z', 1, '2027-01-01T00:00:00Z'"},
		"DueOf":               {db.DueOf, users + ", " + contacts},
		"DueForget":           {db.DueForget, contacts + ", " + buckets},
		"DueNext":             {db.DueNext, buckets},
		"IdempotencyKeysSeen": {db.IdempotencyKeysSeen, users + ", " + contacts + ", " + users},
		"EventsNewest":        {db.EventsNewest, users + ", " + contacts + ", " + buckets + ", array[3, 3, 3]"},
		"OccurrencesNewest":   {db.OccurrencesNewest, users + ", " + contacts + ", " + buckets + ", array[3, 3, 3]"},
		"GroupsNewest":        {db.GroupsNewest, users + ", " + contacts + ", " + buckets + ", array[3, 3, 3]"},
		"TotalsOf":            {db.TotalsOf, users + ", " + contacts + ", " + buckets},
		"SumsOf":              {db.SumsOf, users + ", " + contacts + ", " + buckets + ", array['day', 'day', 'day'], array[32, 32, 32]"},
		"EventsAround":        {db.EventsAround, users + ", " + contacts + ", " + buckets + ", " + buckets + ", array[now() - interval '1 hour', now(), now()], array[3, 3, 3], array[32, 32, 32]"},
		"OccurrencesAround":   {db.OccurrencesAround, users + ", " + contacts + ", " + buckets + ", " + buckets + ", array[now() - interval '1 hour', now(), now()], array[3, 3, 3], array[32, 32, 32]"},
		"ProgressOf":          {db.ProgressOf, users + ", " + contacts + ", " + buckets + ", array['k', 'k', 'k']"},
		"ProgressNewest":      {db.ProgressNewest, users + ", " + contacts + ", " + buckets},
		"ProgressOpen":        {db.ProgressOpen, users + ", " + contacts + ", " + buckets + ", array[null, now(), now()]::timestamptz[], array[32, 32, 32], array[0, 1, 2]"},
		"AdvancesAround":      {db.AdvancesAround, users + ", " + contacts + ", " + buckets + ", array['k', 'k', 'k'], array[now() - interval '30 s', now() - interval '30 s', now() - interval '30 s'], " + times + ", array[0, 1, 2]"},
		"ContactsBehind":      {db.ContactsBehind, "100, 300, 2, 250"},
		"ContactsNext":        {db.ContactsNext, "100, 2000"},
		"ContactsFollow":      {db.ContactsFollow, contacts + ", array[1, 1, 1], array[-1, -1, -1]"},
		"EventsOf":            {db.EventsOf, contacts + ", " + buckets},
		"TotalsForget":        {db.TotalsForget, contacts + ", " + buckets},
		"OccurrencesForget":   {db.OccurrencesForget, contacts + ", " + buckets},
		"GroupsForget":        {db.GroupsForget, contacts + ", " + buckets},
		"ProgressForget":      {db.ProgressForget, contacts + ", " + buckets},
		"AdvancesForget":      {db.AdvancesForget, contacts + ", " + buckets},
		"TransitionsInsert":   {db.TransitionsInsert, contacts + ", " + buckets + ", array[1,1,1], array['left','left','left'], array['','',''], array[0,0,0]::bigint[], " + times + ", " + times + ", array['a','a','a'], array['a','a','a'], array[false,false,false]"},
		"TransitionsMark":     {db.TransitionsMark, ""},
		"TransitionsBetween":  {db.TransitionsBetween, "1000, array['801', '802']::xid8[], 0, null, true, 29000, 30000, '900', '1000', array['801', '802', '803']::xid8[], array['803', '950']::xid8[]"},
		"HidingsBetween":      {db.HidingsBetween, "array['801', '802']::xid8[], '900', '1000', array['803', '950']::xid8[]"},
		"TransitionsOf":       {db.TransitionsOf, "'h1', 0, 100"},
		"DeliveriesDone":      {db.DeliveriesDone, contacts + ", " + buckets + ", " + buckets + ", " + contacts + ", gen_random_uuid()"},
		"DeliveriesReturn":    {db.DeliveriesReturn, contacts + ", " + buckets + ", " + buckets + ", " + contacts + ", gen_random_uuid()"},
		"MembershipsArm":      {db.MembershipsArm, "1, 'h1'"},
		"MembershipsArmed":    {db.MembershipsArmed, contacts + ", " + buckets},
		"DeliveriesExtend":    {db.DeliveriesExtend, "now(), " + contacts + ", " + contacts + ", gen_random_uuid()"},
	}
}

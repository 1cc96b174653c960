package manage

import (
	"cmp"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

const refs = "#/components/schemas/"

// describe completes the document by what the types of the engine do not say: tags are not for a
// package that knows nothing of HTTP. A test demands that nothing is left without words.
func describe(document *huma.OpenAPI) {
	schemas := document.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // which huma describes, and nothing is answered by
	delete(schemas, "ErrorDetail")
	for name, all := range values {
		schemas[name] = oneOf(all)
	}
	for name, all := range operationValues {
		schemas[name] = oneOf(all)
	}
	for name, all := range readValues {
		schemas[name] = oneOf(all)
	}
	for name, s := range schemas {
		s.Title, s.Description = name, cmp.Or(types[name], readTypes[name], operationTypes[name], personTypes[name])
		if s.AdditionalProperties == true { // as it is by default
			s.AdditionalProperties = nil
		}
		for property, of := range s.Properties {
			describeProperty(name, property, of)
		}
	}
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if op != nil {
				describeOperation(op)
			}
		}
	}
}

// oneOf returns the schema of a text that is one of some. Bodies of requests are validated by it.
func oneOf(all []any) *huma.Schema {
	s := &huma.Schema{Type: "string", Enum: all}
	s.PrecomputeMessages()
	return s
}

func describeProperty(schema, property string, of *huma.Schema) {
	of.Nullable = false // lists that are empty are so
	of.Description = cmp.Or(of.Description, readProperties[schema+"."+property], operationProperties[schema+"."+property],
		personProperties[schema+"."+property], properties[schema+"."+property], properties[property])
	if kind := cmp.Or(kinds[schema+"."+property], readKinds[schema+"."+property], operationKinds[schema+"."+property]); kind != "" {
		of.Type, of.Enum, of.Ref = "", nil, refs+kind
	}
	if example, ok := examples[property]; ok && of.Examples == nil && of.Type == "string" {
		of.Examples = []any{example}
	}
}

func describeOperation(op *huma.Operation) {
	for _, p := range op.Parameters {
		if len(p.Schema.Examples) > 0 {
			p.Example = p.Schema.Examples[0]
		}
		if kind := cmp.Or(kinds[p.Name], readKinds[p.Name], readKinds[op.OperationID+"."+p.Name]); kind != "" { // huma validates by its own schema; the document shows this one
			p.Schema = &huma.Schema{Ref: refs + kind, Default: p.Schema.Default}
		}
	}
	op.Responses["200"].Description = op.Summary
}

// types say what the schemas are.
var types = map[string]string{
	"AuditEntry":   "A change that a person made, or a look of a masked reader",
	"AuditLog":     "A page of the audit log",
	"Backlog":      "The backlog of a subscription",
	"BucketDetail": "A bucket with its statistics",
	"BucketPlan":   "The effect of a deployment on a bucket",
	"BucketStay":   "A stay with the id of its bucket",
	"Buckets":      "A page of a list of buckets",
	"Catalog":      "Declared names beside received ones",
	"CatalogEntry": "A name as declared and as received",
	"CatalogKind":  "Kind of a name: an event, a field of its payload, or a user property",
	"Drift":        "A difference between declared and received names",
	"DriftKind":    "A declared name is received with another type (mistyped) or never (unseen), or a received name is close to a declared one (misspelt)",
	"DriftName":    "A name with its kind",
	"SeenType":     "Values received with one type",
	"Change":       "Kind of a deployment: definitions deployed, a bucket paused, or a bucket resumed",
	"Condition":    "A condition, or a combination of conditions, with its result",
	"DeadLetter":   "A delivery that was given up",
	"DeadLetters":  "A page of dead letters",
	"Deployment":   "A change of the deployed definitions or of a bucket's state, with the progress of its backfill",
	"Deployments":  "A list of deployments",
	"Emit":         "Which joins and leaves of a deployment are announced",
	"Estimate":     "A number of users",
	"Evidence":     "The facts behind the result of a condition: text has all of them in words, the other properties have them for programs where they apply",
	"Explanation":  "Why a user is in a bucket or not, and what happens next if no event arrives",
	"Flow":         "Joins and leaves of a bucket",
	"Kind":         "Kind of a transition: entered, left, or dwell, the tick of a lasting stay; or of a notice: merged or erased",
	"Member":       "A member of a bucket",
	"Members":      "A page of the members of a bucket",
	"Me":           "The person who calls",
	"Membership":   "Whether a user is in a bucket",
	"Notice":       "What happened to the ids of a person: a contact became another (from, into), or a person was erased (ids)",
	"Outbox":       "The backlogs of all subscriptions",
	"Plan":         "The effect of a deployment",
	"Problem":      "An error (RFC 9457)",
	"Process":      "An engine that runs on the database",
	"Processes":    "A list of processes",
	"Reaction":     "The notifications a subscription would receive",
	"Reason": "Why a user left: the criteria no longer holds, the maximum dwell ended, the user was removed, the bucket was retired, " +
		"the user was merged into another member, or the anonymous contact expired",
	"Replay":       "The dead letters to deliver again: ids, a filter, or all",
	"Replayed":     "The number of replayed dead letters",
	"SignIn":       "A key, or the secret of a link that is good once",
	"SignedOut":    "The end of a session",
	"SizePoint":    "Joins, leaves and members in one step of time",
	"Sizes":        "The size of a bucket over time",
	"Source":       "Cause of a transition: an event or trait of the user, the clock, a repair, a deployment, or a call",
	"PolicyEffect": "The effect of a bucket's policy on one user; properties that do not apply are missing",
	"Status":       "Difference of a bucket from the deployed definition",
	"Stay":         "One stay of a user in a bucket",
	"Step":         "The length of a step of time",
	"Timeline":     "A page of a user's transitions",
	"Transition":   "A change of a user's stay in a bucket",
	"Transitions":  "The transitions that a change caused",
	"UserBuckets":  "The buckets of a user",
	"Wrong":        "Another invalid field",
}

// values are what schemas of texts may be.
var values = map[string][]any{
	"Emit":   {string(engine.EmitSilent), string(engine.EmitLeaves), string(engine.EmitAll)},
	"Source": {string(engine.SourceEvent), string(engine.SourceClock), string(engine.SourceReconcile), string(engine.SourceBackfill), string(engine.SourceManual)},
	"Reason": {
		string(engine.ReasonCriteria), string(engine.ReasonMaxDwell), string(engine.ReasonManual), string(engine.ReasonRetired),
		string(engine.ReasonMerged), string(engine.ReasonExpired),
	},
	"Kind":   {string(engine.Entered), string(engine.Left), string(engine.Dwell), string(engine.Merged), string(engine.Erased)},
	"Status": {string(engine.StatusNew), string(engine.StatusChanged), string(engine.StatusUnchanged), string(engine.StatusRemoved)},
	"Change": {"deploy", "pause", "resume"},
	"Step":   {"hour", "day"},

	"CatalogKind": {string(engine.CatalogEvent), string(engine.CatalogField), string(engine.CatalogProperty)},
	"DriftKind":   {string(engine.DriftMistyped), string(engine.DriftUnseen), string(engine.DriftMisspelt)},
}

// kinds are the properties and parameters that are of those.
var kinds = map[string]string{
	"BucketStay.reason": "Reason", "Stay.reason": "Reason", "Transition.reason": "Reason",
	"BucketStay.source": "Source", "Stay.source": "Source", "Member.source": "Source", "Transition.source": "Source",
	"Plan.emit": "Emit", "Deployment.emit": "Emit",
	"Transition.transition": "Kind", "BucketPlan.status": "Status", "Deployment.kind": "Change", "Sizes.step": "Step",
	"emit": "Emit", "step": "Step",
	"CatalogEntry.kind": "CatalogKind", "Drift.of": "CatalogKind", "DriftName.of": "CatalogKind", "Drift.kind": "DriftKind",
}

// examples are some values of properties.
var examples = map[string]string{
	"bucketId": "power-users", "bucketName": "Power users", "userId": "ada", "userEmail": "ada@example.com", "fingerprint": "189652c5be25f730",
	"enteredAt": "2026-12-01T00:00:00Z", "at": "2026-12-01T00:00:00Z",
}

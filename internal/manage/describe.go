package manage

import (
	"cmp"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

const refs = "#/components/schemas/"

// describe completes the document by what the types of the engine do not say: tags are not for a package that knows nothing of
// HTTP. A test demands that nothing is left without words.
func describe(document *huma.OpenAPI) {
	schemas := document.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // which huma describes, and nothing is answered by
	delete(schemas, "ErrorDetail")
	for name, all := range values {
		schemas[name] = &huma.Schema{Type: "string", Enum: all}
	}
	for name, s := range schemas {
		s.Title, s.Description = name, types[name]
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

func describeProperty(schema, property string, of *huma.Schema) {
	of.Nullable = false // lists that are empty are so
	of.Description = cmp.Or(of.Description, properties[schema+"."+property], properties[property])
	if kind := kinds[schema+"."+property]; kind != "" {
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
		if kind := kinds[p.Name]; kind != "" { // huma goes by the schema that it made, this is what it tells
			p.Schema = &huma.Schema{Ref: refs + kind, Default: p.Schema.Default}
		}
	}
	op.Responses["200"].Description = op.Summary
}

// types say what the schemas are.
var types = map[string]string{
	"Backlog":       "What waits in the outbox for a subscription",
	"BucketDetail":  "A bucket, and how it is doing",
	"BucketPlan":    "What a deployment would do to a bucket",
	"BucketStay":    "A stay in one of several buckets",
	"Buckets":       "A list of buckets",
	"Catalog":       "What definitions declare beside what arrives",
	"CatalogEntry":  "A name, as it is declared and as it arrived",
	"CatalogKind":   "What a name is the name of: an event, a field of its payload, or a property of users",
	"Drift":         "A difference between what is declared and what arrives",
	"DriftKind":     "A declared name arrives as another type (mistyped) or not at all (unseen); or a name arrives that is near a declared one (misspelt)",
	"DriftName":     "A name with what it is the name of",
	"SeenType":      "What arrived with values of one type",
	"Change":        "What a deployment did: it deployed definitions, paused a bucket, or resumed one",
	"Condition":     "One condition of a criteria, or a combination of several, with what came of it",
	"CountedBucket": "A bucket with its members counted",
	"DeadLetter":    "A delivery that was given up",
	"DeadLetters":   "A page of deliveries that were given up",
	"Deployment":    "A change of what the engines of a database do, and how far users have followed it",
	"Deployments":   "A list of deployments",
	"Emit":          "What is announced of the joins and leaves that follow from a deployment",
	"Estimate":      "A number of users",
	"Evidence":      "What the truth of a condition rests on: text says it all, the rest is the same for programs, as far as it applies",
	"Explanation":   "Why a user is in a bucket or not, and what happens next if nothing but time does",
	"Flow":          "How many users entered and left a bucket",
	"Kind":          "What happened to a stay: entered, left, or dwell, the tick of a stay that lasts",
	"Member":        "A user in a bucket",
	"Members":       "A page of the members of a bucket",
	"Membership":    "Whether a user is in a bucket",
	"Outbox":        "What waits to be delivered",
	"Plan":          "What a deployment would do",
	"Problem":       "What is wrong with a request (RFC 9457)",
	"Process":       "An engine that runs on the database",
	"Processes":     "A list of processes",
	"Reaction":      "What somebody is told of a bucket's transitions",
	"Reason":        "Why a user left: the criteria fails, the stay lasted as long as it may, they were removed, or the bucket was closed",
	"Replay":        "Which dead letters to deliver again: ids, or all",
	"Replayed":      "How many dead letters are delivered again",
	"SizePoint":     "What happened to a bucket within a step of time",
	"Sizes":         "How a bucket grew and shrank",
	"Source":        "What made it happen: an event or trait of the user, time, a repair, a deployment, or a call",
	"Standing":      "What a bucket's policy comes to for one user; what does not apply is missing",
	"Status":        "How a bucket differs from what is deployed",
	"Stay":          "One stay of a user in a bucket",
	"Step":          "The length of a step of time",
	"Timeline":      "A page of what happened to a user",
	"Transition":    "Something that happened to a stay of a user in a bucket",
	"Transitions":   "What came of a change",
	"UserBuckets":   "Where a user is",
	"Wrong":         "A further field that is wrong",
}

// values are what schemas of texts may be.
var values = map[string][]any{
	"Emit":   {string(engine.EmitSilent), string(engine.EmitLeaves), string(engine.EmitAll)},
	"Source": {string(engine.SourceEvent), string(engine.SourceClock), string(engine.SourceReconcile), string(engine.SourceBackfill), string(engine.SourceManual)},
	"Reason": {string(engine.ReasonCriteria), string(engine.ReasonMaxDwell), string(engine.ReasonManual), string(engine.ReasonRetired)},
	"Kind":   {string(engine.Entered), string(engine.Left), string(engine.Dwell)},
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

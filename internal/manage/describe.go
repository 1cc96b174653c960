package manage

import (
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

// describe completes the document by what the types of the engine do not say: tags are not for a package that knows nothing of
// HTTP. A test demands that nothing is left without words.
func describe(document *huma.OpenAPI) {
	schemas := document.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // which huma describes, and nothing is answered by
	delete(schemas, "ErrorDetail")
	for name, s := range schemas {
		s.Title = name
		s.Description = types[name]
		if s.AdditionalProperties == true { // as it is by default
			s.AdditionalProperties = nil
		}
		for property, of := range s.Properties {
			of.Nullable = false // lists that are empty are so
			for _, words := range []string{properties[name+"."+property], properties[property]} {
				if of.Description == "" {
					of.Description = words
				}
			}
			if all := values[name+"."+property]; all != nil {
				of.Enum = all
			} else if all := values[property]; all != nil && of.Type == "string" {
				of.Enum = all
			}
			if example, ok := examples[property]; ok && of.Examples == nil && of.Type == "string" {
				of.Examples = []any{example}
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				if p.Example == nil && p.Schema != nil && len(p.Schema.Examples) > 0 {
					p.Example = p.Schema.Examples[0]
				}
			}
			op.Responses["200"].Description = op.Summary
		}
	}
}

// types say what the schemas are.
var types = map[string]string{
	"Backlog":       "What waits in the outbox for a subscription",
	"BucketDetail":  "A bucket, and how it is doing",
	"BucketPlan":    "What a deployment would do to a bucket",
	"BucketStay":    "A stay in one of several buckets",
	"Buckets":       "A list of buckets",
	"Condition":     "One condition of a criteria, or a combination of several, with what came of it",
	"CountedBucket": "A bucket with its members counted",
	"DeadLetter":    "A delivery that was given up",
	"DeadLetters":   "A page of deliveries that were given up",
	"Deployment":    "A change of what the engines of a database do, and how far users have followed it",
	"Deployments":   "A list of deployments",
	"Estimate":      "A number of users",
	"Evidence":      "What the truth of a condition rests on: text says it all, the rest is the same for programs, as far as it applies",
	"Explanation":   "Why a user is in a bucket or not, and what happens next if nothing but time does",
	"Flow":          "How many users entered and left a bucket",
	"Member":        "A user in a bucket",
	"Members":       "A page of the members of a bucket",
	"Membership":    "Whether a user is in a bucket",
	"Outbox":        "What waits to be delivered",
	"Plan":          "What a deployment would do",
	"Problem":       "What is wrong with a request (RFC 9457)",
	"Process":       "An engine that runs on the database",
	"Processes":     "A list of processes",
	"Reaction":      "What somebody is told of a bucket's transitions",
	"Replay":        "Which dead letters to deliver again: ids, or all",
	"Replayed":      "How many dead letters are delivered again",
	"SizePoint":     "What happened to a bucket within a step of time",
	"Sizes":         "How a bucket grew and shrank",
	"Standing":      "What a bucket's policy comes to for one user; what does not apply is missing",
	"Stay":          "One stay of a user in a bucket",
	"Timeline":      "A page of what happened to a user",
	"Transition":    "Something that happened to a stay of a user in a bucket",
	"Transitions":   "What came of a change",
	"UserBuckets":   "Where a user is",
	"Wrong":         "A further field that is wrong",
}

// values are what properties may be, by their names or, where that says another thing elsewhere, those of schema and property.
var values = map[string][]any{
	"emit":                  {string(engine.EmitSilent), string(engine.EmitLeaves), string(engine.EmitAll)},
	"source":                {string(engine.SourceEvent), string(engine.SourceClock), string(engine.SourceReconcile), string(engine.SourceBackfill), string(engine.SourceManual)},
	"reason":                {string(engine.ReasonCriteria), string(engine.ReasonMaxDwell), string(engine.ReasonManual), string(engine.ReasonRetired)},
	"Transition.transition": {string(engine.Entered), string(engine.Left), string(engine.Dwell)},
	"BucketPlan.status":     {string(engine.StatusNew), string(engine.StatusChanged), string(engine.StatusUnchanged), string(engine.StatusRemoved)},
	"Deployment.kind":       {"deploy", "pause", "resume"},
}

// examples are some values of properties.
var examples = map[string]string{
	"bucketId": "power-users", "bucketName": "Power users", "userId": "ada", "userEmail": "ada@example.com", "fingerprint": "189652c5be25f730",
	"enteredAt": "2026-12-01T00:00:00Z", "at": "2026-12-01T00:00:00Z",
}

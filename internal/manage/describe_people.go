package manage

// personTypes say what the schemas of persons and erasures are.
var personTypes = map[string]string{
	"BulkErasure":        "What a job that erases persons came to",
	"ErasePeople":        "The persons to erase, and how",
	"ErasePerson":        "How to erase a person",
	"Erasure":            "The record of an erasure, which names no id of the person",
	"Erasures":           "A page of erasures",
	"Imported":           "The number of users who were erased again",
	"ImportSuppressions": "Hashes of ids that are refused",
	"PersonID":           "An id of a person",
	"SetSuppression":     "The id to refuse, or to let in again",
	"Suppression":        "What is known of an id that was erased, or is refused",
}

// personProperties describe their properties, by schema and name.
var personProperties = map[string]string{
	"BulkErasure.asked":  "Number of ids that were given",
	"BulkErasure.erased": "Number of erased persons: an unknown id is none, and neither is a second id of a person",
	"BulkErasure.events": "Number of deleted events",
	"BulkErasure.rows":   "Number of other deleted rows",

	"Erasure.id":         "Number of the erasure",
	"Erasure.at":         "When the person was erased",
	"Erasure.by":         "Name of the person who asked; missing if it was a program",
	"Erasure.ticket":     "Reference of the request; missing without one",
	"Erasure.suppressed": "Whether the ids are refused from then on",
	"Erasure.events":     "Number of deleted events",
	"Erasure.rows":       "Number of other deleted rows",
	"Erasure.finishedAt": "When the last row was deleted; missing while the rest of a long log is being deleted",

	"Job.erase":          "Result of a job that erases persons",
	"JobParams.suppress": "Whether the ids of erased persons are refused from then on",
	"JobParams.ticket":   "Reference of the request to erase",
	"JobParams.rate":     "Number of persons to erase a second",
	"JobParams.count":    "Number of ids that a job that erases was given",
	"JobParams.token":    "Name of the list of these ids",

	"DeadLetter.notice":      "The undelivered notice; missing for a transition",
	"WaitingDelivery.notice": "The notice to deliver; missing for a transition",

	"Notice.from": "Id by which the contact went that became another; missing for an erasure",
	"Notice.into": "Id by which it goes now; missing for an erasure",
	"Notice.ids":  "All ids of the person who was erased; missing for a merge",
	"Notice.at":   "When it happened",

	"Member.enteredAs":     "Id by which the user went when the stay began, if that is another now",
	"Stay.enteredAs":       "Id by which the user went when the stay began, if that is another now",
	"BucketStay.enteredAs": "Id by which the user went when the stay began, if that is another now",
	"Transition.enteredAs": "Id by which the user went when the stay began, if that is another now",

	"Suppression.hash":       "HMAC-SHA-256 of the id, in hexadecimal digits",
	"Suppression.kind":       "Kind of the id",
	"Suppression.suppressed": "Whether events of the id are dropped",
	"Suppression.lives":      "How often a user of the id was erased",
	"Suppression.at":         "When that was last; missing if never",
}

package bucketgen

import "time"

// Event is something that a user did, or traits of theirs, or both. One id is required, and one of
// Name and Traits.
//
// The ids say whose event it is: see docs/explanation/people.md. Blanks around an id do
// not count. An id that stands for no one, such as "null", is ignored.
//
// For each event that definitions declare, the generated package has a type that fills in Name and
// Properties, so that a wrong name, field or type does not compile:
// gen.PurchaseEvent{Amount: new(12.5)}.By("ada").
type Event struct {
	// UserID names the user: 1 to 255 bytes, not blank. A user is created with their first event.
	UserID string

	// AnonymousID names the visitor before they sign in, as a browser keeps it. At most 255 bytes.
	// With a UserID, what the visitor did before becomes the user's.
	AnonymousID string

	// Email is an e-mail address that the sender has checked to be this person's. At most 254
	// bytes. It does not set the trait email.
	Email string

	// IDs are ids of kinds that engine.Config.IDKinds declares, by kind. At most 255 bytes each.
	IDs map[string]string

	// Untrusted says that the ids come from a client, which may claim anything: the event makes no
	// lead a user. Defaults to false.
	Untrusted bool

	// Name says what the user did: at most 200 bytes, not beginning "bucket:". Without a name, the
	// event only carries traits.
	Name string

	// Properties are the payload of the event. Those that are declared as properties of users are
	// stored with the user, too, and win over Traits. A value of nil removes one.
	Properties map[string]any

	// Traits are set on the user. A value of nil removes one. The trait "email" is the user's email
	// address.
	Traits map[string]any

	// PropertiesJSON and TraitsJSON are the same as JSON objects, for callers that have them so. It
	// is an error to give both forms.
	PropertiesJSON []byte
	TraitsJSON     []byte

	// TraitsOnce are set on the user as Traits are, but only those that the user does not have yet,
	// and that Traits do not set. TraitsOnceJSON is the same as a JSON object. The log of events
	// holds what was set.
	TraitsOnce     map[string]any
	TraitsOnceJSON []byte

	// OccurredAt says when it happened: not later than now, give or take engine.Config.Skew. It
	// decides whether the event is in a window, and which of two values of a declared property is
	// the newer one. Years 1 to 9999. Defaults to the time at which the event is decided on, and so
	// does the zero time.
	OccurredAt time.Time

	// Key makes the ingest idempotent: of several events of a user with one key only the first
	// counts, and the others change nothing. At most 255 bytes, not beginning "bucket:" or
	// "bucket-of:". Defaults to none.
	Key string

	// TraitsOnly says that Properties stay with the event: none of them is stored with the user,
	// whatever is declared. Defaults to false.
	TraitsOnly bool
}

// Result is the outcome of an event.
type Result struct {
	// Duplicate says that the user had used the key before. Nothing was changed.
	Duplicate bool

	// Suppressed says that the person with this id was erased and may not come back. Nothing was
	// stored.
	Suppressed bool

	// Transitions are what happened to the user, in order: by this event, or because time had
	// passed since the last.
	Transitions []Transition

	// Warnings are about ids of the event that were ignored.
	Warnings []Warning

	// Err says why the event was refused, in the results of a batch. Nothing of it was stored.
	Err error
}

// Warning says that an id of an event was ignored.
type Warning struct {
	Code    string // one of the constants below
	Field   string // like anonymous_id
	Problem string
}

// The codes of warnings.
const (
	WarningBlockedID = "blocked-id" // the id stands for no one
	WarningIDTaken   = "id-taken"   // the id is that of another contact, and stays so
	WarningIDLimit   = "id-limit"   // the contact has too many ids of the kind
)

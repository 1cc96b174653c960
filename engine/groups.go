package engine

// The groups are views of an engine: each is a defined type over Engine, and its value the engine's
// own pointer under another method set. So a group holds nothing, costs nothing, and cannot differ
// from its engine.

// Deployments is what an engine does about definitions beyond [Engine.Plan] and [Engine.Deploy]:
// trying them, taking users through a change of them, and stopping them.
type Deployments Engine

// Deployments returns the calls about definitions.
func (e *Engine) Deployments() *Deployments { return (*Deployments)(e) }

// Outbox is the deliveries of an engine's database: what waits for handlers and forwarders, and the
// dead letters.
type Outbox Engine

// Outbox returns the calls about deliveries.
func (e *Engine) Outbox() *Outbox { return (*Outbox)(e) }

// Clock is what an engine does as time passes. A running engine does it by itself; these calls
// watch it, or do it in engines that run without their clock ([Config].NoClock).
type Clock Engine

// Clock returns the calls about time.
func (e *Engine) Clock() *Clock { return (*Clock)(e) }

// Users is about single users: their ids and their stays.
type Users Engine

// Users returns the calls about single users.
func (e *Engine) Users() *Users { return (*Users)(e) }

// Audit is the log of the changes that people make by the management API and the command line.
type Audit Engine

// Audit returns the calls about the audit log.
func (e *Engine) Audit() *Audit { return (*Audit)(e) }

// Inspect is what people see of an engine and its database: lists that are searched, sorted and
// read in pages, sizes over time, and definitions. It changes nothing.
type Inspect Engine

// Inspect returns the calls that show what there is.
func (e *Engine) Inspect() *Inspect { return (*Inspect)(e) }

// Jobs is long work that processes do in the background, for people who ask for it.
type Jobs Engine

// Jobs returns the calls about jobs.
func (e *Engine) Jobs() *Jobs { return (*Jobs)(e) }

// Replay takes recorded events in at the times at which they occurred.
type Replay Engine

// Replay returns the calls that take recorded events in.
func (e *Engine) Replay() *Replay { return (*Replay)(e) }

// People is about the persons behind users: what is known of them, and how they are forgotten.
type People Engine

// People returns the calls about persons.
func (e *Engine) People() *People { return (*People)(e) }

// Package conformance plays recorded scenarios of the best peer of this project, in the format
// hogsend-bucket-vector/1, against the simulator and the engine.
//
// What is asserted never comes from what is tested. The reference evaluator plays each scenario
// too; simulator and engine must agree with it always, to the microsecond. The reference must agree
// with the recording, or every difference must come from one of a closed list of deviations, each
// of which is a rule that can be checked: see [Deviation].
package conformance

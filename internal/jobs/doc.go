// Package jobs does long work that people ask for: plans, funnels, back-tests. A job is a row in
// the database. A process leases it, reports how far it is, and stores the result. When the process
// dies, another does the work anew.
package jobs

// Package hatchet lets Hatchet, a distributed task engine, carry the work of a bucket engine beyond
// one machine: it pushes transitions as events that trigger workflows, runs reactions that sleep
// for days, evaluates members at the very end of their time, and runs backfills and reconciliations
// as jobs. Nothing about a membership changes by it, only who does the work; an engine runs as well
// without.
//
//	e, err := engine.New(pool, gen.Registry, engine.Config{NoJobs: true})
//	...
//	a, err := hatchet.New(e, hatchet.Config{
//		Events: []hatchet.Event{hatchet.Entered(gen.Lapsed), hatchet.AnyLeft()},
//		Reactions: []hatchet.Reaction{
//			hatchet.OnEnter(gen.Lapsed, hatchet.Task{Name: "win-back", Func: winBack}),
//		},
//	})
//	...
//	err = e.Start(ctx)
//	err = a.Start(ctx)
//
// Where Hatchet is and who may use it is said by the variables of its own clients:
// HATCHET_CLIENT_TOKEN and, for a server without TLS, HATCHET_CLIENT_TLS_STRATEGY=none. This is the
// only package that imports Hatchet.
package hatchet

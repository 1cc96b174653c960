package hatchet_test //nolint:testableexamples // it needs a Hatchet server

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/hatchet"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
)

// A host reacts to a join by a durable task of Hatchet, which sleeps for three days and then writes
// a mail, also if the process was restarted meanwhile.
func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	check(err)
	e, err := engine.New(pool, gen.Registry, engine.Config{NoJobs: true})
	check(err)
	a, err := hatchet.New(e, hatchet.Config{Reactions: []hatchet.Reaction{
		hatchet.OnEnter(gen.WentDormant, hatchet.Task{
			Name: "win-back",
			Func: func(ctx hatchet.DurableContext, t engine.Transition) error {
				if _, err := ctx.SleepFor(3 * 24 * time.Hour); err != nil {
					return err
				}
				log.Println("we miss you,", t.UserEmail)
				return nil
			},
		}),
	}})
	check(err)
	check(e.Start(ctx))
	check(a.Start(ctx))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/blame"
)

// CheckMode returns an error if a pool runs statements in a way in which the engine cannot send
// what it writes: without the types of parameters, pgx does not know how to encode them.
func CheckMode(pool *pgxpool.Pool) error {
	switch mode := pool.Config().ConnConfig.DefaultQueryExecMode; mode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return fmt.Errorf("engine.New: the pool has default_query_exec_mode=%s, by which the engine cannot send events; "+
			"remove it from the URL, or set default_query_exec_mode=cache_describe behind a pooler in transaction mode", modeNames[mode])
	default:
		return nil
	}
}

var modeNames = map[pgx.QueryExecMode]string{
	pgx.QueryExecModeExec: "exec", pgx.QueryExecModeSimpleProtocol: "simple_protocol",
}

// errPooler says that the engine does not work through a pooler.
var errPooler = errors.New("the database is behind a pooler in transaction mode that does not keep prepared statements; " +
	"add default_query_exec_mode=cache_describe to the URL, set max_prepared_statements of PgBouncer 1.21 or later, " +
	"or connect to PostgreSQL directly")

// Check finds out whether a pooler is between the engine and the database, and returns an error if
// it does not keep the prepared statements that the pool uses.
func (l *Link) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	config := l.deps.Pool.Config()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
	}
	mode := config.ConnConfig.DefaultQueryExecMode
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // what is prepared here is prepared by hand
	first, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer first.Close(ctx)
	var pid uint32
	if err := first.QueryRow(ctx, "select pg_backend_pid()").Scan(&pid); err != nil {
		return fmt.Errorf("find out whether there is a pooler: %w", err)
	}
	if pid == first.PgConn().PID() {
		return nil // most programs connect directly
	}
	l.pooled = true
	if mode != pgx.QueryExecModeCacheStatement {
		return nil
	}
	second, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer second.Close(ctx)
	if err := shareStatements(ctx, first, second); err != nil {
		if blame.Pooler(err) {
			return fmt.Errorf("%w (%w)", errPooler, err)
		}
		return fmt.Errorf("find out whether the pooler keeps prepared statements: %w", err)
	}
	return nil
}

// shareStatements prepares a statement of the same name by two clients and runs it while the other
// holds a session, so that a pooler that does not know of prepared statements mixes them up, or
// loses one.
func shareStatements(ctx context.Context, first, second *pgx.Conn) error {
	const name = "bucketgen_pooler"
	for _, conn := range []*pgx.Conn{first, second} {
		if _, err := conn.PgConn().Prepare(ctx, name, "select 1", nil); err != nil {
			return err
		}
	}
	for _, pair := range [][2]*pgx.Conn{{first, second}, {second, first}} {
		if _, err := pair[0].Exec(ctx, "begin"); err != nil {
			return err
		}
		ran := pair[1].PgConn().ExecPrepared(ctx, name, nil, nil, nil).Read()
		_, err := pair[0].Exec(ctx, "rollback")
		if err := errors.Join(ran.Err, err); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// celPrograms are the criteria in the language of cel-go.
type celPrograms struct {
	programs []cel.Program
	users    []cel.Activation
}

func newCEL(definitions []ir.Definition, events []event) (*celPrograms, error) {
	m := &celPrograms{programs: make([]cel.Program, len(definitions)), users: make([]cel.Activation, len(events))}
	var variables []cel.EnvOption
	for name, v := range environment(&events[0].after) {
		variables = append(variables, cel.Variable(name, typeOf(v)))
	}
	env, err := cel.NewEnv(variables...)
	if err != nil {
		return nil, fmt.Errorf("cel: %w", err)
	}
	for i := range events {
		user := environment(&events[i].after)
		for name, v := range user {
			user[name] = types.DefaultTypeAdapter.NativeToValue(v) // so that it need not convert them
		}
		if m.users[i], err = cel.NewActivation(user); err != nil {
			return nil, fmt.Errorf("cel: %w", err)
		}
	}
	for i := range definitions {
		if m.programs[i], err = celProgram(env, sourceOf(definitions[i].Criteria)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func celProgram(env *cel.Env, source string) (cel.Program, error) {
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("cel: compile %s: %w", source, issues.Err())
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("cel: plan %s: %w", source, err)
	}
	return program, nil
}

func typeOf(v any) *cel.Type {
	switch v.(type) {
	case string:
		return cel.StringType
	case float64:
		return cel.DoubleType
	default:
		return cel.IntType
	}
}

func (*celPrograms) name() string { return "cel-go" }

func (m *celPrograms) matches(dst, candidates []table.BucketIndex, event int) ([]table.BucketIndex, error) {
	for _, b := range candidates {
		holds, _, err := m.programs[b].Eval(m.users[event])
		if err != nil {
			return nil, err
		}
		if holds == types.True {
			dst = append(dst, b)
		}
	}
	return dst, nil
}

package main

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// exprPrograms are the criteria in the language of expr.
type exprPrograms struct {
	programs []*vm.Program
	users    []map[string]any
	machine  vm.VM
}

func newExpr(definitions []ir.Definition, events []event) (*exprPrograms, error) {
	m := &exprPrograms{programs: make([]*vm.Program, len(definitions)), users: make([]map[string]any, len(events))}
	for i := range events {
		m.users[i] = environment(&events[i].after)
	}
	for i := range definitions {
		source := sourceOf(definitions[i].Criteria)
		program, err := expr.Compile(source, expr.Env(m.users[0]), expr.AsBool())
		if err != nil {
			return nil, fmt.Errorf("expr: compile %s: %w", source, err)
		}
		m.programs[i] = program
	}
	return m, nil
}

func (*exprPrograms) name() string { return "expr" }

func (m *exprPrograms) matches(dst, candidates []table.BucketIndex, event int) ([]table.BucketIndex, error) {
	for _, b := range candidates {
		holds, err := m.machine.Run(m.programs[b], m.users[event])
		if err != nil {
			return nil, err
		}
		if holds == true {
			dst = append(dst, b)
		}
	}
	return dst, nil
}
